"""Stage register, and the registry behind small functions.

The alias `challenger` is the newest version, `champion` the one in use. A version becomes champion
only if all its gates passed; a tag remembers which champion it follows, for `rollback`.

The same model, judged again with the same gates failing, stays the same version: whoever uses or
rolls back to it knows it by its number, and a new one for each change of a metric or of a limit
would hide which versions are other models. What the registry tells of it is the latest evaluation:
its metrics, its gates and its reports are brought up to date. Its lineage stays that of the run
that first made it.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import UserError
from ..core.formatting import score
from ..core.paths import (
    CHOICE,
    GATE_REPORT,
    METRICS,
    MODEL,
    REGISTRATION,
    read_json,
    replacing,
    sha256,
    write_json,
)
from ..core.strict_model import read_yaml
from ..core.team import read_package_name
from ..data.contract import CONTRACT
from .tracking import Lineage, connect, is_new, record_training, trace_lineage, update_run
from .versions import CHAMPION, Version, find_champion, find_version, list_versions

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION_FILE = Path("models/champion.onnx")
CHALLENGER = "challenger"
FOLLOWS, NONE, ROLLED_BACK = "follows", "none", "rolled back"


class ModelFile(NamedTuple):
    """A version of the registry, by its `number` and `tags`, and the file that holds its model."""

    number: int
    tags: dict[str, str]
    path: Path


class Registration(Lineage):
    """What reports/registration.json holds: the version of the pipeline's model, its MLflow `run`,
    whether it is the `champion`, and when it was `registered`, in UTC (ISO 8601).
    """

    version: int
    run: str
    champion: bool
    sha256: str
    registered: str | None


def run() -> None:
    """Register models/model.onnx, or bring up to date what is written of its version."""
    gates, model = read_json(GATE_REPORT)["gates"], sha256(MODEL)
    failed = {gate["name"]: gate["meaning"] for gate in gates if not gate["passed"]}
    with connect() as client:
        for version in list_versions(client):
            if version.tags.get("sha256") == model and version.failed.keys() == failed.keys():
                ours = update_version(client, version, failed)
                break
        else:
            ours = register_version(client, model, failed)
        client.set_registered_model_alias(read_package_name(), CHALLENGER, str(ours.number))
        if not failed and ours.tags.get(FOLLOWS) != ROLLED_BACK:
            make_champion(client, ours)
        crowned = CHAMPION in find_version(client, ours.number).aliases
    lineage: Lineage = json.loads(ours.tags["lineage"])
    registration: Registration = {
        "version": ours.number,
        "run": ours.run,
        "champion": crowned,
        "sha256": model,
        "registered": ours.tags.get("registered"),
        **lineage,
    }
    write_json(REGISTRATION, registration)
    print(f"register: version {ours.number}, {'' if crowned else 'candidate, not '}champion")


def register_version(client: "MlflowClient", model: str, failed: dict[str, str]) -> Version:
    """Write the training down and make a version of its model."""
    choice, metrics, sources = (
        read_json(CHOICE),
        read_json(METRICS),
        trace_lineage(),
    )
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


def promote(number: int | None = None) -> list[str]:
    """Make a version (without a number: the challenger) the champion; returns lines to print.

    Raises UserError if it does not exist or one of its gates failed.
    """
    with connect() as client:
        version = find_version(client, number or CHALLENGER)
        if version.failed:
            why = "; ".join(f"{gate}: {meaning}" for gate, meaning in version.failed.items())
            raise UserError(
                f"Version {version.number} cannot be promoted, its gates failed: {why}. "
                "Fix what they name and run 'uv run dvc repro' for a new version."
            )
        refuse_another_table(version)
        make_champion(client, version)
    return [f"version {version.number} is the champion"]


def refuse_another_table(version: Version) -> None:
    """Raise UserError if the version was trained for another table than the project's."""
    theirs, ours = version.tags.get("contract", ""), read_contract_id()
    if theirs != ours:
        raise UserError(
            f"Version {version.number} was trained for the table '{theirs}', and contract.yaml is "
            f"that of '{ours}': run 'uv run dvc repro' for a model of this table."
        )


def read_contract_id() -> str:
    """Read the id of the present table in contract.yaml; "" before there is one."""
    return str(read_yaml(str(CONTRACT))["id"]) if CONTRACT.exists() else ""


def make_champion(client: "MlflowClient", version: Version) -> None:
    """Make a version the champion. The alias comes last: a kill before it has changed nothing."""
    before = find_champion(client)
    if before is None or before.number != version.number:
        follows = str(before.number) if before else NONE
        client.set_model_version_tag(read_package_name(), str(version.number), FOLLOWS, follows)
        client.set_registered_model_alias(read_package_name(), CHAMPION, str(version.number))


def rollback() -> list[str]:
    """Make the champion before this one the champion again; the one given up keeps its version,
    and comes back only by `promote`. Raises UserError if there is no champion before.
    """
    with connect() as client:
        current = find_champion(client)
        before = current.tags.get(FOLLOWS, NONE) if current else NONE
        if current is None or not before.isdecimal():
            raise UserError(
                "There is no champion to go back to: 'model list' shows the versions, and "
                "'model promote VERSION' makes one the champion."
            )
        refuse_another_table(find_version(client, int(before)))
        client.set_registered_model_alias(read_package_name(), CHAMPION, before)
        client.set_model_version_tag(read_package_name(), str(current.number), FOLLOWS, ROLLED_BACK)
    return [f"version {before} is the champion again, in the place of version {current.number}"]


def fetch_champion() -> tuple[int, Path] | None:
    """Return version and model file of the champion, which is fetched if it is not here yet; None
    if there is no champion.
    """
    if is_new():
        return None
    with connect() as client:
        version = find_champion(client)
        if version is None:
            return None
        return version.number, fetch_model(client, version, CHAMPION_FILE)


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
    """Download a version's model into the file, unless it is there already; returns the file."""
    if not file.exists() or sha256(file) != version.tags.get("sha256"):
        with replacing(file) as new:
            client.download_artifacts(version.run, MODEL.name, str(new.parent))
            new.with_name(MODEL.name).rename(new)
    return file
