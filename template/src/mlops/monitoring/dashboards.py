"""Dashboards as Grafana reads them, from tables of panels (boards.py)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..core.paths import replacing
from ..core.team import package_name
from .promql import watching

Kind = Literal["timeseries", "stat", "bargauge", "table", "text"]
WIDTH, HEIGHT = 24, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}
CALM, ALARM = "green", "red"
HIDDEN = 2


def variables() -> list[dict[str, Any]]:
    return [
        {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"},
        {"name": "job", "type": "constant", "query": package_name(), "hide": HIDDEN},
        {"name": "watch", "type": "constant", "query": watching(), "hide": HIDDEN},
    ]


def link() -> dict[str, Any]:
    return {
        "title": "Other boards",
        "type": "dashboards",
        "tags": [package_name()],
        "asDropdown": False,
        "icon": "external link",
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


OPTIONS: dict[Kind, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"},
    "bargauge": {
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "orientation": "horizontal",
        "displayMode": "basic",
    },
    "table": {"showHeader": True},
    "text": {"mode": "markdown"},
}


class Panel(NamedTuple):
    """`show` is PromQL by its legend; what is above `most` or below `least` is red."""

    title: str
    said: str
    show: dict[str, str]
    text: str
    unit: str
    kind: Kind = "timeseries"
    width: int = 8
    most: float | None = None
    least: float | None = None


class Board(NamedTuple):
    """`input` is the query that lists the inputs, of which a reader chooses one."""

    name: str
    said: str
    panels: list[Panel]
    input: str | None = None


def write(boards: list[Board], project: str, folder: Path) -> None:
    """A file each, in place of all that is there."""
    with replacing(folder) as scratch:
        scratch.mkdir()
        for board in boards:
            text = json.dumps(dashboard(board, project), indent=2, ensure_ascii=False)
            (scratch / f"{board.name}.json").write_text(text + "\n", encoding="utf-8")


def dashboard(board: Board, project: str) -> dict[str, Any]:
    return {
        "uid": f"{package_name()}-{board.name}",
        "title": f"{project}: {board.name}",
        "description": board.said,
        "tags": [package_name()],
        "editable": False,
        "schemaVersion": 41,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "links": [link()],
        "templating": {"list": [*variables(), *([chosen(board.input)] if board.input else [])]},
        "panels": [
            panel(each, number, place)
            for number, (each, place) in enumerate(placed(board.panels), start=1)
        ],
    }


def chosen(query: str) -> dict[str, Any]:
    told = {"name": "input", "label": "Input", "type": "query", "datasource": SOURCE}
    return told | {"query": {"query": query, "refId": "input"}, "refresh": 2, "sort": 1}


def placed(panels: list[Panel]) -> Iterator[tuple[Panel, dict[str, int]]]:
    """From left to right, and from row to row."""
    left = top = 0
    for each in panels:
        if left + each.width > WIDTH:
            left, top = 0, top + HEIGHT
        yield each, {"x": left, "y": top, "w": each.width, "h": HEIGHT}
        left += each.width


def panel(told: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    limits = [each for each in (told.least, told.most) if each is not None]
    drawn = {"thresholdsStyle": {"mode": "line" if limits else "off"}, "fillOpacity": 10}
    defaults = {"unit": told.unit, "thresholds": thresholds(told)}
    if told.kind == "timeseries":
        defaults |= {"custom": drawn}
    at_once = told.kind in {"bargauge", "table"}
    return {
        "id": number,
        "type": told.kind,
        "title": told.title,
        "description": told.said,
        "gridPos": place,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": OPTIONS[told.kind] | ({"content": told.text} if told.text else {}),
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": expr,
                "legendFormat": legend,
                "instant": at_once,
                "range": not at_once,
                "format": "table" if told.kind == "table" else "time_series",
            }
            for place, (legend, expr) in enumerate(told.show.items())
        ],
    }


def thresholds(told: Panel) -> dict[str, Any]:
    """Green within the limits, red beyond."""
    steps: list[dict[str, Any]] = [{"value": None, "color": CALM if told.least is None else ALARM}]
    if told.least is not None:
        steps.append({"value": told.least, "color": CALM})
    if told.most is not None:
        steps.append({"value": told.most, "color": ALARM})
    return {"mode": "absolute", "steps": steps}
