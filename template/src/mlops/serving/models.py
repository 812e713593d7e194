"""Models to answer with: found, verified, tried, and only then in service.

A model is data: loading runs no code of it. Its bytes must be those that were registered, and it
must give the answers it was packaged with.
"""

import hashlib
import json
import os
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode

import numpy as np

from ..core.errors import UserError
from ..core.paths import MODEL, REGISTRATION, read_json
from ..scoring.predictor import Predictor
from .bodies import Record
from .feed import Feed, feed
from .requests import Policy, Requests

REGISTRY = "models:/"
TOLERANCE = 1e-4  # of a score that the file names; of numbers, relative to the largest of them
PATIENCE = 20  # seconds for each answer of an MLflow server


class ModelContent(NamedTuple):
    """The bytes of a model, what their SHA-256 should be, and what its registration says: number,
    when it was `registered`, and when the table it learned from was `changed` last (ISO 8601).
    """

    content: bytes
    sha256: str
    version: int | None = None
    registered: str | None = None
    changed: str | None = None

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Take the bytes of a model that was made here just now."""
        return cls(content, hashlib.sha256(content).hexdigest())


class Model:
    """A model in service: reads requests, and answers them."""

    def __init__(self, uri: str, source: ModelContent, policy: Policy, most: int) -> None:
        """Try a model. Raises UserError if its content is not what was registered, or answers
        otherwise than when it was packaged.
        """
        self.uri, self.version = uri, source.version
        self.registered, self.changed = source.registered, source.changed
        self.sha256 = hashlib.sha256(source.content).hexdigest()
        if self.sha256 != source.sha256:
            raise UserError(
                f"{uri} is not the model that was registered: its SHA-256 is {self.sha256[:12]}, "
                f"not {source.sha256[:12]}. Get it again, or register it."
            )
        self._predictor = Predictor(source.content)
        self.meta: dict[str, Any] = {**self._predictor.meta}
        if not (self.meta.get("cases") and self.meta.get("bins")):
            raise UserError(f"{uri} was packaged by an older version: run 'uv run dvc repro'.")
        self.name = self.sha256[:12] if self.version is None else str(self.version)
        self.keys = [column["name"] for column in self.meta["columns"] if column["key"]]
        inputs = [c for c in self.meta["columns"] if c["used"] and (not c["key"] or "input" in c)]
        self.reads = [column["name"] for column in inputs]
        self.requests = Requests(self.meta, policy, most)
        self._try()

    @classmethod
    def load(cls, uri: str, sha256: str, policy: Policy, most: int) -> Self:
        """Load from a file, or from `models:/NAME@ALIAS` or `models:/NAME/VERSION` in the registry.

        `sha256` is what a file's should be ("": that of reports/registration.json). Raises
        UserError if there is no such model, or it is not to be trusted.
        """
        in_registry = uri.startswith(REGISTRY)
        source = fetch_from_registry(uri) if in_registry else read_from_file(uri, sha256)
        return cls(uri, source, policy, most)

    def feed(self, records: list[Record]) -> Feed:
        """Make what the model reads of records, which are as `Requests` reads them."""
        return feed(records, self.meta["inputs"])

    def scores(self, values: Feed) -> Any:
        """Score a feed; see Predictor.run."""
        return self._predictor.run(values)

    def answers(self, values: Feed) -> list[dict[str, Any]]:
        """Give prediction, score and decision for each record; see Predictor.answers."""
        answers = self._predictor.answers(self.scores(values))
        columns = [column.tolist() for column in answers.values()]
        return [dict(zip(answers, row, strict=True)) for row in zip(*columns, strict=True)]

    def _try(self) -> None:
        """Answer the cases in the file, one by one and all at once; this warms it up, too."""
        cases = self.meta["cases"]
        bodies = [json.dumps(case["record"]).encode() for case in cases]
        records = [record for body in bodies for record in self.requests.read(body).records]
        expected = np.array([case["score"] for case in cases], dtype=float)
        one_by_one = np.concatenate([self.scores(self.feed([record])) for record in records])
        for scores in (self.scores(self.feed(records)), one_by_one):
            scale = max(1.0, float(np.abs(expected).max()))
            if not np.allclose(scores, expected, rtol=0, atol=TOLERANCE * scale):
                raise UserError(
                    f"{self.uri} answers differently than when it was packaged: install the "
                    "versions of uv.lock (numpy, onnxruntime), or package it again."
                )


def read_from_file(path: str, sha256: str) -> ModelContent:
    """Read a file. Raises UserError if it is not there, or nobody said what its checksum is."""
    if not Path(path).is_file():
        raise UserError(f"{path} is not there: make it with 'uv run dvc repro'.")
    registration = read_json(REGISTRATION) if REGISTRATION.exists() else {}
    registration = registration if sha256 in ("", registration.get("sha256")) else {}
    if not sha256:
        if Path(path) != MODEL or not registration:
            raise UserError(f"{path} is in no registration: say in MODEL_SHA256 what it should be.")
        if not registration["champion"]:
            raise UserError(
                f"version {registration['version']} is not the champion, as reports/index.html "
                "says: fix what blocks it, or serve the champion of the registry: "
                "MODEL_URI=models:/NAME@champion."
            )
    facts = (registration.get(name) for name in ("version", "registered", "data_changed"))
    return ModelContent(Path(path).read_bytes(), sha256 or registration["sha256"], *facts)


def fetch_from_registry(uri: str) -> ModelContent:
    """Fetch a version of the registry at MLFLOW_TRACKING_URI, or of the project's own file."""
    server = os.environ.get("MLFLOW_TRACKING_URI", "")
    if server.startswith("http"):
        return fetch_from_server(server.rstrip("/"), uri)
    from ..registry.registry import fetch_version  # noqa: PLC0415  (an image of the service has no MLflow)

    number, tags, path = fetch_version(uri)
    return make_registered_content(path.read_bytes(), number, tags)


