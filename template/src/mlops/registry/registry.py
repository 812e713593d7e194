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
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UserError
from ..core.formatting import score
from ..core.paths import (
    CHOICE,
    GATE_REPORT,
    MODEL,
    REPORTS,
    read_json,
    replacing,
    sha256,
    write_json,
)
from ..core.strict_model import read_yaml
from ..core.team import package_name
from ..data.contract import CONTRACT
from .tracking import connected, is_new, lineage, record, update
from .versions import CHAMPION, Version, find, in_use, versions

if TYPE_CHECKING:
    from mlflow import MlflowClient

REGISTRATION = REPORTS / "registration.json"
CHAMPION_FILE = Path("models/champion.onnx")
CHALLENGER = "challenger"
FOLLOWS, NONE, ROLLED_BACK = "follows", "none", "rolled back"
COMPARED = ("passed", "candidate", "sha256", "git_commit", "data_version")


def run() -> None:
    """Register models/model.onnx, or bring up to date what is told of its version."""
    gates, model = read_json(GATE_REPORT)["gates"], sha256(MODEL)
    failed = {gate["name"]: gate["meaning"] for gate in gates if not gate["passed"]}
    with connected() as client:
        for version in versions(client):
            if version.tags.get("sha256") == model and version.failed.keys() == failed.keys():
                ours = update_version(client, version, failed)
                break
        else:
            ours = register(client, model, failed)
        client.set_registered_model_alias(package_name(), CHALLENGER, str(ours.number))
        if not failed and ours.tags.get(FOLLOWS) != ROLLED_BACK:
            crown(client, ours)
        crowned = CHAMPION in find(client, ours.number).aliases
    told = {"version": ours.number, "run": ours.run, "champion": crowned, "sha256": model}
    told["registered"] = ours.tags.get("registered")
    write_json(REGISTRATION, told | json.loads(ours.tags["lineage"]))
    print(f"register: version {ours.number}, {'' if crowned else 'candidate, not '}champion")


