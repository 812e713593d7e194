"""Compare a model that took over with the one before it, once enough truths have come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from ..core.formatting import number
from .client import Client
from .performance import Project, worth
from .story import Step, read_steps, record_step
from .ground_truth import join_ground_truth

Report = dict[str, Any]


def compare_with_the_one_before(journal: str, client: Client) -> str:
    """Compare once after each promotion; return why the old model should come back, "" if not.

    It should if the new one falls short of the floor of value, and the old one did not.

    Raises UserError if it should and the service cannot be changed; the next look compares again.
    """
    promotion = find_open_promotion(read_steps())
    if promotion is None:
        return ""
    project, now = Project.read(), datetime.now(UTC)
    settings = project.params.monitoring
    since = now - timedelta(days=settings.truth_days)
    rows = join_ground_truth(journal, since, now, project.contract, []).drop_nulls("truth")
    names = [promotion.facts["version"], promotion.facts["before"]]
    new, old = (of_version(rows, name, project) for name in names)
    if new["rows"] < settings.min_rows:
        return ""
    words = [
        f"a thousand decisions of version {name} were worth {number(found['realised'])} "
        f"{found['unit']} ({found['rows']:,} known)"
        for name, found in zip(names, (new, old), strict=True)
        if found["rows"]
    ]
    short = [below(found, project.params.gates.min_value) for found in (new, old)]
    worse = short == [True, False]
    if worse:
        client.ready()
    record_step("compared", "; ".join(words), version=names[0])
    return "It is worth less than the floor of value." if worse else ""


def find_open_promotion(steps: list[Step]) -> Step | None:
    """Return the last promotion, unless it was compared or taken back."""
    ends = [step for step in steps if step.kind in ("promoted", "compared", "rolled back")]
    return ends[-1] if ends and ends[-1].kind == "promoted" else None


def of_version(rows: pl.DataFrame, name: str, project: Project) -> Report:
    """Value of the decisions of a version whose truth is known, and how many they are."""
    known = rows.filter(pl.col("version").cast(pl.String) == name)
    return {"rows": known.height, **worth(known, project)}


def below(found: Report, least: float) -> bool:
    if found["realised"] is None:
        return False
    return bool(found["realised"] < found["do_nothing"] + least)
