"""Stage register, and the registry behind small functions: versions, their champion and its past.

The alias `challenger` is the newest version, `champion` the one in use. A version becomes champion
only if all its gates passed; past champions are kept in order, in a tag of the registered model.
"""

import json
from typing import Any

from mlflow import MlflowClient

from ..errors import UserError
from ..files import CHOICE, MODEL, REPORTS, read_json, sha256, write_json
from ..gates import GATE_REPORT
from ..words import score
from . import runs
from .lineage import lineage
from .versions import (
    CHALLENGER,
    CHAMPION,
    NAME,
    Version,
    all_versions,
    as_version,
    connected,
    find,
    number_of,
    registered,
)

REGISTRATION = REPORTS / "registration.json"
PAST, ROLLED_BACK = "champions", "rolled_back"


def run() -> None:
    """Register models/model.onnx. The same model with the same verdicts again changes nothing."""
    with connected() as client:
        gate, model = read_json(GATE_REPORT), sha256(MODEL)
        failed = {each["name"]: each["meaning"] for each in gate["gates"] if not each["passed"]}
        same = [
            version
            for version in all_versions(client)
            if version.tags.get("sha256") == model and set(version.failed()) == set(failed)
        ]
        version = same[0] if same else register(client, model, failed)
        client.set_registered_model_alias(NAME, CHALLENGER, str(version.number))
        if version.passed and ROLLED_BACK not in version.tags:
            crown(client, version)
        in_use = number_of(client, CHAMPION) == version.number
        told = {"version": version.number, "run": version.run, "champion": in_use}
        write_json(REGISTRATION, {**told, "sha256": model, **version.made_from()})
    state = "champion" if in_use else "candidate, not champion"
    print(f"register: version {version.number}{'' if not same else ' (known already)'}, {state}")


def register(client: MlflowClient, model: str, failed: dict[str, str]) -> Version:
    """Write the training down and make a version of its model."""
    choice, evaluation, made_from = (
        read_json(CHOICE),
        read_json(REPORTS / "evaluation.json"),
        lineage(),
    )
    known = read_json(REPORTS / "metrics.json").items()
    metrics = {name: value for name, value in known if value is not None}
    primary = evaluation["primary_metric"]
    facts = {
        "passed": str(not failed).lower(),
        "failed": json.dumps(failed),
        "sha256": model,
        "contract_id": evaluation["contract"]["id"],
        "contract_version": evaluation["contract"]["version"],
        "candidate": choice["candidate"],
        "metric": primary["name"],
        "score": str(primary["value"]),
        "value": str(evaluation["value"]["model"]),
        "lineage": json.dumps(made_from),
    }
    identity, source = runs.record(client, NAME, choice, metrics, facts | made_from)
    if not registered(client):
        client.create_registered_model(NAME)
    made = client.create_model_version(NAME, source, run_id=identity, tags=facts)
    return as_version(made, {})


def promote(version: int | None = None) -> list[str]:
    """Make a version (None: the challenger) the champion.

    Raises UserError if there is no such version, or if a gate failed for it.
    """
    with connected() as client:
        wanted = version if version is not None else number_of(client, CHALLENGER)
        chosen = find(client, wanted)
        if not chosen.passed:
            why = "; ".join(f"{name}: {found}" for name, found in chosen.failed().items())
            raise UserError(
                f"Version {chosen.number} cannot be promoted, its gates failed: {why}. "
                "Mend what they name and run 'uv run dvc repro' for a new version."
            )
        crown(client, chosen)
        return [f"version {chosen.number} is the champion"]


def rollback() -> list[str]:
    """Make the champion before this one the champion again; the one given up keeps its version,
    and comes back only by `promote`. Raises UserError if there is no champion before.
    """
    with connected() as client:
        past = champions(client)
        if len(past) < 2:
            raise UserError(
                "There is no champion to go back to: 'model list' shows the versions, and "
                "'model promote VERSION' makes one the champion."
            )
        *before, current = past
        client.set_model_version_tag(NAME, str(current), ROLLED_BACK, "true")
        # The alias first: `champions` leaves out what a kill in between has left behind it.
        client.set_registered_model_alias(NAME, CHAMPION, str(before[-1]))
        client.set_registered_model_tag(NAME, PAST, json.dumps(before))
        return [f"version {before[-1]} is the champion again, in the place of version {current}"]


def crown(client: MlflowClient, version: Version) -> None:
    """Make it the champion, on top of those before it."""
    past = champions(client)
    if not past or past[-1] != version.number:
        client.set_registered_model_tag(NAME, PAST, json.dumps([*past, version.number]))
        client.set_registered_model_alias(NAME, CHAMPION, str(version.number))
    if ROLLED_BACK in version.tags:
        client.delete_model_version_tag(NAME, str(version.number), ROLLED_BACK)


def champions(client: MlflowClient) -> list[int]:
    """Numbers of the champions so far, the one in use last.

    The alias is what counts: it tells where a list that was being changed is true, also after
    somebody set it by hand in MLflow.
    """
    current = number_of(client, CHAMPION)
    if current is None:
        return []
    past = json.loads(client.get_registered_model(NAME).tags.get(PAST, "[]"))
    while past and past[-1] != current:
        past.pop()
    return past or [current]


def versions() -> list[Version]:
    """All versions, newest first."""
    with connected() as client:
        return all_versions(client)


def table() -> list[str]:
    """All versions in lines to print."""
    return [version.line() for version in versions()] or ["no version is registered yet"]


def compare(first: int, second: int) -> list[str]:
    """Two versions side by side, in lines to print. Raises UserError if one does not exist."""
    with connected() as client:
        both = [find(client, number) for number in (first, second)]
        metrics = [client.get_run(version.run).data.metrics for version in both]
    rows: list[tuple[str, list[Any]]] = [("version", [version.number for version in both])]
    rows += [("alias", [" ".join(version.aliases) for version in both])]
    for name in ("passed", "candidate", "contract_id", "contract_version", "sha256"):
        rows.append((name, [version.tags.get(name, "")[:16] for version in both]))
    for name in ("git_commit", "data_version"):
        rows.append((name, [str(version.made_from().get(name))[:16] for version in both]))
    for name in sorted(metrics[0] | metrics[1]):
        rows.append((name, [score(each.get(name)) for each in metrics]))
    return [f"{name:20}{one!s:>22}{other!s:>22}" for name, (one, other) in rows]
