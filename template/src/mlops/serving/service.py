"""The service without HTTP: models in use, requests answered and written down."""

import logging
import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from ..core.errors import UserError
from .bodies import Record
from .feed import Feed
from .journal import Journal, Kept, Prediction, Truth
from .models import Model
from .options import Options
from .service_metrics import Metrics
from .tally import Tally

log = logging.getLogger(__name__)
CHAMPION, SHADOW, PROBE = "champion", "shadow", "probe"
MOST_SHADOWED = 1_000  # requests that wait for the shadow
Answer = dict[str, Any]


class Service:
    """One model answers; another may take part without answering, in its shadow."""

    def __init__(self, options: Options) -> None:
        """Raises UserError if a model is not fit to serve, or an option is wrong."""
        self.options, self.metrics = options, Metrics()
        self.model = self._load(options.model_uri, options.model_sha256)
        self.previous: Model | None = None
        self.shadow: Model | None = None
        self.journal = Journal(options.journal_url, self.metrics, options.journal_durable)
        self._changing = threading.Lock()
        self._tallies: dict[str, Tally] = {}
        self._follower, self._following = ThreadPoolExecutor(1, "shadow"), 0
        self._tell()
        if options.shadow_uri:
            self.follow(options.shadow_uri)

    def predict(
        self, body: bytes, role: str = CHAMPION, kept: Kept | None = None
    ) -> list[Answer] | Answer:
        """An answer for each record: one, or as many as are in a list. Raises RefusedError.

        What a PROBE asks is written down as such, and says nothing of what users send. `kept` is
        told whether the journal holds the answers.
        """
        model = self.model  # it may be swapped meanwhile
        records, many, unexpected = model.requests.read(body)
        values = model.feed(records)
        answers = model.answers(values)
        ids = os.urandom(16 * len(records)).hex()
        for place, answer in enumerate(answers):
            answer["id"] = ids[32 * place : 32 * place + 32]
            answer["model_version"] = model.name
        self.journal.put(make_rows(role, model, records, answers), len(body), kept)
        if role == CHAMPION:
            self._take_in(model, records, values, answers, unexpected)
        return answers if many else answers[0]

    def _take_in(
        self,
        model: Model,
        records: list[Record],
        values: Feed,
        answers: list[Answer],
        unexpected: Counter[tuple[str, str]],
    ) -> None:
        """Count what users sent and were told, and have the shadow score it, too."""
        if tally := self._tallies.get(model.name):  # not yet, in the moment of a swap
            tally.count(values, [answer["score"] for answer in answers])
        self._count(answers)
        for (column, rule), times in unexpected.items():
            self.metrics.unexpected.labels(column, rule).inc(times)
        if self.shadow:
            self._follow(self.shadow, records, answers)

    def learn(self, body: bytes, kept: Kept | None = None) -> int:
        """Write down what really was; returns of how many records. Raises RefusedError."""
        now = moment()
        truths = self.model.requests.read_truths(body)
        told = [Truth(now, t.get("id"), t.get("key"), t["truth"]) for t in truths]
        self.journal.put(told, len(body), kept)
        return len(truths)

    def reload(self) -> Model:
        """Answer with what MODEL_URI stands for now."""
        return self.swap(self.options.model_uri, self.options.model_sha256)

    def info(self) -> Answer:
        """What is in use, for people and for those who deploy it."""
        meta = self.model.meta
        told = {name: meta[name] for name in ("task", "target", "classes", "threshold", "contract")}
        others = {"previous": self.previous, "shadow": self.shadow}
        return {
            "model_version": self.model.name,
            "sha256": self.model.sha256,
            "uri": self.model.uri,
            **{role: model and model.name for role, model in others.items()},
            **told,
            "candidate": meta["candidate"],
            "validation": meta["validation"],
            "unexpected": self.options.unexpected,
        }

    def follow(self, uri: str, sha256: str = "") -> Model | None:
        """Have a model take part without answering; "" ends it. Raises UserError as `swap` does."""
        with self._changing:
            self.shadow = self._comparable(uri, sha256) if uri else None
            self._tell()
        return self.shadow

    def swap(self, uri: str, sha256: str = "") -> Model:
        """Answer with another model, once it has been loaded and tried; see Model.load.

        Raises UserError if it is not fit, or answers another question; then nothing changes.
        """
        with self._changing:
            self.previous, self.model = self.model, self._comparable(uri, sha256)
            self._tell()
        return self.model

    def roll_back(self) -> Model:
        """Answer with the model before this one. Raises UserError if there was none."""
        with self._changing:
            if self.previous is None:
                raise UserError("There is no model to go back to: none was swapped.")
            self.previous, self.model = self.model, self.previous
            self._tell()
        return self.model

    def close(self) -> None:
        self._follower.shutdown()
        self.journal.close()

    def _load(self, uri: str, sha256: str) -> Model:
        return Model.load(uri, sha256, self.options.unexpected, self.options.max_records)

    def _comparable(self, uri: str, sha256: str) -> Model:
        """A model that answers the same question as the one in service."""
        new, old = self._load(uri, sha256), self.model
        for fact in ("task", "target", "classes"):
            if new.meta[fact] != old.meta[fact]:
                raise UserError(f"{uri} has another {fact} than the model in service.")
        return new

    def _tell(self) -> None:
        in_use = {each.name: each for each in (self.model, self.previous, self.shadow) if each}
        for name in self._tallies.keys() - in_use:
            self._tallies.pop(name).forget()
        for name in in_use.keys() - self._tallies:
            self._tallies[name] = Tally(in_use[name], self.metrics)
        self.metrics.model.clear()
        for role, model in ((CHAMPION, self.model), (SHADOW, self.shadow)):
            if model:
                self.metrics.model.labels(role, model.name, model.sha256).set(1)
                told = {"role": role, "version": model.name, "uri": model.uri}
                log.info("a model is in use", extra=told)

    def _count(self, answers: list[Answer]) -> None:
        regression = self.model.meta["task"] == "regression"
        for answer in answers:
            if not regression:
                self.metrics.scores.observe(answer["score"])
            decision = "number" if regression else str(answer["decision"]).lower()
            self.metrics.decisions.labels(decision).inc()

    def _follow(self, shadow: Model, records: list[Record], answers: list[Answer]) -> None:
        """Have the shadow score the same records, later and in another thread."""
        if self._following >= MOST_SHADOWED:
            self.metrics.shadow.labels("skipped").inc(len(records))
            return
        self._following += 1
        done = self._follower.submit(self._shadowed, shadow, records, answers)
        done.add_done_callback(self._followed)

    def _shadowed(self, shadow: Model, records: list[Record], answers: list[Answer]) -> None:
        theirs = [
            {**theirs, "id": ours["id"]}
            for theirs, ours in zip(shadow.answers(shadow.feed(records)), answers, strict=True)
        ]
        self.journal.put(make_rows(SHADOW, shadow, records, theirs))
        for one, other in zip(theirs, answers, strict=True):
            same = one["decision"] == other["decision"]
            self.metrics.shadow.labels("same" if same else "different").inc()

    def _followed(self, done: Any) -> None:
        self._following -= 1
        if error := done.exception():  # the answer was given; what failed is only the comparison
            self.metrics.shadow.labels("failed").inc()
            log.error("the shadow failed", extra={"reason": type(error).__name__})


def moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def make_rows(
    role: str, model: Model, records: list[Record], answers: list[Answer]
) -> list[Prediction]:
    """For the journal, what was answered about the records."""
    now, keys = moment(), model.keys
    return [
        Prediction(
            answer["id"],
            role,
            now,
            {name: record[name] for name in keys if name in record} or None,
            model.version,
            model.sha256,
            answer["prediction"],
            answer["score"],
            answer["decision"],
            {name: record[name] for name in model.reads if name in record},
        )
        for record, answer in zip(records, answers, strict=True)
    ]
