"""The stages of dvc.yaml in their order, and the module that does each."""

from pathlib import Path

PIPELINE = Path("dvc.yaml")
STAGES = {
    "ingest": "data.ingest",
    "validate": "data.validate",
    "profile": "profile.table_profile",
    "split": "data.split",
    "train": "model.train",
    "package": "model.package",
    "latency": "serving.latency",  # where there is a service
    "evaluate": "evaluation.evaluate",
    "gate": "evaluation.model_gates",
    "register": "registry.registry",
    "report": "business.report",
    "release": "evaluation.release_gate",
}
