"""Where things are, and how they are written: whole or not at all.

All paths are relative to the project's root, where every command is run.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from .errors import UserError

RAW = Path("data/raw")
INGESTED = Path("data/ingested")
CLEAN = Path("data/clean.parquet")
QUARANTINE = Path("data/quarantine.parquet")
UNLABELLED = Path("data/unlabelled.parquet")
TRAIN = Path("data/split/train.parquet")
VALID = Path("data/split/valid.parquet")
TEST = Path("data/split/test.parquet")
CHOICE = Path("models/choice.json")
MODEL = Path("models/model.onnx")
REPORTS = Path("reports")
COMPOSE = Path("deploy/compose.yaml")
EVALUATION = REPORTS / "evaluation.json"
GATE_REPORT = REPORTS / "gate.json"
METRICS = REPORTS / "metrics.json"
REGISTRATION = REPORTS / "registration.json"
USAGE = REPORTS / "resources.json"
MONITORING = REPORTS / "monitoring.json"
LATENCY = REPORTS / "latency.json"
PROFILE = REPORTS / "profile.json"
PROFILE_PAGE = REPORTS / "profile.html"
TRIALS = REPORTS / "plots" / "trials.csv"

Content = TypeVar("Content")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`, and rename it to `target` only if all went well.

    What a killed process leaves ends in `.tmp`, which git ignores: it may hold rows.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(".tmp", f".{target.name}.", target.parent))
    try:
        yield scratch / target.name
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(scratch / target.name, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_text(target: Path, text: str) -> None:
    """Write a file in UTF-8, whole or not at all."""
    with replacing(target) as scratch:
        scratch.write_text(text, encoding="utf-8")


def write_json(target: Path, content: Any) -> None:
    """Write a report as JSON, whole or not at all.

    Raises ValueError for NaN or infinity: JSON knows neither, and other readers stop there.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(target, f"{text}\n")


def round_figures(content: Content) -> Content:
    """Round the floats of a report to six decimals.

    NaN and infinity become None, wherever the type of the report does not say so.
    """
    rounded: Content = json.loads(
        json.dumps(content),
        parse_float=lambda text: round(float(text), 6),
        parse_constant=lambda _: None,
    )
    return rounded


def read_json(source: Path) -> Any:
    """Read a report. Raises UserError if the pipeline has not made it yet."""
    if not source.exists():
        raise UserError(f"{source} is not there yet: make it with 'uv run dvc repro'.")
    return json.loads(source.read_text(encoding="utf-8"))


def sha256(source: Path) -> str:
    """Return the checksum of a file, in hexadecimal digits."""
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
