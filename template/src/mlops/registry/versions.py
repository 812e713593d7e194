"""The versions of the project's model in the registry."""

import json
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import UserError
from ..core.formatting import listed
from ..core.team import read_package_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, BEST = "champion", "best"
BY_HAND = '{"gates": "it was registered by hand"}'


class Version(NamedTuple):
    """A registered model. `failed`: each gate it did not pass, and what that found."""

    number: int
    run: str
    aliases: list[str]
    tags: dict[str, str]
    failed: dict[str, str]


def list_versions(client: "MlflowClient") -> list[Version]:
    """List all versions, newest first. Makes the registered model when it is first asked for."""
    models = client.search_registered_models(f"name = '{read_package_name()}'")
    model = models[0] if models else client.create_registered_model(read_package_name())
    versions = []
    for each in client.search_model_versions(f"name = '{read_package_name()}'"):
        aliases = sorted(
            a for a, number in model.aliases.items() if str(number) == str(each.version)
        )
        failed = json.loads(each.tags.get("failed", BY_HAND))
        versions.append(Version(int(each.version), str(each.run_id), aliases, each.tags, failed))
    return sorted(versions, reverse=True)


def find_champion(client: "MlflowClient") -> Version | None:
    """Find the champion; None if there is none."""
    return next((each for each in list_versions(client) if CHAMPION in each.aliases), None)


def find_best(client: "MlflowClient") -> Version | None:
    """Find the best so far: the champion where none was marked yet; None if there is none."""
    versions = list_versions(client)
    marked = [each for alias in (BEST, CHAMPION) for each in versions if alias in each.aliases]
    return marked[0] if marked else None


def find_version(client: "MlflowClient", wanted: int | str) -> Version:
    """Find the version of this number or alias. Raises UserError if there is none."""
    versions = list_versions(client)
    for version in versions:
        if wanted == version.number or wanted in version.aliases:
            return version
    numbers = [str(each.number) for each in reversed(versions)]
    there = (
        f"it has version{'s' * (len(numbers) > 1)} {listed(numbers)}"
        if versions
        else "there is none yet"
    )
    raise UserError(f"Version {wanted} is not in the registry: {there}.")
