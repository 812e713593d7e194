"""What Prometheus reads of the service."""

from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from .limit_gauges import LimitGauges

WORK = ("/predict", "/feedback")
# They tell when each series began: twice as many lines, for nobody.
disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
BINS = ("version", "input", "bin")
SCORES = tuple(tenth / 10 for tenth in range(1, 11))


class Metrics:
    """What a service counts; each has its own, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = counter("requests", "Requests answered", ["path", "status"])
        about = "Time to answer, from when the request had been read"
        self.seconds = histogram("request_seconds", about, ["path"], buckets=SECONDS)
        about = "Requests that took longer than problem.yaml promises"
        self.slow = counter("requests_slow", about, ["path"])
        about = "When a prediction was asked for last; at first, when the service began"
        self.asked = gauge("last_prediction_timestamp_seconds", about)
        for path in WORK:
            self.slow.labels(path)
        self.asked.set_to_current_time()
        limits = LimitGauges(registry).values
        self.slow_after = limits.get("latency_seconds", float("inf"))
        self.waiting = gauge("requests_waiting", "Requests being answered")
        self.held = gauge("requests_held_bytes", "Of the requests being read or answered")
        self.scores = histogram("score", "Scores given", buckets=SCORES)
        self.decisions = counter("predictions", "Records scored, by decision", ["decision"])
        about = "Values that the model read, by the bins of what it learned from"
        self.inputs = counter("input_values", about, BINS)
        about = "Share of the values in a bin when the model learned"
        self.expected = gauge("input_expected_ratio", about, BINS)
        about = "Texts that the model did not meet when it learned"
        self.unseen = counter("input_unseen", about, BINS[:2])
        about = "Share of such texts to expect, by those that training met once"
        self.expected_unseen = gauge("input_expected_unseen_ratio", about, BINS[:2])
        about = "Values outside the contract's limits that were scored by policy"
        self.unexpected = counter("unexpected_values", about, ["column", "rule"])
        about = "Rows for the journal: written, lost, or withdrawn as their requests were refused"
        self.journal = counter("journal_rows", about, ["outcome"])
        for outcome in ("written", "lost", "withdrawn"):
            self.journal.labels(outcome)
        about = "Times that the journal could not be written, by reason"
        self.journal_faults = counter("journal_faults", about, ["reason"])
        self.pending = gauge("journal_pending", "Rows not written yet")
        self.journal_up = gauge("journal_up", "Whether the journal can be written")
        self.model = gauge("model_info", "The models in use", ["role", "version", "sha256"])
        about = "When a model in use was registered"
        self.trained = gauge("model_trained_timestamp_seconds", about, ["version"])
        about = "When the table that a model learned from was changed last"
        self.changed = gauge("data_changed_timestamp_seconds", about, ["version"])
        about = "Records also scored in the shadow, by outcome"
        self.shadow = counter("shadow", about, ["outcome"])

    def answered(self, path: str, status: int, seconds: float | None) -> None:
        """Count a request, and how long it took unless it never came whole."""
        self.requests.labels(path, str(status)).inc()
        if seconds is not None:
            self.seconds.labels(path).observe(seconds)
            if path in WORK and seconds > self.slow_after:
                self.slow.labels(path).inc()
        if path == "/predict":
            self.asked.set_to_current_time()

    def page(self) -> bytes:
        """Write all figures as Prometheus reads them."""
        return generate_latest(self.registry)
