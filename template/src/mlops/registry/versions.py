"""The versions of the project's model in the registry."""

import json
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import UserError
from ..core.formatting import listed
from ..core.team import package_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
BY_HAND = '{"gates": "it was registered by hand"}'


class Version(NamedTuple):
    """A registered model. `failed`: each gate it did not pass, and what that found."""

    number: int
    run: str
    aliases: list[str]
    tags: dict[str, str]
    failed: dict[str, str]


def versions(client: "MlflowClient") -> list[Version]:
    """All versions, newest first. Makes the registered model when it is first asked for."""
    models = client.search_registered_models(f"name = '{package_name()}'")
    model = models[0] if models else client.create_registered_model(package_name())
    found = []
    for each in client.search_model_versions(f"name = '{package_name()}'"):
        aliases = sorted(
            a for a, number in model.aliases.items() if str(number) == str(each.version)
        )
        failed = json.loads(each.tags.get("failed", BY_HAND))
        found.append(Version(int(each.version), str(each.run_id), aliases, each.tags, failed))
    return sorted(found, reverse=True)


def in_use(client: "MlflowClient") -> Version | None:
    """The champion, if there is one."""
    return next((each for each in versions(client) if CHAMPION in each.aliases), None)


def find(client: "MlflowClient", wanted: int | str) -> Version:
    """The version of this number or alias. Raises UserError if there is none."""
    known = versions(client)
    for version in known:
        if wanted == version.number or wanted in version.aliases:
            return version
    numbers = [str(each.number) for each in reversed(known)]
    there = (
        f"it has version{'s' * (len(numbers) > 1)} {listed(numbers)}"
        if known
        else "there is none yet"
    )
    raise UserError(f"Version {wanted} is not in the registry: {there}.")
