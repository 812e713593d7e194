"""The data contract: what each column of the table means and must be.

The file is an Open Data Contract Standard document (v3.2, the first with `enum`), so that catalogs
and other tools read it; inside the project it is a `Contract` of plain columns (see odcs.py).
"""

from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import Field

from ..errors import UserError
from ..files import replacing
from ..settings import Settings, Task

CONTRACT = Path("contract.yaml")

Type = Literal["integer", "number", "boolean", "string", "date", "timestamp"]
Role = Literal["feature", "target", "key", "time", "group", "ignored"]
Duplicates = Literal["keep_last", "keep_first", "reject", "keep_all"]

DEFAULT_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")


class Column(Settings):
    """One column. `known_at_decision` False keeps it away from the model whatever its role.

    Cleaning is declared, not coded: `missing` are the spellings of "no value", `formats` the
    strptime patterns of dates (tried in order), `decimal` the decimal mark of numbers, `spelling`
    maps a delivered text to the one that is meant.
    """

    name: str
    type: Type
    role: Role = "feature"
    required: bool = False
    known_at_decision: bool = True
    protected: bool = False
    slice: bool = False
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    missing: tuple[str, ...] = DEFAULT_MISSING
    formats: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    spelling: dict[str, str] = Field(default_factory=dict)
    leak_reviewed: bool = False
    description: str = ""

    @property
    def is_input(self) -> bool:
        """Whether the model may see the column."""
        return self.role in ("feature", "time") and self.known_at_decision

    def fault(self) -> str:
        """What the fields say against each other, as the end of a sentence; "" if nothing."""
        numeric, dated = self.type in ("integer", "number"), self.type in ("date", "timestamp")
        low, high = self.minimum, self.maximum
        faults = {
            "minimum and maximum are for numbers": not numeric and (low, high) != (None, None),
            f"minimum {low} is above maximum {high}": None not in (low, high)
            and (low or 0) > (high or 0),
            "enum is for texts": self.categories is not None and self.type != "string",
            "formats are for dates and timestamps": bool(self.formats) and not dated,
            "the role time is for dates and timestamps": self.role == "time" and not dated,
            "the role target is not for dates": self.role == "target" and dated,
        }
        said = (
            f"{words} (its logicalType is {self.type})"
            for words, broken in faults.items()
            if broken
        )
        return next(said, "")


class Contract(Settings):
    """A table's columns in order, its task, and what to do with rows that share a key.

    `positive` is the target's value that means "act" (binary); `classes` are the target's values
    in the order of the model's outputs (binary: negative first).
    """

    id: str
    name: str
    version: str = "1.0.0"
    task: Task
    classes: tuple[str, ...] = ()
    duplicates: Duplicates = "keep_last"
    columns: tuple[Column, ...]

    @classmethod
    def load(cls, path: str | Path = CONTRACT) -> "Contract":
        """Read and check the file. Raises UserError naming the column and the key at fault."""
        from . import odcs  # noqa: PLC0415  (it needs the classes above)

        contract = odcs.read(path)
        if fault := contract.fault():
            raise UserError(f"{path}: {fault}.")
        return contract

    def save(self, path: Path = CONTRACT) -> None:
        """Write the file anew, with a heading that says what to review; comments are not kept."""
        from . import odcs  # noqa: PLC0415

        with replacing(path) as scratch:
            scratch.write_text(odcs.text(self), encoding="utf-8")

    def fault(self) -> str:
        """The first contradiction within the contract, as a sentence; "" if there is none."""
        for column in self.columns:
            if fault := column.fault():
                return f"column '{column.name}': {fault}"
        name, times = Counter(column.name for column in self.columns).most_common(1)[0]
        if times > 1:
            return f"column '{name}' is described {times} times; keep one"
        for role in ("target", "time", "group"):
            names = ", ".join(f"'{column.name}'" for column in self.of_role(role))
            if len(self.of_role(role)) > 1:
                return f"the role {role} is given to {names}; give it to one column"
        if not self.of_role("target"):
            return "no column has the role target; give it to the one to be predicted"
        if not self.inputs:
            return "no column is left for the model to learn from; give one the role feature"
        return self._fault_of_task()

    def _fault_of_task(self) -> str:
        found, target = len(set(self.classes)), self.target
        numeric = target.type in ("integer", "number")
        regression = self.task == "regression"
        faults = {
            f"task regression needs a number, but the target '{target.name}' is a {target.type}": regression
            and not numeric,
            "task regression has no classes; remove them": regression and found > 0,
            f"task binary needs 2 different classes, but has {found}": self.task == "binary"
            and found != 2,
            f"task multiclass needs 3 or more different classes, but has {found}": self.task
            == "multiclass"
            and found < 3,
        }
        return next((words for words, broken in faults.items() if broken), "")

    @property
    def positive(self) -> str:
        return self.classes[1]

    @property
    def target(self) -> Column:
        return self.of_role("target")[0]

    @property
    def inputs(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.is_input)

    @property
    def keys(self) -> tuple[Column, ...]:
        return self.of_role("key")

    def of_role(self, role: Role) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.role == role)

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)
