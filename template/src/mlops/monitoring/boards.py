"""What the dashboards hold: boards.yaml, with what problem.yaml and params.yaml say filled in."""

import re
from pathlib import Path
from string import Template
from typing import Any

import yaml

from ..core.formatting import metric
from .dashboards import Board, Panel
from .facts import Facts

TABLE = Path(__file__).with_suffix(".yaml")
CURRENCIES = {"CHF", "DKK", "EUR", "GBP", "INR", "JPY", "NOK", "PLN", "SEK", "USD"}
LABEL = re.compile(r"\{(\w+)\}")
DAY = 86400


class Words(Template):
    delimiter = "@"


def boards(facts: Facts) -> list[Board]:
    """Each with its panels, all words and limits filled in."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    told, limits, unit = words(facts), figures(facts), money(facts.problem.value.unit)

    def said(text: str) -> str:
        return Words(text).substitute(told)

    def filled(entry: dict[str, Any]) -> Panel:
        look = dict(entry["look"])
        for bound in {"most", "least"} & look.keys():
            look[bound] = limits.get(look[bound], look[bound])
        look["unit"] = unit if look["unit"] == "money" else look["unit"]
        shown = entry.get("show", {}).items()
        show = {LABEL.sub(r"{{\1}}", legend): expr for legend, expr in shown}
        text = said(entry.get("text", ""))
        return Panel(entry["title"], said(entry["said"]), show, text, **look)

    return [
        Board(name, said(each["said"]), list(map(filled, each["panels"])), each.get("input"))
        for name, each in table.items()
    ]


def words(facts: Facts) -> dict[str, Any]:
    """What boards.yaml says after @."""
    problem, limits = facts.problem, facts.limits
    return {
        **problem.objectives.model_dump(),
        "metric": metric(facts.metric),
        "window": limits.window,
        "min_rows": limits.min_rows,
        "truth_days": limits.truth_days,
        "decision": problem.decision,
        "kpi": problem.kpi,
        "before": problem.baseline.description,
    }


def figures(facts: Facts) -> dict[Any, float | None]:
    """What boards.yaml names as `most` and `least`; None where there is no limit."""
    limits = facts.limits
    return {
        "latency_s": facts.problem.objectives.latency_ms / 1000,
        "performance": facts.least_performance,
        "max_psi": limits.max_psi,
        "max_reject_rate": facts.params.data.max_reject_rate,
        "memory": facts.memory,
        "min_rows": limits.min_rows,
        "least_value": facts.least_value,
        "model_age": limits.max_model_age_days and limits.max_model_age_days * DAY,
        "data_age": limits.max_data_age_days and limits.max_data_age_days * DAY,
    }


def money(unit: str) -> str:
    """The unit of value, as Grafana calls it."""
    return f"currency{unit}" if unit in CURRENCIES else f"suffix: {unit or 'units'}"
