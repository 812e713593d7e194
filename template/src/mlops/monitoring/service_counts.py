"""What the service has counted of its requests, and which objective of problem.yaml that breaks."""

from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from ..core.problem import Objectives

ENOUGH_REQUESTS = 20  # fewer say nothing


class Counts(NamedTuple):
    """Counts of requests for predictions, and of records that a model scored in the shadow."""

    requests: float = 0
    failed: float = 0
    slow: float = 0
    same: float = 0
    different: float = 0
    broken: float = 0  # comparisons that failed

    def since(self, before: "Counts") -> "Counts":
        """Return what was counted after `before`; never negative, as a service may start anew."""
        return Counts(*(max(0.0, now - then) for now, then in zip(self, before, strict=True)))


def parse_counts(page: str, slow_ms: float) -> Counts:
    """Return what a page of the service's metrics says; slow is what took over `slow_ms`.

    What users do wrong (4xx) is no failure.
    """
    families = text_string_to_metric_families(page)
    samples = [sample for family in families for sample in family.samples]

    def total(name: str, **labels: str) -> float:
        fitting = (s for s in samples if s.name == name and labels.items() <= s.labels.items())
        return sum(sample.value for sample in fitting)

    asked = {"path": "/predict"}
    statuses = {s.labels["status"] for s in samples if s.name == "requests_total"}
    fast = total("request_seconds_bucket", le=str(slow_ms / 1000), **asked)
    return Counts(
        requests=total("requests_total", **asked),
        failed=sum(
            total("requests_total", status=status, **asked)
            for status in statuses
            if status.startswith("5")
        ),
        slow=total("request_seconds_count", **asked) - fast,
        same=total("shadow_total", outcome="same"),
        different=total("shadow_total", outcome="different"),
        broken=total("shadow_total", outcome="failed"),
    )


def find_complaint(counts: Counts, objectives: Objectives) -> str:
    """Return a sentence about the objective that the requests break; "" if they keep all."""
    if counts.failed > round((1 - objectives.availability) * counts.requests, 6):
        return f"{counts.failed:.0f} of {counts.requests:.0f} requests failed during the trial."
    if counts.slow > round((1 - objectives.latency_share) * counts.requests, 6):
        return (
            f"{counts.slow:.0f} of {counts.requests:.0f} requests took over "
            f"{objectives.latency_ms} ms during the trial."
        )
    return ""
