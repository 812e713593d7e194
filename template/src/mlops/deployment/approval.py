"""Who is asked before a release goes into service: GitHub's environment must know them."""

import json
import os
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from ..core.errors import UserError
from ..core.problem import Problem
from ..gates.yaml_location import Entry

API = "https://api.github.com"
OWNER = Entry("problem.yaml", "owners.business_owner")


def approval(environment: str) -> list[str]:
    """A line that names who approved. Raises UserError unless the environment asks the owner in
    problem.yaml before anything goes there.
    """
    owner = Problem.read().owners.business_owner
    asked = reviewers(settings(environment))
    if owner.lower() not in [name.lower() for name in asked]:
        told = f"asks {', '.join(asked)}" if asked else "asks nobody"
        raise UserError(
            f"The environment '{environment}' {told} before a release goes into service, not "
            f"{owner or 'the owner'} ({OWNER}): make them a required reviewer in its settings, or "
            "name in problem.yaml who is to be asked."
        )
    return [f"{environment}: {owner} is asked before a release goes into service"]


def reviewers(told: dict[str, Any]) -> list[str]:
    """Teams as @ORGANISATION/TEAM and people as @NAME, as problem.yaml writes them."""
    organisation = os.environ["GITHUB_REPOSITORY"].partition("/")[0]
    rules = [rule for rule in told["protection_rules"] if rule["type"] == "required_reviewers"]
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
