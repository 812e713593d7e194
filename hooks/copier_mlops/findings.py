"""What was found in a repository."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    `rule` says which standard, such as `managed.changed`; `path` and `line` say where, if it has a
    place; `message` is one sentence: what, where, what to do. `waived` is the reason of the waiver
    that covers it.
    """

    rule: str
    severity: Severity
    path: str | None
    line: int | None
    message: str
    waived: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether it is an error that nobody has waived."""
        return self.severity == "error" and self.waived is None


@dataclass(frozen=True)
class Report:
    """What is known about one repository.

    `template` is the address it was made from, `version` the release it is at, `newest` that of the
    template and `behind` the number of releases between them. `broken` says why it could not be
    read; then there are no findings. `facts` are answers and settings for overviews of many.
    """

    repository: str
    template: str | None = None
    version: str | None = None
    newest: str | None = None
    behind: int | None = None
    findings: list[Finding] = field(default_factory=list)
    broken: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether it could not be read, or holds an error that nobody has waived."""
        return self.broken is not None or any(finding.blocks for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Make the object that is written as JSON: the attributes, and `failed`."""
        return {**asdict(self), "failed": self.failed}
