"""ModelOps: candidates compared, the best one packaged, judged and registered."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else ONNX Runtime tells its makers of its use
