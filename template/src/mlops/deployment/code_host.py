"""What the project's repository on GitHub needs before it delivers by itself, asked of GitHub by `gh`."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import UserError
from ..core.settings import Problem
from .access import RELEASE, Need, needs
from .approval import reviewers, same

ENVIRONMENTS = (RELEASE, "staging", "production")
SIGNERS = Path("deploy/allowed_signers")
MONITORING = "monitoring"
BOT_TOKEN = "BOT_TOKEN"  # noqa: S105  (the name of a secret, not one)


class Step(NamedTuple):
    """What is needed, how it is made, and whether it is there; None: nobody could be asked."""

    what: str
    how: str
    done: bool | None

    def __str__(self) -> str:
        if self.done:
            return f"there     {self.what}"
        return f"{'missing' if self.done is False else 'needed'}   {self.what}: {self.how}"


class Repository:
    """A repository on GitHub, by what `gh` tells of it; without `gh` nothing is known of it."""

    def __init__(self) -> None:
        """Raises UserError with `gh`'s words if it is there and cannot tell which repository this is."""
        self.known = shutil.which("gh") is not None
        self.name = self.default_branch = ""
        if self.known:
            told = json.loads(gh("repo", "view", "--json", "nameWithOwner,defaultBranchRef"))
            self.name = told["nameWithOwner"]
            self.default_branch = told["defaultBranchRef"]["name"]

    def get(self, path: str) -> Any:
        """What the API answers for a path below the repository's; None for what is not there."""
        try:
            return json.loads(gh("api", "--paginate", f"repos/{self.name}/{path}".rstrip("/")))
        except NotThere:
            return None

    def has(self, path: str) -> bool | None:
        return self.get(path) is not None if self.known else None


class NotThere(UserError):
    """GitHub answers 404."""


def gh(*arguments: str) -> str:
    """Raises NotThere for what GitHub does not have, and else UserError with `gh`'s own words."""
    done = subprocess.run(["gh", *arguments], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    words = " ".join(done.stderr.split())
    if "HTTP 404" in words:
        raise NotThere(words)
    raise UserError(
        f"gh does not tell what this repository has: {words or 'no reason given'}. Log in with 'gh "
        "auth login', push the repository to GitHub, and run this again."
    )


def setup() -> tuple[list[str], bool]:
    """All steps in the order in which to take them, a line each, and whether all are done."""
    repository = Repository()
    steps = list(needed(repository))
    if not repository.known:
        head = "gh (https://cli.github.com) is not installed, so only files were looked at; needed is:"
    elif missing := sum(not step.done for step in steps):
        head = f"{repository.name} lacks {missing} of {len(steps)}; in this order:"
    else:
        head = f"{repository.name} has all that it needs"
    lines = [head, *map(str, steps)]
    return lines, all(step.done for step in steps)


def needed(repository: Repository) -> Iterator[Step]:
    """From what is in git to the switch that turns delivery on."""
    yield Step(
        "a data store that other machines reach",
        "uv run dvc remote modify storage url s3://BUCKET/FOLDER (or gs://, azure://, ssh://), "
        "then uv run dvc push",
        "://" in remote_address(),
    )
    yield Step(
        f"a key in {SIGNERS}",
        "make it as deploy/README.md tells, and commit its line",
        any(line.strip() and not line.startswith("#") for line in SIGNERS.read_text().splitlines()),
    )
    for environment in ENVIRONMENTS:
        yield from of_environment(repository, environment, needs(environment))
    yield approver(repository)
    yield from of_environment(repository, MONITORING, [])
    yield pull_requests(repository)
    for name, what in (("MONITORING", "daily monitoring"), ("CD", "continuous delivery")):
        yield Step(
            f"the variable {name}, which turns {what} on",
            f"gh variable set {name} --body on (off: you do without, and are not asked again)",
            repository.has(f"actions/variables/{name}"),
        )


def of_environment(repository: Repository, name: str, needs: list[Need]) -> Iterator[Step]:
    """The environment itself, and each secret and variable in it."""
    there = repository.has(f"environments/{name}")
    yield Step(
        f"the environment {name}",
        f"gh api --method PUT repos/{repository.name or 'OWNER/REPOSITORY'}/environments/{name}",
        there,
    )
    for need in needs:
        yield Step(
            f"the {need.kind} {need.name} of {name} ({need.what})",
            f"gh {need.kind} set {need.name} --env {name}",
            there and repository.has(f"environments/{name}/{need.kind}s/{need.name}"),
        )


def approver(repository: Repository) -> Step:
    """Production waits for the business owner, or the plan of the organisation knows no reviewers."""
    owner = Problem.read().owners.business_owner
    settings = repository.get("environments/production") if repository.known else None
    asked = reviewers(settings, repository.name) if settings else []
    unattended = repository.known and repository.has("environments/production/variables/UNATTENDED")
    return Step(
        f"{owner} as a required reviewer of production",
        "name them in its settings; where your plan of GitHub has no reviewers, let them start each "
        "delivery (gh variable set CD --body manual), or say that nobody is asked (gh variable set "
        "UNATTENDED --env production --body true)",
        any(same(owner, name) for name in asked) or unattended
        if repository.known
        else None,
    )


def pull_requests(repository: Repository) -> Step:
    """Workflows that propose a change open a pull request."""
    allowed = repository.known and repository.get("actions/permissions/workflow")
    return Step(
        "leave for workflows to open pull requests",
        "turn on 'Allow GitHub Actions to create and approve pull requests' in Settings, Actions, "
        f"General, or set the secret {BOT_TOKEN} in the environments bot and {MONITORING}",
        bool(allowed and allowed["can_approve_pull_request_reviews"])
        or bool(repository.known and repository.has(f"environments/bot/secrets/{BOT_TOKEN}"))
        if repository.known
        else None,
    )


def remote_address() -> str:
    """The address of DVC's default remote; empty if there is none."""
    config = ConfigParser()
    config.read([".dvc/config", ".dvc/config.local"], encoding="utf-8")
    name = config.get("core", "remote", fallback="")
    return config.get(f"'remote \"{name}\"'", "url", fallback="")
