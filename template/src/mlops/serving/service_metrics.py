"""What Prometheus reads of the service."""

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
    """Each service has its own, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "requests", "Requests answered", ["path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "request_seconds",
            "Time to answer, from the first byte read",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self.slow = Counter(
            "requests_slow",
            "Requests that took longer than problem.yaml promises",
            ["path"],
            registry=registry,
        )
        self.asked = Gauge(
            "last_prediction_timestamp_seconds",
            "When a prediction was asked for last; at first, when the service began",
            registry=registry,
        )
        for path in WORK:
            self.slow.labels(path)
        self.asked.set_to_current_time()
        limits = LimitGauges(registry).values
        self.slow_after = limits.get("latency_seconds", float("inf"))
        self.waiting = Gauge("requests_waiting", "Requests being answered", registry=registry)
        self.scores = Histogram("score", "Scores given", buckets=SCORES, registry=registry)
        self.decisions = Counter(
            "predictions", "Records scored, by decision", ["decision"], registry=registry
        )
        self.inputs = Counter(
            "input_values",
            "Values that the model read, by the bins of what it learned from",
            BINS,
            registry=registry,
        )
        self.expected = Gauge(
            "input_expected_ratio",
            "Share of the values in a bin when the model learned",
            BINS,
            registry=registry,
        )
        self.unexpected = Counter(
            "unexpected_values",
            "Values outside the contract's limits that were scored by policy",
            ["column", "rule"],
            registry=registry,
        )
        self.journal = Counter(
            "journal_rows", "Rows for the journal: written, or lost", ["outcome"], registry=registry
        )
        for outcome in ("written", "lost"):
            self.journal.labels(outcome)
        self.pending = Gauge("journal_pending", "Rows not written yet", registry=registry)
        self.journal_up = Gauge(
            "journal_up", "Whether the journal can be written", registry=registry
        )
        self.model = Gauge(
            "model_info", "The models in use", ["role", "version", "sha256"], registry=registry
        )
        self.trained = Gauge(
            "model_trained_timestamp_seconds",
            "When a model in use was registered",
            ["version"],
            registry=registry,
        )
        self.changed = Gauge(
            "data_changed_timestamp_seconds",
            "When the table that a model learned from was changed last",
            ["version"],
            registry=registry,
        )
        self.shadow = Counter(
            "shadow",
            "Records also scored in the shadow, by outcome",
            ["outcome"],
            registry=registry,
        )

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(path, str(status)).inc()
        self.seconds.labels(path).observe(seconds)
        if path in WORK and seconds > self.slow_after:
            self.slow.labels(path).inc()
        if path == "/predict":
            self.asked.set_to_current_time()

    def page(self) -> bytes:
        return generate_latest(self.registry)
