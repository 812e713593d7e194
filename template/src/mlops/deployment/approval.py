"""Who is asked before a release goes into service: GitHub's environment must know them."""

import json
import os
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ..core.errors import UserError
from ..core.settings import Problem
from ..gates.yaml_location import Entry

API = "https://api.github.com"
OWNER = Entry("problem.yaml", "owners.business_owner")


def approval(environment: str) -> list[str]:
    """A line that names who approves: the owner in problem.yaml, whom the environment asks before
    anything goes there, or who started this run by hand (not all plans of GitHub have reviewers).

    Raises UserError if it is somebody else, or nobody.
    """
    owner = Problem.read().owners.business_owner
    by_hand = os.environ.get("GITHUB_EVENT_NAME") == "workflow_dispatch"
    if by_hand and same(owner, f"@{os.environ.get('GITHUB_TRIGGERING_ACTOR', '')}"):
        return [f"{environment}: {owner} started this delivery"]
    asked = reviewers(settings(environment), os.environ["GITHUB_REPOSITORY"])
    if not any(same(owner, name) for name in asked):
        told = f"asks {', '.join(asked)}" if asked else "asks nobody"
        raise UserError(
            f"The environment '{environment}' {told} before a release goes into service, not "
            f"{owner or 'the owner'} ({OWNER}): make them a required reviewer in its settings, or "
            "name in problem.yaml who is to be asked."
        )
    return [f"{environment}: {owner} is asked before a release goes into service"]


def same(owner: str, name: str) -> bool:
    """Whether both are the same person or team; GitHub heeds no case."""
    return owner.lower() == name.lower()


def reviewers(environment: dict[str, Any], repository: str) -> list[str]:
    """Who is asked by an environment of OWNER/REPOSITORY, as GitHub describes it: teams as
    @ORGANISATION/TEAM and people as @NAME, as problem.yaml writes them.
    """
    organisation = repository.partition("/")[0]
    rules = environment["protection_rules"]
    rules = [rule for rule in rules if rule["type"] == "required_reviewers"]
    return [
        f"@{organisation}/{each['reviewer']['slug']}"
        if each["type"] == "Team"
        else f"@{each['reviewer']['login']}"
        for rule in rules
        for each in rule["reviewers"]
    ]


def settings(environment: str) -> dict[str, Any]:
    """What GitHub says of the environment. Raises UserError with what it says instead."""
    repository, token = (os.environ.get(f"GITHUB_{name}") for name in ("REPOSITORY", "TOKEN"))
    if not repository or not token:
        raise UserError("GITHUB_REPOSITORY and GITHUB_TOKEN are not set: this runs in a workflow.")
    url = f"{os.environ.get('GITHUB_API_URL', API)}/repos/{repository}/environments/{environment}"
    request = Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return dict(json.load(answer))
    except (HTTPError, URLError) as error:
        raise UserError(
            f"GitHub does not tell who approves for '{environment}': {error}."
        ) from error
