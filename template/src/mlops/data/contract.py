"""The data contract: what each column of the table means and must be.

The file is an Open Data Contract Standard document, so that catalogs and other tools read it (see
odcs.py); inside the project it is a `Contract` of plain columns.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from ..core.errors import UserError
from ..core.paths import replacing
from ..core.problem import Task
from ..core.strict_model import StrictModel
from . import odcs
from .date_numbers import FORMS

CONTRACT = Path("contract.yaml")

Type = Literal["integer", "number", "boolean", "string", "date", "timestamp"]
Role = Literal["feature", "target", "key", "time", "group", "ignored"]
Duplicates = Literal["keep_last", "keep_first", "reject", "keep_all"]
Mark = Literal[".", ","]
Thousands = Literal[",", ".", " ", "'"]
Negatives = Literal["sign", "parentheses", "trailing"]
Texts = Annotated[tuple[str, ...], Field(strict=False)]  # a list in the file

DEFAULT_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
ODD_MISSING = (  # said so in some tables, and a value in others
    *("-", "--", ".", "n/a", "n.a.", "#N/A", "<NA>", "NaT", "none", "nil", "missing"),
    *("k.A.", "k. A."),
)
NUMERIC = ("integer", "number")
SCALES = {"%": -2, "‰": -3}  # units that say by which power of ten a number is multiplied
STANDARD = {"type": "logicalType", "categories": "enum", "missing": "missingValues"}


class Described(
    StrictModel,
    alias_generator=lambda name: STANDARD.get(name, to_camel(name)),
    validate_by_name=True,
):
    """In the file each field has the standard's name, or its own in camel case."""


class Column(Described):
    """One column of the table.

    A column by which a row is known has the role key, or another one and `primaryKey`: the date
    of a table with a row for each shop and day is a part of the key, and the time. Cleaning is
    declared, not coded.
    """

    name: str
    """Its name in the newest files."""
    type: Type
    """Type of its values."""
    role: Role = "feature"
    """What it is for; `ignored` ones are kept and checked, and not used."""
    primary_key: bool = False
    """A row is known by it, alone or with others."""
    required: bool = False
    """A row without a value is rejected."""
    known_at_decision: bool = True
    """`false` keeps it from the model, whatever its role: it is filled in later."""
    protected: bool = False
    """People to be treated alike: the model may not be much worse on a part of them."""
    slice: bool = False
    """The model may not be much worse on a part of the business."""
    free_text: bool = False
    """Texts that are read for their words."""
    minimum: int | float | None = None
    """Smallest number allowed."""
    maximum: int | float | None = None
    """Largest number allowed."""
    categories: Texts | None = None
    """The only texts allowed; in the file each is `{value: TEXT}`."""
    known_categories: Texts = ()
    """The texts met so far; others come in, and count as unseen."""
    missing: Texts = DEFAULT_MISSING
    """Spellings of "no value"."""
    formats: Texts = ()
    """Patterns of dates (strptime), tried in order, or names of date_numbers.py."""
    decimal: Mark = "."
    """The decimal mark."""
    thousands: Thousands | None = None
    """What may stand between groups of three digits; `" "` is any blank."""
    unit: str = ""
    """What may stand before or after a number; `%` and `‰` must, and divide."""
    negatives: Negatives = "sign"
    """How negative numbers look: -12 (always read), (12) or, trailing, 12-."""
    spelling: dict[str, str] = Field(default_factory=dict)
    """A delivered text, and the one that is meant."""
    leak_reviewed: bool = False
    """`true`: somebody has looked at its leak and allows it."""
    optional: bool = False
    """A file may lack it; its rows then have the `default`."""
    default: str | None = None
    """For files that lack it: a text as delivered, or no value."""
    former_names: Texts = ()
    """What older files call it."""
    description: str = ""
    """For people."""

    @property
    def is_input(self) -> bool:
        """Tell whether the model may see the column."""
        return self.role in ("feature", "time") and self.known_at_decision

    @property
    def is_key(self) -> bool:
        """Tell whether a row is known by the column, alone or with others."""
        return self.role == "key" or self.primary_key

    def find_in(self, delivered: Collection[str]) -> str | None:
        """Find what a file with these columns calls the column; None: it lacks it."""
        return next((name for name in (self.name, *self.former_names) if name in delivered), None)

    def faults(self) -> list[str]:
        """List what the fields say against each other, each as the part of a sentence."""
        numeric, dated = self.type in NUMERIC, self.type in ("date", "timestamp")
        limits = [limit for limit in (self.minimum, self.maximum) if limit is not None]
        written = self.thousands or self.unit or self.negatives != "sign"
        checks = {
            "minimum and maximum are for numbers": limits and not numeric,
            "its minimum is above its maximum": limits != sorted(limits),
            "thousands, unit and negatives are for numbers": written and not numeric,
            "its thousands are its decimal mark": self.thousands == self.decimal,
            f"the unit {self.unit} makes fractions": self.unit in SCALES and self.type == "integer",
            "freeText is for texts": self.free_text and self.type != "string",
            "freeText is for no category": self.free_text
            and (self.categories or self.slice or self.protected),
            "enum is for texts": self.categories is not None and self.type != "string",
            "knownCategories is for texts": self.known_categories and self.type != "string",
            "a key cannot be optional": self.is_key and self.optional,
            "default is for an optional column": self.default is not None and not self.optional,
            "formats are for dates and timestamps": self.formats and not dated,
            f"formats are patterns such as %d/%m/%Y, or one of {', '.join(FORMS)}": any(
                "%" not in form and form not in FORMS for form in self.formats
            ),
            "the role time is for dates and timestamps": self.role == "time" and not dated,
            "the role target is not for dates": self.role == "target" and dated,
            f"the role {self.role} is not for a primaryKey": (
                self.primary_key and self.role in ("target", "ignored")
            ),
        }
        column = f"column '{self.name}' ({self.type})"
        return [f"{column}: {words}" for words, broken in checks.items() if broken]


