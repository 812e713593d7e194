"""What a model was made from: code, data, environment."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from ..errors import UserError
from ..files import RAW, REPORTS, read_json
from ..project import git

PACKAGES = ("lightgbm", "mlflow", "numpy", "onnxruntime", "polars", "scikit-learn", "skl2onnx")
# A run changes these itself: they do not make its sources uncommitted.
MADE_BY_THE_RUN = (":!dvc.lock", ":!reports", ":!docs/*-card.md")


def lineage() -> dict[str, Any]:
    """{git_commit, dirty, data_version, python, packages}; no commit: both are None."""
    return {
        **code(),
        "data_version": data_version(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def code() -> dict[str, Any]:
    """The commit, and whether files differ from it (`dirty`)."""
    try:
        commit = git("rev-parse", "HEAD")
        changed = git("status", "--porcelain", "--", ".", *MADE_BY_THE_RUN)
    except UserError:  # no repository, or nothing committed yet
        return {"git_commit": None, "dirty": None}
    return {"git_commit": commit, "dirty": bool(changed)}


def data_version() -> str:
    """DVC's hash of data/raw, by which the data can be fetched again; without DVC one of our own:
    the SHA-256 of the delivered files' names and SHA-256s.
    """
    lock = Path("dvc.lock")
    if lock.exists():
        stages = yaml.safe_load(lock.read_text(encoding="utf-8")).get("stages", {})
        for dependency in stages.get("ingest", {}).get("deps", []):
            if dependency["path"] == RAW.as_posix():
                return str(dependency["md5"])
    sources = read_json(REPORTS / "ingest.json")["sources"]
    listed = "\n".join(f"{source['sha256']}  {source['file']}" for source in sources)
    return hashlib.sha256(listed.encode()).hexdigest()
