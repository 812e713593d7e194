"""What the watch sees: whether the model at work is still fit, and why not."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ..core.formatting import listed, number, score
from ..core.params import Monitoring, Params, seconds
from ..data.contract import Contract
from .drift import drift
from .exporter import Exporter
from .performance import performance
from .truths import joined

Report = dict[str, Any]


class Seen(NamedTuple):
    """Why a new model is called for, and what could not be told."""

    why: list[str]
    unknown: list[str]

    def told(self) -> str:
        if self.why:
            return "; ".join(self.why)
        but = f" as far as can be told, but {listed(self.unknown)}" if self.unknown else ""
        return f"nothing calls for a new model{but}"


def look(journal: str, exporter: Exporter) -> Seen:
    """Tell Prometheus how the model does, and say what calls for a new one.

    Raises UserError if there is no journal.
    """
    params, now = Params.read(), datetime.now(UTC)
    settings = params.monitoring
    found = performance(journal, now - timedelta(days=settings.truth_days), now)
    exporter.tell(found)
    contract = Contract.load()
    live = joined(journal, now - timedelta(seconds=seconds(settings.window)), now, contract)
    moved = drift(live, contract)
    why = poor(found, settings, params.gates.min_value) + drifted(moved, settings)
    return Seen(why, unknown(found["rows"], moved["rows"], settings))


def unknown(truths: int, records: int, settings: Monitoring) -> list[str]:
    """What there is too little of to judge by."""
    few = {
        f"the truth of {number(truths)} decisions is known": truths,
        f"{number(records)} records came in the last {settings.window}": records,
    }
    least = settings.min_rows
    return [f"only {what} ({least} are needed)" for what, rows in few.items() if rows < least]


def poor(found: Report, settings: Monitoring, least_value: float) -> list[str]:
    """Of performance and value, what falls short of what the evaluation and the gates promise."""
    if found["rows"] < settings.min_rows:
        return []
    metric, value, why = found["metric"], found["value"], []
    limit = settings.max_performance_loss
    known = limit is not None and None not in (metric["value"], metric["expected"])
    if known and metric["value"] < metric["expected"] - limit:
        why.append(
            f"{metric['name']} is {score(metric['value'])} where the evaluation found "
            f"{score(metric['expected'])}"
        )
    if value["realised"] is not None and value["realised"] < value["do_nothing"] + least_value:
        why.append(
            f"a thousand decisions are worth {number(value['realised'])} {value['unit']}, those of "
            f"{value['do_nothing_means']} {number(value['do_nothing'])}"
        )
    return why


def drifted(found: Report, settings: Monitoring) -> list[str]:
    """The inputs, and the score, that are no longer distributed as when the model learned."""
    limit = settings.max_psi
    if limit is None or found["rows"] < settings.min_rows:
        return []
    return [
        f"{each['input']} has drifted (population stability index {score(each['psi'])})"
        for each in found["inputs"]
        if each["psi"] > limit
    ]
