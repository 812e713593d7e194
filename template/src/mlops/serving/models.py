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
from ..core.paths import MODEL, REPORTS, read_json
from ..scoring.predictor import Predictor
from .feed import Feed, feed
from .requests import Policy, Record, Requests

REGISTRATION = REPORTS / "registration.json"
REGISTRY = "models:/"
TOLERANCE = 1e-4  # of a score that the file names; of numbers, relative to the largest of them
PATIENCE = 20  # seconds for each answer of an MLflow server


class Found(NamedTuple):
    """The content of a model, what its checksum should be, and what its registration says: number,
    when it was `registered`, and when the table it learned from was `changed` last (ISO 8601).
    """

    content: bytes
    sha256: str
    version: int | None = None
    registered: str | None = None
    changed: str | None = None

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Of a model that was made here just now."""
        return cls(content, hashlib.sha256(content).hexdigest())


class Model:
    """A model in service: reads requests, and answers them."""

    def __init__(self, uri: str, found: Found, policy: Policy, most: int) -> None:
        """Raises UserError if the content is not what was registered, or answers otherwise."""
        self.uri, self.version = uri, found.version
        self.registered, self.changed = found.registered, found.changed
        self.sha256 = hashlib.sha256(found.content).hexdigest()
        if self.sha256 != found.sha256:
            raise UserError(
                f"{uri} is not the model that was registered: its SHA-256 is {self.sha256[:12]}, "
                f"not {found.sha256[:12]}. Get it again, or register it."
            )
        self._predictor = Predictor(found.content)
        self.meta = self._predictor.meta
        if not (self.meta.get("cases") and self.meta.get("bins")):
            raise UserError(f"{uri} was packaged by an older version: run 'uv run dvc repro'.")
        self.name = self.sha256[:12] if self.version is None else str(self.version)
        self.keys = [column["name"] for column in self.meta["columns"] if column["key"]]
        self.reads = [c["name"] for c in self.meta["columns"] if c["used"] and not c["key"]]
        self.requests = Requests(self.meta, policy, most)
        self._try()

    @classmethod
    def load(cls, uri: str, sha256: str, policy: Policy, most: int) -> Self:
        """From a file, or `models:/NAME@ALIAS` or `models:/NAME/VERSION` in the registry.

        `sha256` is what a file's should be ("": that of reports/registration.json). Raises
        UserError if there is no such model, or it is not to be trusted.
        """
        found = from_registry(uri) if uri.startswith(REGISTRY) else from_file(uri, sha256)
        return cls(uri, found, policy, most)

    def feed(self, records: list[Record]) -> Feed:
        """What the model reads of records, which are as `Requests` reads them."""
        return feed(records, self.meta["inputs"])

    def scores(self, values: Feed) -> Any:
        """See Predictor.run."""
        return self._predictor.run(values)

    def answers(self, values: Feed) -> list[dict[str, Any]]:
        """Prediction, score and decision for each record; see Predictor.answers."""
        found = self._predictor.answers(self.scores(values))
        columns = [values.tolist() for values in found.values()]
        return [dict(zip(found, each, strict=True)) for each in zip(*columns, strict=True)]

    def _try(self) -> None:
        """Answer the cases in the file, one by one and all at once; this warms it up, too."""
        cases = self.meta["cases"]
        bodies = [json.dumps(case["record"]).encode() for case in cases]
        records = [record for body in bodies for record in self.requests.read(body).records]
        wanted = np.array([case["score"] for case in cases], dtype=float)
        one_by_one = np.concatenate([self.scores(self.feed([record])) for record in records])
        for got in (self.scores(self.feed(records)), one_by_one):
            scale = max(1.0, float(np.abs(wanted).max()))
            if not np.allclose(got, wanted, rtol=0, atol=TOLERANCE * scale):
                raise UserError(
                    f"{self.uri} answers differently than when it was packaged: install the "
                    "versions of uv.lock (numpy, onnxruntime), or package it again."
                )


def from_file(path: str, sha256: str) -> Found:
    """Raises UserError if it is not there, or nobody said what its checksum should be."""
    if not Path(path).is_file():
        raise UserError(f"{path} is not there: make it with 'uv run dvc repro'.")
    known = read_json(REGISTRATION) if REGISTRATION.exists() else {}
    known = known if sha256 in ("", known.get("sha256")) else {}
    if not sha256:
        if Path(path) != MODEL or not known:
            raise UserError(f"{path} is in no registration: say in MODEL_SHA256 what it should be.")
        if not known["champion"]:
            raise UserError(
                f"version {known['version']} is not the champion, as reports/index.html says: "
                "fix what blocks it, or serve the champion of the registry: "
                "MODEL_URI=models:/NAME@champion."
            )
    told = (known.get(name) for name in ("version", "registered", "data_changed"))
    return Found(Path(path).read_bytes(), sha256 or known["sha256"], *told)


def from_registry(uri: str) -> Found:
    """A version of the registry at MLFLOW_TRACKING_URI, or in the project's own file."""
    server = os.environ.get("MLFLOW_TRACKING_URI", "")
    if server.startswith("http"):
        return from_server(server.rstrip("/"), uri)
    from ..registry.registry import named  # noqa: PLC0415  (an image of the service has no MLflow)

    number, tags, path = named(uri)
    return registered(path.read_bytes(), number, tags)


def from_server(server: str, uri: str) -> Found:
    """By MLflow's REST interface: an image of the service has no MLflow."""
    name, at, alias = uri.removeprefix(REGISTRY).partition("@")
    api = f"{server}/api/2.0"
    if at:
        asked = f"registered-models/alias?{urlencode({'name': name, 'alias': alias})}"
    else:
        name, _, version = name.partition("/")
        asked = f"model-versions/get?{urlencode({'name': name, 'version': version})}"
    told = json.loads(_fetched(f"{api}/mlflow/{asked}", uri))["model_version"]
    tags = {tag["key"]: tag["value"] for tag in told.get("tags", ())}
    if "sha256" not in tags:
        raise UserError(f"{uri} was not registered by this project: it has no checksum.")
    run = json.loads(_fetched(f"{api}/mlflow/runs/get?run_id={quote(told['run_id'])}", uri))
    place = run["run"]["info"]["artifact_uri"]
    if not place.startswith("mlflow-artifacts:/"):
        raise UserError(
            f"{uri} lies in {place.partition(':')[0]}: start the MLflow server with "
            "--serve-artifacts, so that it hands models out."
        )
    path = quote(place.removeprefix("mlflow-artifacts:").strip("/"))
    content = _fetched(f"{api}/mlflow-artifacts/artifacts/{path}/model.onnx", uri)
    return registered(content, int(told["version"]), tags)


def registered(content: bytes, number: int, tags: dict[str, str]) -> Found:
    """By what the registry's tags say of a version."""
    changed = json.loads(tags.get("lineage", "{}")).get("data_changed")
    return Found(content, tags["sha256"], number, tags.get("registered"), changed)


def _fetched(address: str, uri: str) -> bytes:
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
