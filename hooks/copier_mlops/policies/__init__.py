"""The policies of this package, as a plugin of repo-review."""

from typing import Any

from repo_review.families import Family

from . import contents, gates, locks, statement, workflows


def checks() -> dict[str, Any]:
    """List the checks by the names of their rules."""
    return {
        "file.unreadable": contents.Unreadable(),
        "problem.incomplete": statement.Incomplete(),
        "owners.missing": statement.OwnersMissing(),
        "owners.disagree": statement.OwnersDisagree(),
        "gates.weakened": statement.GatesWeakened(),
        "gates.missing": gates.Missing(),
        "tests.skipped": gates.Skipped(),
        "requirement.weaker": gates.Weaker(),
        "gates.blocked": locks.GatesBlock(),
        "actions.unpinned": workflows.Unpinned(),
        "secret.found": contents.Secrets(),
        "pickle.file": contents.PickleFiles(),
        "pickle.code": contents.PickleCode(),
        "lock.missing": locks.Missing(),
        "lock.stale": locks.Stale(),
    }


def families() -> dict[str, Family]:
    """Describe them to repo-review."""
    return {
        "mlops": Family(
            name="Standards of the template",
            description="Each message says what to do: see docs/standards.md of the template.",
        )
    }
