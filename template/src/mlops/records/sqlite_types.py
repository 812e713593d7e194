"""The type of each column of a SQLite query, which has a type for each cell instead.

The driver goes by the first rows it gets. So each column is looked through first; then cells are
written in one type, and the first row, which is left out again, is of those types.
"""

from typing import Any, NamedTuple

from ..core.errors import UserError
from ..data.number_text import LARGEST
from .addresses import quote_name


class Kinds(NamedTuple):
    """How many cells of a column hold each kind of value, and the greatest whole number (±)."""

    texts: int
    reals: int
    integers: int
    blobs: int
    greatest: int

    @classmethod
    def list_measures(cls, name: str) -> list[str]:
        """List the SQL expressions that measure a column of the quoted name."""
        kinds = ("text", "real", "integer", "blob")
        counts = [f"total(typeof({name}) = '{kind}')" for kind in kinds]
        size = f"CASE typeof({name}) WHEN 'integer' THEN max({name}, -1 - {name}) END"
        return [*counts, f"ifnull(max({size}), 0)"]

    def choose_type(self) -> str:
        """Choose the narrowest type that holds every value exactly; "" if there is no value."""
        if self.texts or (self.reals and self.greatest > LARGEST):
            return "text"
        if self.reals:
            return "real"
        return "integer" if self.integers else ""


def type_columns(cursor: Any, table: str, place: str) -> str:
    """Compose the query that gives each column of `table` (or a query in brackets) one type.

    Its first row is made up, to show the types. Raises UserError naming the `place` and a column
    that holds what is neither number nor text.
    """
    cursor.execute(" ".join(("SELECT * FROM", table, "LIMIT 0")))
    names = [quote_name(field.name) for field in cursor.fetch_arrow_table().schema]
    measures = [measure for name in names for measure in Kinds.list_measures(name)]
    cursor.execute(" ".join(("SELECT", ", ".join(measures), "FROM", table)))
    figures = [int(figure or 0) for figure in cursor.fetchone()]
    size = len(Kinds._fields)
    kinds = {name: Kinds(*figures[size * at : size * (at + 1)]) for at, name in enumerate(names)}
    for name, kind in kinds.items():
        if kind.blobs:
            raise UserError(
                f"{place}: column {name} holds binary values in {kind.blobs:,} rows; leave it out "
                "with a --query that names the other columns."
            )
    examples = {"text": "''", "real": "0.5", "integer": "0", "": "NULL"}
    types = {name: kind.choose_type() for name, kind in kinds.items()}
    first = ", ".join(f"{examples[type_]} AS {name}" for name, type_ in types.items())
    rest = ", ".join(f"{_cast(name, type_)} AS {name}" for name, type_ in types.items())
    return " ".join(("SELECT", first, "UNION ALL SELECT", rest, "FROM", table))


def _cast(name: str, type_: str) -> str:
    """Write the cells of a column in one type, whole and decimal numbers with all their digits."""
    if type_ == "real":
        return f"CAST({name} AS REAL)"
    if type_ != "text":
        return name
    short, long = f"CAST({name} AS TEXT)", f"printf('%!.17g', {name})"
    exact = f"CASE WHEN CAST({short} AS REAL) = {name} THEN {short} ELSE {long} END"
    return f"CASE typeof({name}) WHEN 'real' THEN {exact} ELSE {short} END"