def fetch_from_server(server: str, uri: str) -> ModelContent:
    """Fetch a version by MLflow's REST interface: an image of the service has no MLflow.

    Raises UserError if the server does not hand it out.
    """
    name, at, alias = uri.removeprefix(REGISTRY).partition("@")
    api = f"{server}/api/2.0"
    if at:
        query = f"registered-models/alias?{urlencode({'name': name, 'alias': alias})}"
    else:
        name, _, version = name.partition("/")
        query = f"model-versions/get?{urlencode({'name': name, 'version': version})}"
    version_info = json.loads(_fetch(f"{api}/mlflow/{query}", uri))["model_version"]
    tags = {tag["key"]: tag["value"] for tag in version_info.get("tags", ())}
    if "sha256" not in tags:
        raise UserError(f"{uri} was not registered by this project: it has no checksum.")
    run = json.loads(_fetch(f"{api}/mlflow/runs/get?run_id={quote(version_info['run_id'])}", uri))
    place = run["run"]["info"]["artifact_uri"]
    if not place.startswith("mlflow-artifacts:/"):
        raise UserError(
            f"{uri} lies in {place.partition(':')[0]}: start the MLflow server with "
            "--serve-artifacts, so that it hands models out."
        )
    path = quote(place.removeprefix("mlflow-artifacts:").strip("/"))
    content = _fetch(f"{api}/mlflow-artifacts/artifacts/{path}/model.onnx", uri)
    return make_registered_content(content, int(version_info["version"]), tags)


def make_registered_content(content: bytes, number: int, tags: dict[str, str]) -> ModelContent:
    """Make the content of a version, by what the registry's tags say of it."""
    changed = json.loads(tags.get("lineage", "{}")).get("data_changed")
    return ModelContent(content, tags["sha256"], number, tags.get("registered"), changed)


def _fetch(address: str, uri: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310  (http)
            content: bytes = answer.read()
            return content
    except HTTPError as error:
        raise UserError(f"MLflow has no {uri} (it says {error.code}): check the name.") from error
    except (URLError, TimeoutError) as error:
        raise UserError(
            f"MLflow does not answer ({error}): check MLFLOW_TRACKING_URI, and that it runs."
        ) from error
