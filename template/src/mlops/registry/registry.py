"""Stage register, and the registry behind small functions.

The alias `challenger` is the newest version, `champion` the one in use and `best` the best so far
(succession.py); a tag remembers which champion a version follows, for `rollback`.

The same model, judged again with the same gates failing (`champion` aside), stays the same version:
whoever uses or rolls back to it knows it by its number, and a new one for each change of a metric
or of a limit would hide which versions are other models. What the registry tells of it is the
latest evaluation: its metrics, its gates and its reports are brought up to date. Its lineage stays
that of the run that first made it.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import UserError
from ..core.experiment import find_experiment
from ..core.formatting import score
from ..core.paths import (
    CHOICE,
    EVALUATION,
    GATE_REPORT,
    METRICS,
    MODEL,
    REGISTRATION,
    read_json,
    replacing,
    sha256,
    write_json,
)
from ..core.team import read_package_name
from .promotion import (
    CHALLENGER,
    FOLLOWS,
    ROLLED_BACK,
    find_rivals,
    make_champion,
    read_contract_id,
)
from .succession import BESIDE, LEADS, UNKNOWN, VERDICT, WHY, decide_succession, is_newer
from .tracking import Lineage, connect, is_new, record_training, trace_lineage, update_run
from .versions import CHAMPION, Version, find_best, find_champion, find_version, list_versions

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION_FILE, BEST_FILE = Path("models/champion.onnx"), Path("models/best.onnx")


class ModelGoneError(UserError):
    """The registry no longer has the file of a version."""


class ModelFile(NamedTuple):
    """A version of the registry, by its `number` and `tags`, and the file that holds its model."""

    number: int
    tags: dict[str, str]
    path: Path


class Registration(Lineage):
    """What reports/registration.json holds: the version of the pipeline's model, its MLflow `run`,
    whether it is the `champion` and `why`, and when it was `registered`, in UTC (ISO 8601).
    """

    version: int
    run: str
    champion: bool
    why: str
    sha256: str
    registered: str | None


def run() -> None:
    """Register models/model.onnx, or bring up to date what is written of its version."""
    gates, model = read_json(GATE_REPORT)["gates"], sha256(MODEL)
    failed = {gate["name"]: gate["meaning"] for gate in gates if not gate["passed"]}
    with connect() as client:
        for version in list_versions(client):
            # How it stands beside the champion changes with the champion, not with the model.
            same = not (version.failed.keys() ^ failed.keys()) - {CHAMPION}
            if same and version.tags.get("sha256") == model:
                ours = update_version(client, version, failed)
                break
        else:
            ours = register_version(client, model, failed)
        if not find_experiment():
            client.set_registered_model_alias(read_package_name(), CHALLENGER, str(ours.number))
        crowned, why = judge_newcomer(client, ours)
    lineage: Lineage = json.loads(ours.tags["lineage"])
    registration: Registration = {
        "version": ours.number,
        "run": ours.run,
        "champion": crowned,
        "why": why,
        "sha256": model,
        "registered": ours.tags.get("registered"),
        **lineage,
    }
    write_json(REGISTRATION, registration)
    print(f"register: version {ours.number}, {'champion' if crowned else 'candidate'}: {why}")


def judge_newcomer(client: "MlflowClient", ours: Version) -> tuple[bool, str]:
    """Make a version the champion if it has a reason to be; return whether it is, and why."""
    champion, best = find_rivals(client)
    if champion and champion.number == ours.number:
        return True, ours.tags.get(WHY, "it is in use")
    if ours.tags.get(FOLLOWS) == ROLLED_BACK:
        return (
            False,
            f"rolled back before; 'uv run mlops model promote {ours.number}' brings it back",
        )
    stands = decide_succession(
        read_json(EVALUATION),
        champion.number if champion else None,
        best.number if best else None,
        blocked=ours.failed,
        is_newer=is_newer(ours, champion),
    )
    why = stands.why
    if stands.verdict == UNKNOWN:
        why += (
            f"; 'uv run mlops model promote {ours.number} --because \"REASON\"' makes it the "
            "champion all the same"
        )
    facts = {
        VERDICT: stands.verdict,
        BESIDE: str(champion.number) if champion else "",
        LEADS: str(stands.leads).lower(),
        WHY: "" if ours.failed else stands.why,  # the gates that block it are a tag of their own
    }
    for name, text in facts.items():
        client.set_model_version_tag(read_package_name(), str(ours.number), name, text)
    if name := find_experiment():
        return False, f"the experiment {name} moves no alias; its model is {stands.why}"
    if stands.crowned:
        make_champion(client, ours, leads=stands.leads)
    return stands.crowned, why


def register_version(client: "MlflowClient", model: str, failed: dict[str, str]) -> Version:
    """Write the training down and make a version of its model."""
    choice, metrics, sources = read_json(CHOICE), read_json(METRICS), trace_lineage()
    facts = make_verdict_tags(failed) | {
        "contract": read_contract_id(),
        "sha256": model,
        "candidate": choice["candidate"],
        "lineage": json.dumps(sources),
        "registered": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    run, logged = record_training(client, choice, metrics, {**facts, **sources})
    version = client.create_model_version(
        read_package_name(), logged.model_uri, run_id=run, tags=facts, model_id=logged.model_id
    )
    return find_version(client, int(version.version))


def update_version(client: "MlflowClient", version: Version, failed: dict[str, str]) -> Version:
    """Bring the tags of a version, and its run, up to the latest evaluation; returns it anew."""
    facts = make_verdict_tags(failed)
    update_run(client, version.run, read_json(METRICS), facts)
    for name, text in facts.items():
        client.set_model_version_tag(read_package_name(), str(version.number), name, text)
    return find_version(client, version.number)


def make_verdict_tags(failed: dict[str, str]) -> dict[str, str]:
    """Make the tags that tell how a model was judged: its score, and the gates that failed."""
    metric, metrics = read_json(CHOICE)["metric"], read_json(METRICS)
    return {
        "passed": str(not failed).lower(),
        "failed": json.dumps(failed),
        "score": f"{metric} {score(metrics[metric])}",
    }


def fetch_champion() -> tuple[int, Path] | None:
    """Return version and model file of the champion, which is fetched if it is not here yet; None
    if there is no champion.
    """
    if is_new():
        return None
    with connect() as client:
        version = find_champion(client)
        return (version.number, fetch_model(client, version, CHAMPION_FILE)) if version else None


def fetch_best() -> tuple[int, Path] | None:
    """Return version and model file of the best so far, like `fetch_champion`."""
    if is_new():
        return None
    with connect() as client:
        version = find_best(client)
        if version is None:
            return None
        is_champion = version == find_champion(client)
        file = CHAMPION_FILE if is_champion else BEST_FILE
        return version.number, fetch_model(client, version, file)


def fetch_version(uri: str) -> ModelFile:
    """Fetch the version that `models:/NAME@ALIAS` or `models:/NAME/VERSION` names.

    Raises UserError if the registry has no such version of this project's model.
    """
    name, at, alias = uri.removeprefix("models:/").partition("@")
    name, _, number = name.partition("/")
    ours = read_package_name()
    if name != ours or not (alias if at else number.isdecimal()):
        raise UserError(
            f"{uri} is not a version: write models:/{ours}@champion or models:/{ours}/3."
        )
    with connect() as client:
        version = find_version(client, alias or int(number))
        file = MODEL.with_name(f"version-{version.number}.onnx")
        return ModelFile(version.number, version.tags, fetch_model(client, version, file))


def find_model_file(number: int | None = None) -> tuple[int | None, Path]:
    """Find number and model file of a version; without a number those of the pipeline's model, of
    which the number is None if it is not registered. Raises UserError if there is no such version.
    """
    if number is None:
        registration = read_json(REGISTRATION) if REGISTRATION.exists() else {}
        is_this = MODEL.exists() and sha256(MODEL) == registration.get("sha256")
        return registration["version"] if is_this else None, MODEL
    with connect() as client:
        version = find_version(client, number)
        return number, fetch_model(client, version, MODEL.with_name(f"version-{number}.onnx"))


def fetch_model(client: "MlflowClient", version: Version, file: Path) -> Path:
    """Download a version's model into the file, unless it is there already; returns the file.

    Raises ModelGoneError if the registry does not have it any more.
    """
    if not file.exists() or sha256(file) != version.tags.get("sha256"):
        if MODEL.name not in {each.path for each in client.list_artifacts(version.run)}:
            raise ModelGoneError(
                f"the registry does not have the model file of version {version.number} any more"
            )
        with replacing(file) as new:
            client.download_artifacts(version.run, MODEL.name, str(new.parent))
            new.with_name(MODEL.name).rename(new)
    return file
