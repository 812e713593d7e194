"""Where runs and versions are kept. Light: MLflow is imported only if there may be any."""

import os
from pathlib import Path

from ..settings import Params

SQLITE = "sqlite:///"


def uri() -> str:
    """The environment's MLFLOW_TRACKING_URI, else params.yaml's tracking.uri."""
    return os.environ.get("MLFLOW_TRACKING_URI") or Params.read().tracking.uri


def is_new() -> bool:
    """Whether the registry is a file that nothing was ever written to."""
    where = uri()
    return where.startswith(SQLITE) and not Path(where.removeprefix(SQLITE)).exists()


def champion() -> tuple[int, Path] | None:
    """The champion's version and model file. Raises UserError if the registry is out of reach."""
    if is_new():
        return None
    from .versions import champion as in_use  # noqa: PLC0415

    return in_use()
