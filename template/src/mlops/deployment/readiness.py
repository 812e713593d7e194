"""Is a service fit to answer? It gives the model's known answers, and as fast as was promised."""

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..core.errors import UserError
from ..core.formatting import number
from ..core.paths import MODEL
from ..core.problem import Objectives, Problem
from ..gates.yaml_location import Entry
from ..monitoring.retrain import Counts, complaint
from ..scoring.predictor import Predictor
from ..serving.models import TOLERANCE
from . import probe
from .probe import Answer, ProbeReport

PLACE = "http://127.0.0.1:8000"  # of the service in its container
TIMES = 200  # requests that tell how long an answer takes


class Runner(Protocol):
    """Runs a command in the container of a release, and returns what it prints."""

    def __call__(self, *words: str, stdin: bytes = b"") -> bytes: ...


def check_service(url: str, key: str = "") -> list[str]:
    """Check a service from outside, by the model of this project; `key` is its API key.

    Returns lines to print. Raises UserError, in one sentence, if it is not fit.
    """
    if not url.startswith(("http://", "https://")):
        raise UserError(f"'{url}' is not the address of a service: write http://HOST:PORT.")
    content = read_model()
    report = probe.probe_service(url.rstrip("/"), list_known_records(content), TIMES, key)
    remedy = "deploy this project's, or check out what is deployed there"
    return judge_probe(url, report, content, remedy)


def check_release(name: str, run: Runner, times: int = TIMES) -> list[str]:
    """Check a release in its container, by the model in it; its speed by as many requests.

    Returns lines to print. Raises UserError, in one sentence, if it is not fit.
    """
    content = run("cat", MODEL.as_posix())
    report = probe_inside(run, list_known_records(content), times)
    remedy = "take MODEL_URI out of its settings: an image has its own"
    return judge_probe(name, report, content, remedy)


def read_model_version(run: Runner) -> str:
    """Ask a release for the version of its model; "unknown" if it does not say."""
    status, content = probe_inside(run, [], 0)["info"]
    return str(content["model_version"]) if status == 200 else "unknown"


def is_ready(run: Runner) -> bool:
    """Ask a release whether it may be sent requests by now."""
    return probe_inside(run, [], 0)["readyz"][0] == 200


def probe_inside(run: Runner, records: list[Any], times: int) -> ProbeReport:
    """Probe a service from within its own container; see probe.py."""
    request = json.dumps({"url": PLACE, "records": records, "times": times})
    source = Path(probe.__file__).read_text(encoding="utf-8")
    report: ProbeReport = json.loads(run("python", "-c", source, stdin=request.encode()))
    return report


def read_model() -> bytes:
    """Read this project's packaged model. Raises UserError if there is none."""
    if not MODEL.exists():
        raise UserError(f"{MODEL} is not there yet: make it with 'uv run dvc repro'.")
    return MODEL.read_bytes()


def list_known_records(model: bytes) -> list[Any]:
    """List the records of a packaged model whose answers are known."""
    return [case["record"] for case in Predictor(model).meta["cases"]]


def judge_probe(name: str, report: ProbeReport, model: bytes, remedy: str) -> list[str]:
    """Judge what a service answered by the packaged model it should have; returns lines to print.

    `remedy` says what to do where another model answers. Raises UserError if it is not fit.
    """
    for path, (status, content) in (("readyz", report["readyz"]), ("info", report["info"])):
        if status != 200:
            reason = content if status < 1 else status
            raise UserError(f"{name} is not ready: /{path} says {reason}.")
    info, expected = report["info"][1], hashlib.sha256(model).hexdigest()
    if info.get("sha256") != expected:
        theirs = f"version {info.get('model_version')} ({str(info.get('sha256'))[:12]})"
        raise UserError(f"{name} answers with {theirs}, not {expected[:12]}: {remedy}.")
    check_known_answers(name, report["answers"], Predictor(model))
    cases = len(report["answers"])
    line = f"it answers with version {info['model_version']}, its {cases} known cases as it should"
    if not report["seconds"]:
        return [line]
    slowest = check_objectives(name, report["seconds"], Problem.read().objectives)
    return [line, f"99 of 100 requests took at most {number(slowest)} ms"]


def check_known_answers(name: str, answers: list[Answer], model: Predictor) -> None:
    """Raise UserError unless the answers are those that the model was packaged with."""
    cases = model.meta["cases"]
    scores = np.array([case["score"] for case in cases])
    expected = [score.item() for score in model.answers(scores)["score"]]
    tolerance = TOLERANCE * max(1.0, float(np.abs(scores).max()))
    for case, score, (status, content) in zip(cases, expected, answers, strict=True):
        answer = content.get("score") if status == 200 else f"{status} ({content})"
        if status != 200 or abs(answer - score) > tolerance:
            record = json.dumps(case["record"])
            raise UserError(f"{name} says {answer} where its model says {score}, of {record}.")


def check_objectives(name: str, seconds: list[float | None], objectives: Objectives) -> float:
    """Return how many milliseconds 99 of 100 requests took at most; None is one that failed.

    Raises UserError if the objectives of problem.yaml are broken.
    """
    milliseconds = [1000 * each for each in seconds if each is not None]
    failed = len(seconds) - len(milliseconds)
    slow = sum(each > objectives.latency_ms for each in milliseconds)
    if reason := complaint(Counts(len(seconds), failed, slow), objectives):
        raise UserError(explain_broken_objective(name, reason))
    return float(np.quantile(milliseconds, 0.99))


def explain_broken_objective(name: str, reason: str) -> str:
    """Put the place in problem.yaml before what retrain.complaint says of an objective."""
    objective = "availability" if "failed" in reason else "latency_ms"
    return f"{Entry('problem.yaml', f'objectives.{objective}')}: {name}: {reason}"
