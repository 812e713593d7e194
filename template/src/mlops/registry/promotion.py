"""The aliases of the registry, moved by a newcomer that has earned it, and by hand."""

from typing import TYPE_CHECKING

from ..core.errors import UserError
from ..core.paths import REGISTRATION, read_json, write_json
from ..core.strict_model import read_yaml
from ..core.team import read_package_name
from ..data.contract import CONTRACT
from .succession import BESIDE, BETTER, EQUAL, LEADS, NEWER, VERDICT, WHY
from .tracking import connect
from .versions import BEST, CHAMPION, Version, find_best, find_champion, find_version

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHALLENGER = "challenger"
FOLLOWS, NONE, ROLLED_BACK = "follows", "none", "rolled back"
BECAUSE = "because"  # a tag: the reason of whoever promoted a version by hand


def make_champion(client: "MlflowClient", version: Version, *, leads: bool) -> None:
    """Make a version the champion, and the best so far if it `leads`.

    The aliases come last: a kill before them has changed nothing.
    """
    name, number, before = read_package_name(), str(version.number), find_champion(client)
    if before is None or before.number != version.number:
        follows = str(before.number) if before else NONE
        client.set_model_version_tag(name, number, FOLLOWS, follows)
        client.set_registered_model_alias(name, CHAMPION, number)
    if leads:
        client.set_registered_model_alias(name, BEST, number)


def promote(number: int | None = None, because: str | None = None) -> list[str]:
    """Make a version (without a number: the challenger) the champion; returns lines to print.

    With a reason, the best so far is measured from this version on. Raises UserError if the version
    does not exist, if a gate other than `champion` failed, or if there is no reason where it lost
    against the champion or was not compared with it.
    """
    reason = " ".join((because or "").split())
    with connect() as client:
        version = find_version(client, number or CHALLENGER)
        unfit = {gate: told for gate, told in version.failed.items() if gate != CHAMPION}
        if unfit:
            why = "; ".join(f"{gate}: {meaning}" for gate, meaning in unfit.items())
            raise UserError(
                f"Version {version.number} cannot be promoted, its gates failed: {why}. "
                "Fix what they name and run 'uv run dvc repro' for a new version."
            )
        refuse_another_table(version)
        champion, _ = find_rivals(client)
        doubt = explain_doubt(version, champion)
        if doubt and not reason:
            raise UserError(
                f"Version {version.number} {doubt}. If it is to be the champion all the same, say "
                f"why: 'uv run mlops model promote {version.number} --because \"REASON\"'."
            )
        if champion and champion.number == version.number and not reason:
            return [f"version {version.number} is the champion"]
        why = f"promoted by hand: {reason}" if reason else "promoted by hand"
        for tag, text in ((BECAUSE, reason), (WHY, why)):
            client.set_model_version_tag(read_package_name(), str(version.number), tag, text)
        make_champion(client, version, leads=bool(reason) or version.tags.get(LEADS) == "true")
    say_who_is_champion(version.number, why, f"version {version.number} was promoted by hand")
    return [f"version {version.number} is the champion"]


def explain_doubt(version: Version, champion: Version | None) -> str:
    """Explain why nobody knows that a version is as good as the champion; "" if that is known."""
    if champion is None or champion.number == version.number:
        return ""
    if lost := version.failed.get(CHAMPION):
        return f"lost: {lost}"
    is_known = version.tags.get(VERDICT) in (BETTER, NEWER, EQUAL)
    if is_known and version.tags.get(BESIDE) == str(champion.number):
        return ""
    return f"was not compared with the present champion, version {champion.number}"


def find_rivals(client: "MlflowClient") -> tuple[Version | None, Version | None]:
    """Find the champion and the best so far; None for one that was trained for another table than
    the project's, since with a new table everything starts anew.
    """
    ours = read_contract_id()
    champion, best = (
        version if version and version.tags.get("contract", ours) == ours else None
        for version in (find_champion(client), find_best(client))
    )
    return champion, best


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


def rollback() -> list[str]:
    """Make the champion before this one the champion again; the one given up keeps its version,
    comes back only by `promote`, and is no more the best so far.

    Raises UserError if there is no champion before.
    """
    name = read_package_name()
    with connect() as client:
        current, best = find_champion(client), find_best(client)
        before = current.tags.get(FOLLOWS, NONE) if current else NONE
        if current is None or not before.isdecimal():
            raise UserError(
                "There is no champion to go back to: 'model list' shows the versions, and "
                "'model promote VERSION' makes one the champion."
            )
        refuse_another_table(find_version(client, int(before)))
        client.set_registered_model_alias(name, CHAMPION, before)
        client.set_model_version_tag(name, str(current.number), FOLLOWS, ROLLED_BACK)
        if best and best.number == current.number:
            client.set_registered_model_alias(name, BEST, before)
    say_who_is_champion(int(before), "in use again", "it was rolled back")
    return [f"version {before} is the champion again, in the place of version {current.number}"]


def say_who_is_champion(number: int, won: str, lost: str) -> None:
    """Let the report of the pipeline's version say whether that is the champion by now, and why."""
    if REGISTRATION.exists():
        registration = read_json(REGISTRATION)
        champion = registration["version"] == number
        if registration["champion"] != champion:
            changes = {"champion": champion, "why": won if champion else lost}
            write_json(REGISTRATION, registration | changes)
