"""Who is asked before a release goes into service: GitHub's environment must know them."""

import json
import os
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ..core.errors import UserError
from ..core.problem import Problem
from ..core.repository_place import find_place
from ..gates.yaml_location import Entry

API = "https://api.github.com"
OWNER = Entry("problem.yaml", "owners.business_owner")


def check_approval(environment: str) -> list[str]:
    """Look who approves: the owner in problem.yaml, whom the environment asks before anything goes
    there, or who started this run by hand, as not all plans of GitHub have reviewers.

    Returns the line to print. Raises UserError if it asks nobody, or only others.
    """
    owner = Problem.read().owners.business_owner
    by_hand = os.environ.get("GITHUB_EVENT_NAME") == "workflow_dispatch"
    if by_hand and is_same(owner, f"@{os.environ.get('GITHUB_TRIGGERING_ACTOR', '')}"):
        return [f"{environment}: {owner} started this delivery"]
    environment = find_place().name_environment(environment)
    reviewers = list_reviewers(read_environment(environment), os.environ["GITHUB_REPOSITORY"])
    if not any(is_same(owner, name) for name in reviewers):
        asks = f"asks {', '.join(reviewers)}" if reviewers else "asks nobody"
        raise UserError(
            f"The environment '{environment}' {asks} before a release goes into service, not "
            f"{owner or 'the owner'} ({OWNER}): make them a required reviewer in its settings, or "
            "name in problem.yaml who is to be asked."
        )
    return [f"{environment}: {owner} is asked before a release goes into service"]


def is_same(owner: str, name: str) -> bool:
    """Tell whether both are the same person or team; GitHub ignores case."""
    return owner.lower() == name.lower()


def list_reviewers(environment: dict[str, Any], repository: str) -> list[str]:
    """List teams as @ORGANISATION/TEAM and people as @NAME, as problem.yaml writes them.

    `environment` of OWNER/REPOSITORY is GitHub's answer: some of its `protection_rules` name
    reviewers.
    """
    organisation = repository.partition("/")[0]
    rules = environment["protection_rules"]
    return [
        f"@{organisation}/{each['reviewer']['slug']}"
        if each["type"] == "Team"
        else f"@{each['reviewer']['login']}"
        for rule in rules
        if rule["type"] == "required_reviewers"
        for each in rule["reviewers"]
    ]


def read_environment(name: str) -> dict[str, Any]:
    """Ask GitHub for an environment. Raises UserError with what it says instead."""
    repository, token = (os.environ.get(f"GITHUB_{part}") for part in ("REPOSITORY", "TOKEN"))
    if not repository or not token:
        raise UserError("GITHUB_REPOSITORY and GITHUB_TOKEN are not set: this runs in a workflow.")
    url = f"{os.environ.get('GITHUB_API_URL', API)}/repos/{repository}/environments/{name}"
    request = Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return dict(json.load(answer))
    except (HTTPError, URLError) as error:
        raise UserError(f"GitHub does not say who approves for '{name}': {error}.") from error
