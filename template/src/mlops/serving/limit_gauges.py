"""The limits that live traffic is judged by, and what the model is for, as Prometheus reads them.

They are what the stage gate has written (gates/limits.py); the rules in deploy/monitoring hold
none.
"""

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from ..core.paths import read_json
from ..gates.limits import LIMITS

ABOUT = ("decision", "kpi", "before", "unit")
# Less than these is wrong; more than any other is.
LEAST = ("performance", "value")
# Where Linux says how much memory a container may take: version 2 of control groups, and 1.
GRANTED = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class LimitGauges:
    """A gauge for each limit; without the file there is none, which an alert tells."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._about = Gauge("mlops_project_info", "What the model is for", ABOUT, registry=registry)
        self._limits = Gauge(
            "mlops_limit", "What is promised, or judged by", ["limit"], registry=registry
        )
        self.values: dict[str, float] = {}
        self.read()

    def read(self) -> None:
        """Take over what the file says; where there is no limit, a number that nothing reaches."""
        if not LIMITS.exists():
            return
        written = read_json(LIMITS)
        self._about.clear()
        self._about.labels(*(written["project"].get(name, "") for name in ABOUT)).set(1)
        for name, limit in written["limits"].items():
            none = float("-inf" if name in LEAST else "inf")
            value = none if limit is None else float(limit)
            self.values[name] = (
                min(value, read_granted_memory()) if name == "memory_bytes" else value
            )
            self._limits.labels(name).set(self.values[name])


def read_granted_memory() -> float:
    """Read how many bytes this container may take; infinite where nothing says so."""
    for file in map(Path, GRANTED):
        if file.exists() and (text := file.read_text(encoding="ascii").strip()) != "max":
            return float(text)
    return float("inf")
