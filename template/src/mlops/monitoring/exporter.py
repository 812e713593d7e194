"""Export performance, value and retraining to Prometheus."""

import time
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from ..core.errors import UserError
from ..serving.limit_gauges import LimitGauges
from .performance_report import Performance

PORT = 9101
OUTCOMES = ("promoted", "kept", "refused", "failed", "rolled_back")
SLICE = ("column", "value")  # both "": the whole


class Exporter:
    """Serves /metrics on a port; with port None it only keeps the figures, in `registry`."""

    def __init__(self, port: int | None = PORT, host: str = "127.0.0.1") -> None:
        """Raises UserError if the port is taken."""
        self.registry = registry = CollectorRegistry()

        def gauge(name: str, help_: str, labels: Iterable[str] = ()) -> Gauge:
            return Gauge(name, help_, labels, registry=registry)

        self.metric = gauge(
            "performance", "Primary metric where the ground truth has arrived", ("metric", *SLICE)
        )
        self.rows = gauge("performance_rows", "Predictions whose ground truth has arrived", SLICE)
        self.coverage = gauge(
            "truth_coverage_ratio", "Share of predictions whose ground truth has arrived"
        )
        self.delay = gauge("truth_delay_seconds", "From prediction to ground truth", ("quantile",))
        self.contradictions = gauge("truth_contradictions", "Predictions with conflicting labels")
        about = "Repeated requests for a record, by its key, which do not count"
        self.repeats = gauge("repeated_predictions", about)
        about = "Worth of a thousand decisions above doing nothing's on the same rows"
        self.gained = gauge("value_gained_per_thousand", f"{about}, in problem.yaml's unit")
        self.expected = gauge(
            "value_expected_per_thousand", "The same as the evaluation expected it"
        )
        about = "Gain over doing nothing of all decisions whose ground truth has arrived"
        self.total = gauge("value_gained_total", about)
        self.cost = gauge("cost_total", "What running cost meanwhile, in prices.yaml's currency")
        self.limits = LimitGauges(registry)
        self.last_run = gauge(
            "watch_last_run_timestamp_seconds", "When `monitor watch` last checked"
        )
        self.retrainings = Counter(
            "retraining", "Retrainings, by outcome", ["outcome"], registry=registry
        )
        for outcome in OUTCOMES:
            self.retrainings.labels(outcome)
        self._server = None if port is None else _start_server(port, host, registry)

    @property
    def port(self) -> int:
        """Return where it listens; with port 0 the system chose one."""
        return int(self._server[0].server_port) if self._server else 0

    def export(self, performance: Performance) -> None:
        """Take over what was measured; what is not known is NaN, or for a slice, not there."""
        metric, value = performance["metric"], performance["value"]
        for labelled in (self.metric, self.rows, self.delay):
            labelled.clear()
        self._export_part(performance["rows"], metric["name"], metric["value"])
        for each in performance["slices"]:
            where = (each["column"], each["value"])
            self._export_part(each["rows"], metric["name"], each["metric"], where)
        for share, seconds in performance["delay_seconds"].items():
            if seconds is not None:
                self.delay.labels(share).set(seconds)
        figures = {
            self.coverage: performance["coverage"],
            self.contradictions: performance["contradictions"],
            self.repeats: performance.get("repeats"),
            self.gained: value["gained"],
            self.expected: value["expected"],
            self.total: value["total"],
            self.cost: performance.get("cost"),
        }
        for gauge, figure in figures.items():
            gauge.set(float("nan") if figure is None else figure)

    def _export_part(
        self, rows: int, metric: str, figure: float | None, where: tuple[str, str] = ("", "")
    ) -> None:
        """Export a slice by its column and value, or the whole."""
        self.rows.labels(*where).set(rows)
        if figure is not None:
            self.metric.labels(metric, *where).set(figure)

    def mark_look(self) -> None:
        """Export that the loop is at work, whatever it finds, and what it judges by."""
        self.limits.read()
        self.last_run.set(time.time())

    def count_retraining(self, outcome: str) -> None:
        """Count one of OUTCOMES."""
        self.retrainings.labels(outcome).inc()

    def close(self) -> None:
        """End the server, if there is one."""
        if self._server:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()


def _start_server(port: int, host: str, registry: CollectorRegistry) -> Any:
    try:
        return start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise UserError(
            f"port {port} cannot be listened on ({error.strerror}): end what uses it, or choose "
            "another."
        ) from error
