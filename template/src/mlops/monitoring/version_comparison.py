"""Compare a model that took over with the one before it, once enough truths have come."""

from ..core.formatting import signed
from ..core.params import Params
from .client import Client
from .performance_report import Part, Performance
from .story import Step, read_steps, record_step


def compare_with_the_one_before(performance: Performance, client: Client) -> str:
    """Compare once after each promotion; return why the old model should come back, "" if not.

    It should if the new one falls short of the floor of value, and the old one did not. Raises
    UserError if it should and the service cannot be changed; the next look compares again.
    """
    promotion = find_open_promotion(read_steps())
    if promotion is None:
        return ""
    params, unit = Params.read(), performance["value"]["unit"]
    known = {str(part["version"]): part for part in performance["versions"] if part["rows"]}
    names = (promotion.facts["version"], promotion.facts["before"])
    new, old = (known.get(name) for name in names)
    if new is None or new["rows"] < params.monitoring.min_rows:
        return ""
    values = "; ".join(
        f"a thousand decisions of version {name} were worth {signed(part['gained'])} {unit} "
        f"against doing nothing ({part['rows']:,} known)"
        for name in names
        if (part := known.get(name))
    )
    floor = params.gates.min_value
    is_worse = falls_short(new, floor) and not (old and falls_short(old, floor))
    if is_worse:
        client.check_admin()
    record_step("compared", values, version=names[0])
    return "That is below the minimum, gates.min_value." if is_worse else ""


def find_open_promotion(steps: list[Step]) -> Step | None:
    """Return the last promotion, unless it was compared or taken back."""
    ends = [step for step in steps if step.kind in ("promoted", "compared", "rolled back")]
    return ends[-1] if ends and ends[-1].kind == "promoted" else None


def falls_short(part: Part, floor: float) -> bool:
    """Tell whether the decisions gained no more over doing nothing than the floor, as the gate."""
    return part["gained"] is not None and part["gained"] <= floor
