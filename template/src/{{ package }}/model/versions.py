"""The registry's versions as plain values, and the way to MLflow. Raises UserError only."""

import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from ..errors import UserError
from ..files import replacing, sha256
from ..words import score
from .tracking import is_new, uri

NAME = __name__.split(".", maxsplit=1)[0]
CHAMPION_FILE = Path("models/champion.onnx")
CHAMPION, CHALLENGER = "champion", "challenger"
SETTINGS = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # Say within a minute that a server is out of reach.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


@dataclass(frozen=True)
class Version:
    """A registered model. `tags` are what was known of it when it was registered."""

    number: int
    aliases: tuple[str, ...]
    tags: dict[str, str]
    run: str

    @property
    def passed(self) -> bool:
        return self.tags.get("passed") == "true"

    def line(self) -> str:
        told = self.tags
        verdict = "passed" if self.passed else f"failed: {', '.join(self.failed())}"
        facts = f"{told.get('metric')} {score(float(told.get('score', 'nan')))}"
        names = " ".join(self.aliases)
        return f"{self.number:>4}  {told.get('candidate', ''):24}{facts:22}{names:22}{verdict}"

    def made_from(self) -> dict[str, Any]:
        return dict(json.loads(self.tags.get("lineage", "{}")))

    def failed(self) -> dict[str, str]:
        """Each failed gate, and what it found."""
        return dict(json.loads(self.tags.get("failed", "{}")))


def champion() -> tuple[int, Path] | None:
    """Version and model file of the champion; None if there is none.

    The file is fetched once, and again when another version has become champion.
    """
    if is_new():
        return None
    with connected() as client:
        number = number_of(client, CHAMPION)
        if number is None:
            return None
        version = find(client, number)
        known = CHAMPION_FILE.exists() and sha256(CHAMPION_FILE) == version.tags.get("sha256")
        if not known:
            fetch(version)
        return number, CHAMPION_FILE


def champion_path() -> Path | None:
    found = champion()
    return found[1] if found else None


def fetch(version: Version) -> None:
    with tempfile.TemporaryDirectory() as folder, replacing(CHAMPION_FILE) as scratch:
        model = mlflow.artifacts.download_artifacts(
            f"models:/{NAME}/{version.number}", dst_path=folder
        )
        shutil.copyfile(Path(model) / "model.onnx", scratch)


@contextmanager
def connected() -> Iterator[MlflowClient]:
    """MLflow at `tracking.uri`. What it cannot do is one sentence."""
    for name, text in SETTINGS.items():
        os.environ.setdefault(name, text)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        mlflow.set_tracking_uri(uri())
        yield MlflowClient()
    except (MlflowException, SQLAlchemyError) as error:
        words = without_password(" ".join(str(error).split()))
        raise UserError(
            f"MLflow at {without_password(uri())} cannot be used: check tracking.uri in "
            "params.yaml or MLFLOW_TRACKING_URI, and that the server runs. MLflow says: "
            f"{words[:300]}"
        ) from error


def without_password(text: str) -> str:
    return re.sub(r"//[^@/\s]+@", "//***@", text)


def registered(client: MlflowClient) -> dict[str, int] | None:
    """The aliases of the registered model; None before the first version."""
    if not client.search_registered_models(f"name = '{NAME}'"):
        return None
    aliases = client.get_registered_model(NAME).aliases
    return {alias: int(number) for alias, number in aliases.items()}


def number_of(client: MlflowClient, alias: str) -> int | None:
    return (registered(client) or {}).get(alias)


def all_versions(client: MlflowClient) -> list[Version]:
    aliases = registered(client)
    if aliases is None:
        return []
    found = client.search_model_versions(f"name = '{NAME}'")
    return sorted((as_version(each, aliases) for each in found), key=lambda v: -v.number)


def find(client: MlflowClient, number: int | None) -> Version:
    known = {version.number: version for version in all_versions(client)}
    if number not in known:
        there = f"there are {', '.join(map(str, sorted(known)))}" if known else "there is none yet"
        raise UserError(f"Version {number} is not in the registry: {there}.")
    return known[number]


def as_version(found: ModelVersion, aliases: dict[str, int]) -> Version:
    number = int(found.version)
    names = tuple(sorted(alias for alias, place in aliases.items() if place == number))
    return Version(number, names, dict(found.tags), str(found.run_id))
