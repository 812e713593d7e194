"""What a finding is: something about the table to act on, with the line of the contract."""

from dataclasses import dataclass
from typing import Any, Literal

from ..gates.yaml_location import CONTRACT, Entry

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")

IGNORE = "- {property: role, value: ignored}"
FREE_TEXT = "- {property: freeText, value: true}"
KNOWN_LATER = "- {property: knownAtDecision, value: false}"


@dataclass(frozen=True)
class Finding:
    """High: the model would be judged wrongly, or blocked. Medium: somebody must decide. Low: good
    to know. `measured` is the figure that it rests on, in the unit `measure`; `edit` is a line for
    `where` ("" if the contract need not change).
    """

    kind: str
    severity: Severity
    columns: tuple[str, ...]
    measured: float
    measure: str
    meaning: str
    advice: str
    edit: str
    where: str


def make_finding(kind: str, severity: Severity, columns: tuple[str, ...], **texts: Any) -> Finding:
    """Make a finding on columns of the contract, at the line of the first; of () at all of them."""
    where = str(Entry(CONTRACT, columns[0] if columns else ""))
    return Finding(kind, severity, columns, where=where, **({"edit": ""} | texts))
