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
    versions_written: float
    full_reads: float
    outside_share: Share
    hour_is_worth: float


class Kind(StrictModel):
    """A kind of storage with its prices; what was measured at a URL of its schemes is its speed."""

    name: str
    schemes: list[str]
    gb_month: float
    thousand_writes: float
    ten_thousand_reads: float
    egress_gb: float

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
    memory_gb_hour: float = 0.005
    trainings: float = 4
    replicas: float = 2
    replica_cores: float = 0.5
    replica_memory_gb: float = 0.25
    work_hours: float = 6
    work_hour: float = 60.0


class Prices(StrictModel):
    """prices.yaml. `value_unit_is_worth`: one unit of problem.yaml's value in the currency."""

    as_of: date
    currency: str
    value_unit_is_worth: float | None = None
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
