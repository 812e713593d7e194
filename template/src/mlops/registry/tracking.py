"""The way to MLflow, and what is written there of a training. Light until it is connected."""

import logging
import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import polars as pl

from ..core.errors import UserError
from ..core.git_command import git
from ..core.libraries import read_versions
from ..core.params import Params
from ..core.paths import CHOICE, MODEL, PROFILE_PAGE, RAW, REPORTS, TRIALS
from ..core.strict_model import read_yaml
from ..core.team import read_package_name
from ..data import change_log
from ..data.contract import CONTRACT
from .relocation import follow_project

if TYPE_CHECKING:
    from mlflow import MlflowClient

SQLITE = "sqlite:///"
SETTINGS = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Say within a minute that a server is out of reach.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
FILES = (CONTRACT, Path("problem.yaml"), Path("params.yaml"), Path("uv.lock"), CHOICE, MODEL)
PACKAGES = ("lightgbm", "mlflow", "numpy", "onnxruntime", "polars", "scikit-learn", "skl2onnx")
# A run changes these itself: they do not make its sources uncommitted.
MADE_BY_THE_RUN = (":!dvc.lock", ":!reports", ":!docs/*-card.md")


class Lineage(TypedDict):
    """Where a model comes from; None is what is not known.

    `dirty`: files differ from the commit. `data_version`: DVC's hash of data/raw, by which the
    data can be fetched again. `data_changed`: when a record was last added, changed or deleted, in
    UTC (ISO 8601). `packages`: versions by name.
    """

    git_commit: str | None
    dirty: bool | None
    data_version: str | None
    data_changed: str | None
    python: str
    packages: dict[str, str]


def read_uri() -> str:
    """Read the environment's MLFLOW_TRACKING_URI, else params.yaml's tracking.uri."""
    return os.environ.get("MLFLOW_TRACKING_URI") or Params.read().tracking.uri


def is_new() -> bool:
    """Tell whether the registry is a file that nothing was ever written to."""
    uri = read_uri()
    return uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).exists()


@contextmanager
def connect() -> Iterator["MlflowClient"]:
    """Yield a client of MLflow at `read_uri()`. Raises UserError with what it cannot do."""
    for name, text in SETTINGS.items():
        os.environ.setdefault(name, text)
    import mlflow  # noqa: PLC0415
    import sqlalchemy  # noqa: PLC0415

    if read_uri().startswith(SQLITE):
        follow_project(Path(read_uri().removeprefix(SQLITE)))
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if is_new():  # nothing to lose yet: its many tables need not wait for the disk one by one
        sqlalchemy.event.listen(
            sqlalchemy.Engine, "connect", lambda new, _: new.execute("PRAGMA synchronous = OFF")
        )
    try:
        mlflow.set_tracking_uri(read_uri())
        yield mlflow.MlflowClient()
    except (mlflow.MlflowException, sqlalchemy.exc.SQLAlchemyError) as error:
        message = (
            f"MLflow at {read_uri()} cannot be used: check tracking.uri in params.yaml or "
            f"MLFLOW_TRACKING_URI, and that the server runs. MLflow says: {error}"
        )
        without_password = re.sub(r"//[^@/\s]+@", "//***@", " ".join(message.split()))
        raise UserError(without_password[:500]) from error


def record_training(
    client: "MlflowClient", choice: dict[str, Any], metrics: dict[str, Any], tags: dict[str, Any]
) -> tuple[str, Any]:
    """Write a training down: a run, a nested run for each trial, and the model.

    Returns the run's id and what MLflow says of the model (mlflow.models.model.ModelInfo).
    """
    import mlflow  # noqa: PLC0415
    import onnx  # noqa: PLC0415

    now = int(time.time() * 1000)
    mlflow.set_experiment(read_package_name())
    with mlflow.start_run(run_name=choice["candidate"]) as run:
        mlflow.log_params({"candidate": choice["candidate"], **choice["parameters"]})
        mlflow.log_metrics({name: value for name, value in metrics.items() if value is not None})
        mlflow.set_tags(tags)
        for trial in pl.read_csv(TRIALS, infer_schema_length=None).to_dicts():
            facts = {name: fact for name, fact in trial.items() if fact is not None}
            figures = {name: facts.pop(name) for name in ("score", "seconds") if name in facts}
            nested = client.create_run(
                run.info.experiment_id,
                tags={"mlflow.parentRunId": run.info.run_id},
                run_name=f"trial {facts['trial']}",
            ).info.run_id
            # One request for all figures of a trial: one by one takes 40 times as long.
            client.log_batch(
                nested,
                [mlflow.entities.Metric(name, figure, now, 0) for name, figure in figures.items()],
                [mlflow.entities.Param(name, str(fact)) for name, fact in facts.items()],
            )
            client.set_terminated(nested, "FINISHED" if "score" in figures else "FAILED")
        log_files(client, run.info.run_id)
        model = mlflow.onnx.log_model(
            onnx.load(MODEL),
            name="model",
            pip_requirements=["onnxruntime", "numpy"],  # else MLflow runs the model to find out
            save_as_external_data=False,  # one file, its bytes those of the packaged model
        )
    return run.info.run_id, model


def update_run(
    client: "MlflowClient", run: str, metrics: dict[str, Any], tags: dict[str, str]
) -> None:
    """Bring a run that is written down up to the latest evaluation of its model.

    MLflow deletes no metric: one that is no longer measured becomes NaN.
    """
    import mlflow  # noqa: PLC0415

    now = int(time.time() * 1000)
    measured = {name: figure for name, figure in metrics.items() if figure is not None}
    figures = dict.fromkeys(client.get_run(run).data.metrics, float("nan")) | measured
    client.log_batch(
        run,
        [mlflow.entities.Metric(name, figure, now, 0) for name, figure in figures.items()],
        tags=[mlflow.entities.RunTag(name, text) for name, text in tags.items()],
    )
    log_files(client, run)


def log_files(client: "MlflowClient", run: str) -> None:
    """Keep settings, choice, model and reports with a run, in the place of older ones."""
    for path in filter(Path.exists, (*FILES, PROFILE_PAGE, *sorted(REPORTS.glob("*.json")))):
        client.log_artifact(run, str(path), "reports" if path.parent == REPORTS else None)


def trace_lineage() -> Lineage:
    """Trace where the model comes from, by git, DVC and the log of changes."""
    lineage: Lineage = {
        "git_commit": None,
        "dirty": None,
        "data_version": None,
        "data_changed": next((change.when for change in reversed(change_log.read_log())), None),
        "python": platform.python_version(),
        "packages": read_versions(PACKAGES),
    }
    with suppress(UserError):  # no git repository, or nothing committed yet
        lineage["git_commit"] = git("rev-parse", "HEAD")
        lineage["dirty"] = bool(git("status", "--porcelain", "--", ".", *MADE_BY_THE_RUN))
    with suppress(UserError):  # the stages were run without DVC
        deps = {
            dep["path"]: dep["md5"] for dep in read_yaml("dvc.lock")["stages"]["ingest"]["deps"]
        }
        lineage["data_version"] = deps[RAW.as_posix()]
    return lineage
