"""A contract on its way to its next version: each change of a column, and what it means in words.

Files that were delivered before stay readable: by former names, by wider types, and by columns that
may be lacking.
"""

import re

import polars as pl

from ..core.errors import UserError
from ..data import cells
from ..data.contract import Column, Contract, Role, Type
from .column_differences import WIDER
from .contract_draft import draft_column, suggest
from .type_inference import change_column

SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)")
OF_NUMBERS = {"minimum", "maximum", "decimal", "thousands", "unit", "negatives"}
FIXED: tuple[Role, ...] = ("key", "time", "group")  # roles without which the table is another


class Evolution:
    """The columns as they are to be, by name and in order, and a sentence for each change."""

    def __init__(self, contract: Contract) -> None:
        self._before = contract
        self.columns = {column.name: column for column in contract.columns}
        self.changes: list[str] = []

    @property
    def contract(self) -> Contract:
        """The contract as far as it has come."""
        return self._before.model_copy(update={"columns": tuple(self.columns.values())})

    def finish(self) -> Contract:
        """Raise the minor version. Raises UserError if the contract contradicts itself now."""
        version = self._before.version
        if not (parts := SEMVER.fullmatch(version)):
            raise UserError(f"contract.yaml: its version is {version}; write it as 1.2.0.")
        raised = f"{parts[1]}.{int(parts[2]) + 1}.0"
        evolved = self.contract.model_copy(update={"version": raised})
        if faults := evolved.faults():
            raise UserError(f"contract.yaml would contradict itself: {faults[0]}.")
        return evolved

    def rename(self, old: str, new: str) -> None:
        """Call a column otherwise. Raises UserError if another column is, or was, called so."""
        column = self.find(old)
        others = (c for c in self.columns.values() if c.name != old)
        if any(new in (other.name, *other.former_names) for other in others):
            raise UserError(f"contract.yaml has a column {new} already: choose another name.")
        former = dict.fromkeys((old, *column.former_names))
        self._change(old, name=new, former_names=tuple(name for name in former if name != new))
        self.changes.append(f"{old} is called {new}; files may go on calling it {old}")

    def drop(self, name: str) -> None:
        """Let files lack a column, and learn from it no more.

        Raises UserError if the table is made by it.
        """
        role = self.find(name).role
        if role in FIXED:
            raise UserError(
                f"{name} is the {role} of the table and cannot be dropped: give another column of "
                "contract.yaml this role first."
            )
        label = role == "target"
        self._change(name, optional=True, required=False, role=role if label else "ignored")
        effect = "such rows have no label" if label else "ignored, and missing in such rows"
        self.changes.append(f"{name} may be lacking from now on: {effect}")

    def let_lack(self, name: str) -> None:
        """Let files lack a column that others have."""
        self._change(name, optional=True, required=False)
        self.changes.append(f"{name} may be lacking, and is missing in the rows of such files")

    def widen(self, name: str, kind: str, formats: tuple[str, ...] = (), example: str = "") -> None:
        """Give a column a type that reads all it has read so far, by these formats if it is a time;
        a text has no rules of numbers.

        Raises UserError if the type is no wider one.
        """
        column = self.find(name)
        may_be_text = column.role != "target"
        types = (each for each in WIDER.get(column.type, ()) if may_be_text or each != "string")
        wider: dict[str, Type] = {each: each for each in types}
        if kind not in wider:
            ways = " or ".join(wider) or "nothing wider"
            raise UserError(f"{name} ({column.type}) cannot become {kind}, only {ways}.")
        plain = Column(name=name, type="string").model_dump(include=OF_NUMBERS | {"formats"})
        rules = plain if kind == "string" else {"formats": formats or column.formats}
        self._change(name, type=wider[kind], **rules)
        why = f", as {example} needs it" if example else ""
        self.changes.append(f"{name} becomes {kind} (was {column.type}){why}")

    def take_in(self, name: str, frame: pl.LazyFrame, role: Role) -> None:
        """Draft a new column from the rows of the files that have it."""
        comma = any(column.decimal == "," for column in self.columns.values())
        column = draft_column(frame, name, role, "," if comma else ".")
        self.columns[name] = change_column(column, optional=True, required=False)
        use = "learned from" if column.role == "feature" else "ignored until its role is feature"
        if role == "feature" and column.role == "ignored":
            use = "ignored, as it has one value so far, or another in each row"
        self.changes.append(f"{name} is new ({column.type}): {use}, missing in files without it")

    def set_default(self, name: str, value: str) -> None:
        """Let files lack a column, whose value then is a text as it would be delivered.

        Raises UserError if the text cannot be read, or the column is a key.
        """
        column = self.find(name)
        cell = cells.read_cell(column, pl.String(), thorough=True).alias("value")
        text = pl.DataFrame({name: [value]}, schema={name: pl.String})
        if column.role == "key" or text.select(cell).item() is None:
            raise UserError(
                f"{name} ({column.role}, {column.type}) cannot be {value!r} by default."
            )
        self._change(name, optional=True, default=value)
        self.changes.append(f"{name} is {value!r} in the rows of files without it")

    def find(self, name: str) -> Column:
        """Return a column. Raises UserError if there is none of that name."""
        if name not in self.columns:
            raise UserError(f"contract.yaml has no column {name}; {suggest(name, self.columns)}")
        return self.columns[name]

    def _change(self, old: str, **fields: object) -> None:
        changed = change_column(self.columns[old], **fields)
        columns = (changed if name == old else column for name, column in self.columns.items())
        self.columns = {column.name: column for column in columns}
