"""What the watch sees: whether the model at work is still fit, and why not."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ..data.contract import Contract
from ..sections import Monitoring, seconds
from ..settings import Params
from ..words import number, score
from .drift import drift
from .exporter import Exporter
from .performance import performance
from .truths import joined

Report = dict[str, Any]


def look(journal: str, exporter: Exporter) -> list[str]:
    """Tell Prometheus how the model does; returns why a new one is called for.

    Raises UserError if there is no journal.
    """
    params, now = Params.read(), datetime.now(UTC)
    settings = params.monitoring
    found = performance(journal, now - timedelta(days=settings.truth_days), now)
    exporter.tell(found)
    contract = Contract.load()
    live = joined(journal, now - timedelta(seconds=seconds(settings.window)), now, contract)
    why = poor(found, settings, params.gates.min_value)
    return why + drifted(drift(live, contract), settings)


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
