"""An alert: who is told of what, and what the measured figure says.

Each has a page in docs/runbooks that bears its name.
"""

from typing import Any, Literal, NamedTuple

from .facts import Facts

Severity = Literal["page", "ticket"]
Rule = dict[str, Any]


class Alert(NamedTuple):
    """`page`: somebody gets up for it; `ticket`: it can wait for the morning.

    `said` is the description, in which Prometheus prints what was measured; `wait`: for so long it
    must hold.
    """

    name: str
    owner_role: str
    severity: Severity
    expr: str
    summary: str
    said: str
    wait: str = ""

    def rule(self, facts: Facts, job: str) -> Rule:
        """As Prometheus reads it."""
        who = {"owner_role": self.owner_role, "owner": literal(facts.owner(self.owner_role))}
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": self.wait} if self.wait else {}),
            "labels": {**who, "severity": self.severity, "job": job},
            "annotations": {
                "summary": self.summary,
                "description": self.said,
                "runbook": f"docs/runbooks/{self.name}.md",
            },
        }


def literal(text: str) -> str:
    """A text of the team, in which Prometheus shall see no template."""
    return text.replace("{{", '{{ "{{" }}')
