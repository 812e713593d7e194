"""Counts what the model reads in the bins of what it learned from (model/bins.py)."""

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime
from math import isnan
from typing import Any

from prometheus_client import Counter

from ..model.seen_values import recall_values
from ..scoring.predictor import SCORE
from .feed import Feed
from .models import Model
from .service_metrics import Metrics


class Tally:
    """Of one model; there are as many counters as it has bins, whatever users send."""

    def __init__(self, model: Model, metrics: Metrics) -> None:
        bins, version = model.meta["bins"], model.name
        self._version, self._metrics = version, metrics
        self._names = [(entry["input"], label) for entry in bins for label in entry["labels"]]
        self._places = {entry["input"]: _place(entry) for entry in bins}
        self._seen = {e["input"]: recall_values(e["seen"]) for e in bins if "seen" in e}
        self._common = {e["input"]: {"", *e["categories"]} for e in bins if "seen" in e}
        self._unseen = {name: metrics.unseen.labels(version, name) for name in self._seen}
        self._counters: dict[str, list[Counter]] = {
            entry["input"]: [
                metrics.inputs.labels(version, entry["input"], label) for label in entry["labels"]
            ]
            for entry in bins
        }
        for entry in bins:
            for label, share in zip(entry["labels"], entry["shares"], strict=True):
                metrics.expected.labels(version, entry["input"], label).set(share)
            if "seen" in entry:
                expected = metrics.expected_unseen.labels(version, entry["input"])
                expected.set(entry["seen"]["expected"])
        for when, gauge in ((model.registered, metrics.trained), (model.changed, metrics.changed)):
            if when:
                gauge.labels(version).set(datetime.fromisoformat(when).timestamp())

    def count(self, values: Feed, scores: list[float]) -> None:
        """Values as the model reads them, of shape (records, 1), and the score of each record."""
        for name, cells in values.items():
            if name in self._places:  # the words of a free text have no bins
                self._count(name, cells[:, 0].tolist())
        self._count(SCORE, scores)

    def forget(self) -> None:
        """Take the model out of the metrics: it is in use no more."""
        for name in self._names:
            self._metrics.inputs.remove(self._version, *name)
            self._metrics.expected.remove(self._version, *name)
        for name in self._seen:
            self._metrics.unseen.remove(self._version, name)
            self._metrics.expected_unseen.remove(self._version, name)
        for gauge in (self._metrics.trained, self._metrics.changed):
            gauge.remove_by_labels({"version": self._version})

    def _count(self, name: str, cells: list[Any]) -> None:
        place, counters = self._places[name], self._counters[name]
        places = [place(cell) for cell in cells]
        for bin_ in set(places):
            counters[bin_].inc(places.count(bin_))
        if was_seen := self._seen.get(name):
            rare = (cell for cell in cells if cell not in self._common[name])
            self._unseen[name].inc(sum(not was_seen(cell) for cell in rare))


def _place(entry: dict[str, Any]) -> Callable[[Any], int]:
    """In which of the bins a cell lies; the last is for what is missing."""
    missing = len(entry["labels"]) - 1
    if entry["kind"] == "text":
        places = {text: place for place, text in enumerate(entry["categories"])} | {"": missing}
        return lambda text: places.get(text, missing - 1)
    edges = entry["edges"]
    return lambda number: missing if isnan(number) else bisect_left(edges, number)
