"""Is a service fit to answer? It gives the model's known answers, and as fast as was promised."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import UserError
from ..core.formatting import number
from ..core.paths import MODEL
from ..core.settings import Objectives, Problem
from ..gates.yaml_location import Entry
from ..monitoring.service_counts import Counts, find_complaint
from ..scoring.predictor import Predictor
from ..serving.models import TOLERANCE
from . import probe

PLACE = "http://127.0.0.1:8000"  # of the service in its container
TIMES = 200  # requests that tell how long an answer takes
Inside = Callable[..., bytes]
"""Runs a command in the container of a release, with `stdin`, and returns what it prints."""


def check(url: str) -> list[str]:
    """A service from outside, by the model of this project; what was seen, a line each.

    Raises UserError, in one sentence, if it is not fit.
    """
    if not url.startswith(("http://", "https://")):
        raise UserError(f"'{url}' is not the address of a service: write http://HOST:PORT.")
    content = model_here()
    found = probe.probed(url.rstrip("/"), records(content), TIMES)
    return judged(url, found, content, "deploy this project's, or check out what is deployed there")


def check_release(name: str, inside: Inside, times: int = TIMES) -> list[str]:
    """A release in its container, by the model in it; without `times`, however long it takes.

    See `check`.
    """
    content = inside("cat", MODEL.as_posix())
    found = probed_inside(inside, records(content), times)
    return judged(name, found, content, "take MODEL_URI out of its settings: an image has its own")


def version(inside: Inside) -> str:
    """Of the model that a release answers with."""
    status, said = probed_inside(inside, [], 0)["info"]
    return str(said["model_version"]) if status == 200 else "unknown"


def is_ready(inside: Inside) -> bool:
    """Whether a release may be sent requests by now."""
    return bool(probed_inside(inside, [], 0)["readyz"][0] == 200)


def probed_inside(inside: Inside, records: list[Any], times: int) -> dict[str, Any]:
    """See probe.py."""
    asked = json.dumps({"url": PLACE, "records": records, "times": times})
    source = Path(probe.__file__).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(inside("python", "-c", source, stdin=asked.encode()))
    return found


def model_here() -> bytes:
    if not MODEL.exists():
        raise UserError(f"{MODEL} is not there yet: make it with 'uv run dvc repro'.")
    return MODEL.read_bytes()


def records(content: bytes) -> list[Any]:
    """Of a packaged model, the records whose answers are known."""
    return [case["record"] for case in Predictor(content).meta["cases"]]


def judged(name: str, found: dict[str, Any], content: bytes, otherwise: str) -> list[str]:
    """What a probe found, a line each. Raises UserError if it is not as it has to be; `otherwise`
    says what to do where another model answers.
    """
    for path in ("readyz", "info"):
        status, said = found[path]
        if status != 200:
            raise UserError(f"{name} is not ready: /{path} says {said if status < 1 else status}.")
    info, wanted = found["info"][1], hashlib.sha256(content).hexdigest()
    if info.get("sha256") != wanted:
        theirs = f"version {info.get('model_version')} ({str(info.get('sha256'))[:12]})"
        raise UserError(f"{name} answers with {theirs}, not {wanted[:12]}: {otherwise}.")
    known_answers(name, found["answers"], Predictor(content))
    cases = len(found["answers"])
    told = f"it answers with version {info['model_version']}, its {cases} known cases as it should"
    if not found["seconds"]:
        return [told]
    slowest = promised(name, found["seconds"], Problem.read().objectives)
    return [told, f"99 of 100 requests took at most {number(slowest)} ms"]


def known_answers(name: str, answers: list[tuple[int, Any]], model: Predictor) -> None:
    """Raises UserError unless they are those that the model was packaged with."""
    cases = model.meta["cases"]
    scores = np.array([case["score"] for case in cases])
    wanted = [score.item() for score in model.answers(scores)["score"]]
    tolerance = TOLERANCE * max(1.0, float(np.abs(scores).max()))
    for case, score, (status, said) in zip(cases, wanted, answers, strict=True):
        told = said.get("score") if status == 200 else f"{status} ({said})"
        if status != 200 or abs(told - score) > tolerance:
            raise UserError(
                f"{name} says {told} where its model says {score}, of {json.dumps(case['record'])}."
            )


def promised(name: str, seconds: list[float | None], objectives: Objectives) -> float:
    """How many milliseconds the slowest of a hundred requests took.

    Raises UserError if the objectives of problem.yaml are broken.
    """
    took = [1000 * each for each in seconds if each is not None]
    failed = len(seconds) - len(took)
    slow = sum(each > objectives.latency_ms for each in took)
    if said := find_complaint(Counts(len(seconds), failed, slow), objectives):
        raise UserError(broken(name, said))
    return float(np.quantile(took, 0.99))


def broken(name: str, said: str) -> str:
    """The sentence about an objective that is, by what service_counts said of it."""
    objective = "availability" if "failed" in said else "latency_ms"
    return f"{Entry('problem.yaml', f'objectives.{objective}')}: {name}: {said}"
