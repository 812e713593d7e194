"""Read what things cost from prices.yaml, and reckon what running the project costs in a month."""

import math
from datetime import date
from pathlib import Path

from ..core.dvc_remote import read_remote_url
from ..core.optional_parts import has_part
from ..core.paths import USAGE, read_json
from ..core.strict_model import Share, StrictModel

PRICES = Path("prices.yaml")
PART = 8e6  # bytes; clients move a large object in such parts, each of them a request
GB = 1e9
HOUR, MONTH_HOURS, MONTH_DAYS = 3600, 730, 30.4


class Usage(StrictModel):
    """How the table is used in a month."""

    versions_kept: float
    """Versions of the table; DVC keeps each whole."""
    versions_written: float
    """New versions of the table."""
    full_reads: float
    """Reads of the whole table, by pipelines, checks and people."""
    outside_share: Share
    """Of these reads, those from outside the provider's network: they pay egress."""
    hour_is_worth: float
    """An hour of waiting for a read; 0: only the bill counts."""


class Kind(StrictModel):
    """A kind of storage with its prices; what was measured at a URL of its schemes is its speed."""

    name: str
    """What people call it."""
    schemes: list[str]
    """Schemes of the URLs that are such storage."""
    gb_month: float
    """Keeping 10^9 bytes for a month."""
    thousand_writes: float
    """A thousand write requests."""
    ten_thousand_reads: float
    """Ten thousand read requests."""
    egress_gb: float
    """10^9 bytes read from outside the provider's network."""

    def bill(self, size: float, usage: Usage) -> float:
        """Return what a month of a table of `size` bytes costs."""
        gb, parts = size / GB, math.ceil(size / PART)
        writes = usage.versions_written * parts / 1e3 * self.thousand_writes
        reads = usage.full_reads * parts / 1e4 * self.ten_thousand_reads
        egress = usage.full_reads * usage.outside_share * gb * self.egress_gb
        return usage.versions_kept * gb * self.gb_month + writes + reads + egress


class Running(StrictModel):
    """What a month takes of machines and people.

    An older prices.yaml lacks it, and the figures here, illustrative as those of the file, hold.
    """

    core_hour: float = 0.04
    """One processor core for an hour."""
    memory_gb_hour: float = 0.005
    """10^9 bytes of memory for an hour."""
    trainings: float = 4
    """Runs of the pipeline in a month; what one takes is measured."""
    replicas: float = 2
    """Of the service."""
    replica_cores: float = 0.5
    """Processor cores of each replica."""
    replica_memory_gb: float = 0.25
    """Memory of each replica, in 10^9 bytes."""
    work_hours: float = 6
    """Hours a month of the people who look after it."""
    work_hour: float = 60.0
    """An hour of their work."""


class Prices(StrictModel):
    """All of prices.yaml. It is the data engineer's file."""

    as_of: date
    """The day of the prices."""
    currency: str
    """Of every price in the file."""
    value_unit_is_worth: float | None = None
    """One `value.unit` of problem.yaml in this currency, if it is not the same."""
    usage: Usage
    running: Running = Running()
    kinds: list[Kind]

    def worth(self, unit: str) -> float | None:
        """Return what one of that unit is worth in the currency; None if nobody has said so."""
        return 1.0 if unit == self.currency else self.value_unit_is_worth

    def costs_of_month(self) -> dict[str, float]:
        """Return what a month costs by part: people, service, training, storage."""
        use, service = self.running, has_part("serving")
        replica = use.replica_cores * use.core_hour + use.replica_memory_gb * use.memory_gb_hour
        return {
            "people": use.work_hours * use.work_hour,
            "service": use.replicas * replica * MONTH_HOURS if service else 0.0,
            "training": use.trainings * self.cost_of_training(),
            "storage": self.cost_of_storage(),
        }

    def cost_of_training(self) -> float:
        """Return what one run of the pipeline costs by what it took; 0 if none was measured."""
        if not USAGE.exists():
            return 0.0
        total, use = read_json(USAGE)["total"], self.running
        memory = total["peak_memory_mb"] / 1e3 * total["seconds"]
        return float(total["cpu_seconds"] * use.core_hour + memory * use.memory_gb_hour) / HOUR

    def cost_of_storage(self) -> float:
        """Return what the versions of the table cost at the DVC remote; 0 if that has no price."""
        size = sum(file.stat().st_size for file in Path("data/raw").rglob("*") if file.is_file())
        scheme = read_remote_scheme()
        kind = next((kind for kind in self.kinds if scheme in kind.schemes), None)
        return kind.bill(size, self.usage) if kind else 0.0


def read_remote_scheme() -> str:
    """Return the scheme of the default DVC remote's URL; "file" if it is a folder, or none."""
    url = read_remote_url()
    return url.partition("://")[0] if "://" in url else "file"


def cost_of_running(days: float) -> float | None:
    """Return what running costs in so many days; None if there is no prices.yaml."""
    if not PRICES.exists():
        return None
    return sum(Prices.load(str(PRICES)).costs_of_month().values()) * days / MONTH_DAYS
