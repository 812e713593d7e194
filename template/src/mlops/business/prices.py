"""What things cost, by prices.yaml, and what running the project costs in a month."""

import math
from configparser import ConfigParser
from datetime import date
from pathlib import Path

from ..core.optional_parts import has_part
from ..core.paths import REPORTS, read_json
from ..core.strict_model import Share, StrictModel

PRICES = Path("prices.yaml")
RESOURCES = REPORTS / "resources.json"
PART = 8e6  # bytes; clients move a large object in such parts, each of them a request
GB = 1e9
HOUR, MONTH_HOURS, MONTH_DAYS = 3600, 730, 30.4


class Usage(StrictModel):
    """Of the table, in a month."""

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
        """A month of a table of `size` bytes."""
        gb, parts = size / GB, math.ceil(size / PART)
        writes = usage.versions_written * parts / 1e3 * self.thousand_writes
        reads = usage.full_reads * parts / 1e4 * self.ten_thousand_reads
        egress = usage.full_reads * usage.outside_share * gb * self.egress_gb
        return usage.versions_kept * gb * self.gb_month + writes + reads + egress


class Running(StrictModel):
    """Of a month: machines, by what they take, and people. An older prices.yaml lacks it, and the
    figures here, illustrative as those of the file, hold.
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
        """What one of that unit is worth in the currency; None if nobody has said so."""
        return 1.0 if unit == self.currency else self.value_unit_is_worth

    def month(self) -> dict[str, float]:
        """What a month costs by part: people, service, training, storage."""
        use, service = self.running, has_part("serving")
        replica = use.replica_cores * use.core_hour + use.replica_memory_gb * use.memory_gb_hour
        return {
            "people": use.work_hours * use.work_hour,
            "service": use.replicas * replica * MONTH_HOURS if service else 0.0,
            "training": use.trainings * self.training(),
            "storage": self.storage(),
        }

    def training(self) -> float:
        """One run of the pipeline, by what it was measured to take; 0 if none was."""
        if not RESOURCES.exists():
            return 0.0
        taken, use = read_json(RESOURCES)["total"], self.running
        memory = taken["peak_memory_mb"] / 1e3 * taken["seconds"]
        return float(taken["cpu_seconds"] * use.core_hour + memory * use.memory_gb_hour) / HOUR

    def storage(self) -> float:
        """The versions of the table, where the DVC remote is; 0 if that kind has no price."""
        size = sum(file.stat().st_size for file in Path("data/raw").rglob("*") if file.is_file())
        scheme = remote_scheme()
        kind = next((kind for kind in self.kinds if scheme in kind.schemes), None)
        return kind.bill(size, self.usage) if kind else 0.0


def remote_scheme() -> str:
    """Of the default DVC remote's URL; "file" if it is a folder, or there is none."""
    config = ConfigParser(interpolation=None)
    config.read([".dvc/config", ".dvc/config.local"], encoding="utf-8")
    name = config.get("core", "remote", fallback="")
    url = config.get(f"'remote \"{name}\"'", "url", fallback="")
    return url.partition("://")[0] if "://" in url else "file"


def spent(days: float) -> float | None:
    """What running has cost in so many days; None if there is no prices.yaml."""
    if not PRICES.exists():
        return None
    return sum(Prices.load(str(PRICES)).month().values()) * days / MONTH_DAYS