def register(client: "MlflowClient", model: str, failed: dict[str, str]) -> Version:
    """Write the training down and make a version of its model."""
    choice, metrics, sources = read_json(CHOICE), read_json(REPORTS / "metrics.json"), lineage()
    facts = verdict(failed) | {
        "contract": contract_id(),
        "sha256": model,
        "candidate": choice["candidate"],
        "lineage": json.dumps(sources),
        "registered": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    run, logged = record(client, choice, metrics, facts | sources)
    made = client.create_model_version(
        package_name(), logged.model_uri, run_id=run, tags=facts, model_id=logged.model_id
    )
    return find(client, int(made.version))


def update_version(client: "MlflowClient", version: Version, failed: dict[str, str]) -> Version:
    """Let a version, and its run, tell of the latest evaluation."""
    facts = verdict(failed)
    update(client, version.run, read_json(REPORTS / "metrics.json"), facts)
    for name, text in facts.items():
        client.set_model_version_tag(package_name(), str(version.number), name, text)
    return find(client, version.number)


def verdict(failed: dict[str, str]) -> dict[str, str]:
    """Tags that tell how a model was judged: by which score, and which gates it did not pass."""
    metric, metrics = read_json(CHOICE)["metric"], read_json(REPORTS / "metrics.json")
    return {
        "passed": str(not failed).lower(),
        "failed": json.dumps(failed),
        "score": f"{metric} {score(metrics[metric])}",
    }


def promote(number: int | None = None) -> list[str]:
    """Make a version (without a number: the challenger) the champion; returns lines to print.

    Raises UserError if it does not exist or one of its gates failed.
    """
    with connected() as client:
        version = find(client, number or CHALLENGER)
        if version.failed:
            why = "; ".join(f"{gate}: {meaning}" for gate, meaning in version.failed.items())
            raise UserError(
                f"Version {version.number} cannot be promoted, its gates failed: {why}. "
                "Fix what they name and run 'uv run dvc repro' for a new version."
            )
        refuse_another_table(version)
        crown(client, version)
    return [f"version {version.number} is the champion"]


def refuse_another_table(version: Version) -> None:
    """Raises UserError if the version was trained for another table than the project's."""
    theirs, ours = version.tags.get("contract", ""), contract_id()
    if theirs != ours:
        raise UserError(
            f"Version {version.number} was trained for the table '{theirs}', and contract.yaml is "
            f"that of '{ours}': run 'uv run dvc repro' for a model of this table."
        )


def contract_id() -> str:
    """What the present table is known as; "" before there is one."""
    return str(read_yaml(str(CONTRACT))["id"]) if CONTRACT.exists() else ""


def crown(client: "MlflowClient", version: Version) -> None:
    """Make it the champion. The alias comes last: a kill before it has changed nothing."""
    before = in_use(client)
    if before is None or before.number != version.number:
        follows = str(before.number) if before else NONE
        client.set_model_version_tag(package_name(), str(version.number), FOLLOWS, follows)
        client.set_registered_model_alias(package_name(), CHAMPION, str(version.number))


def rollback() -> list[str]:
    """Make the champion before this one the champion again; the one given up keeps its version,
    and comes back only by `promote`. Raises UserError if there is no champion before.
    """
    with connected() as client:
        current = in_use(client)
        before = current.tags.get(FOLLOWS, NONE) if current else NONE
        if current is None or not before.isdecimal():
            raise UserError(
                "There is no champion to go back to: 'model list' shows the versions, and "
                "'model promote VERSION' makes one the champion."
            )
        refuse_another_table(find(client, int(before)))
        client.set_registered_model_alias(package_name(), CHAMPION, before)
        client.set_model_version_tag(package_name(), str(current.number), FOLLOWS, ROLLED_BACK)
    return [f"version {before} is the champion again, in the place of version {current.number}"]


def champion() -> tuple[int, Path] | None:
    """Version and model file of the champion, if there is one; fetched if it is not here yet."""
    if is_new():
        return None
    with connected() as client:
        version = in_use(client)
        if version is None:
            return None
        return version.number, fetched(client, version, CHAMPION_FILE)


def named(uri: str) -> tuple[int, dict[str, str], Path]:
    """Number, tags and model file of `models:/NAME@ALIAS` or `models:/NAME/VERSION`.

    Raises UserError if the registry has no such version of this project's model.
    """
    name, at, alias = uri.removeprefix("models:/").partition("@")
    name, _, number = name.partition("/")
    ours = package_name()
    if name != ours or not (alias if at else number.isdecimal()):
        raise UserError(
            f"{uri} is not a version: write models:/{ours}@champion or models:/{ours}/3."
        )
    with connected() as client:
        version = find(client, alias or int(number))
        file = MODEL.with_name(f"version-{version.number}.onnx")
        return version.number, version.tags, fetched(client, version, file)


def model_file(number: int | None = None) -> tuple[int | None, Path]:
    """Number and model file of a version; without a number those of the pipeline's model (None: it
    is not registered). Raises UserError if there is no such version.
    """
    if number is None:
        told = read_json(REGISTRATION) if REGISTRATION.exists() else {}
        is_this = MODEL.exists() and sha256(MODEL) == told.get("sha256")
        return told["version"] if is_this else None, MODEL
    with connected() as client:
        version = find(client, number)
        return number, fetched(client, version, MODEL.with_name(f"version-{number}.onnx"))


def fetched(client: "MlflowClient", version: Version, file: Path) -> Path:
    """The file, with the model of the version in it."""
    if not file.exists() or sha256(file) != version.tags.get("sha256"):
        with replacing(file) as new:
            client.download_artifacts(version.run, MODEL.name, str(new.parent))
            new.with_name(MODEL.name).rename(new)
    return file


def table() -> list[str]:
    """All versions in lines to print, newest first."""
    with connected() as client:
        lines = [
            f"{number:>4}  {tags.get('candidate', ''):24}{tags.get('score', ''):22}"
            f"{' '.join(aliases):22}{'failed: ' + ', '.join(failed) if failed else 'passed'}"
            for number, _, aliases, tags, failed in versions(client)
        ]
    return lines or ["no version is registered yet"]


def compare(first: int, second: int) -> list[str]:
    """Two versions side by side, in lines to print. Raises UserError if one does not exist."""
    with connected() as client:
        both = []
        for version in (find(client, number) for number in (first, second)):
            run = client.get_run(version.run).data
            told = {"version": str(version.number), "alias": " ".join(version.aliases)}
            told |= {name: run.tags.get(name, "")[:16] for name in COMPARED}
            measured = {name: v for name, v in run.metrics.items() if not math.isnan(v)}
            both.append(told | {name: score(measured[name]) for name in sorted(measured)})
    names = dict.fromkeys(name for told in both for name in told)
    return [f"{name:20}" + "".join(f"{told.get(name, ''):>22}" for told in both) for name in names]