class Contract(Described):
    """A table's columns in order, its task, and what to do with rows that share a key."""

    id: str
    """Of the table, in a catalog."""
    name: str
    """Of the table."""
    version: str = "1.0.0"
    """Of the contract; `data evolve` raises it."""
    task: Task
    """Kind of the target."""
    classes: Texts = ()
    """Values of the target, in the order of the model's outputs (binary: negative first)."""
    duplicates: Duplicates = "keep_last"
    """Which of the rows that share a key counts."""
    columns: tuple[Column, ...]
    """In order."""

    @classmethod
    def load(cls, path: str | Path = CONTRACT) -> "Contract":
        """Read and check the file. Raises UserError naming the column and the key at fault."""
        contract = odcs.read_contract(path, cls, Column)
        if faults := contract.faults():
            raise UserError(f"{path}: {faults[0]}.")
        return contract

    def save(self, path: Path = CONTRACT) -> None:
        """Write the file anew, with a heading that says what to review; comments are not kept."""
        entries = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        with replacing(path) as scratch:
            scratch.write_text(
                odcs.format_contract(entries | {"version": self.version}), encoding="utf-8"
            )

    def digest(self) -> str:
        """Digest all that bears on the content of the table; texts for people do not."""
        texts: Any = {"id": True, "name": True, "version": True}
        texts["columns"] = {"__all__": {"description", "known_categories"}}
        text = self.model_dump_json(exclude=texts, exclude_defaults=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def faults(self) -> list[str]:
        """List what the entries say against each other, each as the part of a sentence."""
        called = [name for c in self.columns for name in (c.name, *c.former_names)]
        twice = ", ".join(sorted({name for name in called if called.count(name) > 1}))
        count, goals = len(set(self.classes)), self.of_role("target")
        enough = {"binary": count == 2, "multiclass": count > 2, "regression": count == 0}
        words = self.task == "regression" and any(c.type not in NUMERIC for c in goals)
        checks = {
            f"column {twice} is described more than once": bool(twice),
            "exactly one column must have the role target": len(goals) != 1,
            "several columns have the role time": len(self.of_role("time")) > 1,
            "several columns have the role group": len(self.of_role("group")) > 1,
            "no column is left to learn from; give one the role feature": not self.inputs,
            f"task {self.task} does not go with {count} classes": not enough[self.task],
            "task regression needs a number as target": words,
        }
        own = [fault for column in self.columns for fault in column.faults()]
        return own + [fault for fault, broken in checks.items() if broken]

    @property
    def names(self) -> list[str]:
        """The names of all columns, in order."""
        return [column.name for column in self.columns]

    @property
    def key_names(self) -> list[str]:
        """The names of the columns by which a row is known; a table may have none."""
        return [column.name for column in self.keys]

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
        return tuple(column for column in self.columns if column.is_key)

    def of_role(self, role: Role) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.role == role)

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)
