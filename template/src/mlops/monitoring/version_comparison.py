"""Compare a model that took over with the one before it, once enough truths have come."""

from datetime import UTC, datetime, timedelta

import polars as pl

from ..core.formatting import number
from .client import Client
from .ground_truth import join_ground_truth
from .performance import Project, measure_value
from .performance_report import ReachedValue
from .story import Step, read_steps, record_step


def compare_with_the_one_before(journal: str, client: Client) -> str:
    """Compare once after each promotion; return why the old model should come back, "" if not.

    It should if the new one falls short of the floor of value, and the old one did not. Raises
    UserError if it should and the service cannot be changed; the next look compares again.
    """
    promotion = find_open_promotion(read_steps())
    if promotion is None:
        return ""
    project, now = Project.read(), datetime.now(UTC)
    settings = project.params.monitoring
    since = now - timedelta(days=settings.truth_days)
    rows = join_ground_truth(journal, since, now, project.contract, []).drop_nulls("truth")
    names = [promotion.facts["version"], promotion.facts["before"]]
    answered = [rows.filter(pl.col("version").cast(pl.String) == name) for name in names]
    if answered[0].height < settings.min_rows:
        return ""
    values = [measure_value(known, project) for known in answered]
    words = [
        f"a thousand decisions of version {name} were worth {number(value['realised'])} "
        f"{value['unit']} ({known.height:,} known)"
        for name, known, value in zip(names, answered, values, strict=True)
        if known.height
    ]
    short = [falls_short(value, project.params.gates.min_value) for value in values]
    is_worse = short == [True, False]
    if is_worse:
        client.check_admin()
    record_step("compared", "; ".join(words), version=names[0])
    return "It is worth less than the floor of value." if is_worse else ""


def find_open_promotion(steps: list[Step]) -> Step | None:
    """Return the last promotion, unless it was compared or taken back."""
    ends = [step for step in steps if step.kind in ("promoted", "compared", "rolled back")]
    return ends[-1] if ends and ends[-1].kind == "promoted" else None


def falls_short(value: ReachedValue, floor: float) -> bool:
    """Tell whether the decisions were worth less than doing nothing and the floor."""
    realised, do_nothing = value["realised"], value["do_nothing"]
    return realised is not None and do_nothing is not None and realised < do_nothing + floor
