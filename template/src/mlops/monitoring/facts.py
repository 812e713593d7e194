"""What the rules, the routes and the dashboards are made from."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..core.errors import UserError
from ..core.params import Monitoring
from ..core.paths import GATE_REPORT, REPORTS, read_json
from ..core.settings import Params, Problem
from ..core.strict import read_yaml

COMPOSE = Path("deploy/compose.yaml")
CLUSTER = Path("deploy/k8s/base/resources.yaml")
UNITS = {"": 0, "k": 1, "m": 2, "g": 3}


@dataclass(frozen=True)
class Facts:
    """`metric` and `reached`: name and value of the primary metric of the model in use, None if it
    has none; `idle`: value of a thousand decisions without a model; `memory`: bytes that the
    service may take.
    """

    problem: Problem
    params: Params
    metric: str
    reached: float | None
    idle: float
    memory: float

    @classmethod
    def read(cls) -> Self:
        """Raises UserError if the model has not been judged yet."""
        problem, params = Problem.read(), Params.read()
        evaluation, gate = read_json(REPORTS / "evaluation.json"), read_json(GATE_REPORT)
        metric, reached = evaluation["primary_metric"]["name"], in_use(evaluation, gate["passed"])
        memory = min(params.budgets.memory_mb * 1e6, granted())
        return cls(problem, params, metric, reached, evaluation["value"]["do_nothing"], memory)

    @property
    def limits(self) -> Monitoring:
        return self.params.monitoring

    @property
    def least_performance(self) -> float | None:
        """Of the primary metric on live predictions; None: no limit."""
        loss = self.limits.max_performance_loss
        if self.reached is None or loss is None:
            return None
        return round(self.reached - loss, 6)

    @property
    def least_value(self) -> float:
        """Of a thousand decisions: so much above that of doing nothing."""
        return round(self.idle + self.params.gates.min_value, 6)

    def owner(self, role: str) -> str:
        return getattr(self.problem.owners, role) or role.replace("_", " ")


def in_use(evaluation: dict[str, Any], passed: bool) -> float | None:
    """What the model in use reached on the test rows: where a gate blocked, the champion's."""
    champion = evaluation["champion"]
    found = champion["score"] if champion and not passed else evaluation["primary_metric"]["value"]
    return None if found is None else float(found)


def granted() -> float:
    """Bytes of memory that the service's container is granted; infinite where no limit is named.

    Raises UserError if the limit cannot be read.
    """
    if COMPOSE.exists():
        service = read_yaml(str(COMPOSE))["services"]["blue"]
        return amount(f"{service['mem_limit']}i")  # Compose counts in powers of 1024
    if not CLUSTER.exists():
        return float("inf")
    [container] = read_yaml(str(CLUSTER))["spec"]["template"]["spec"]["containers"]
    limits = container.get("resources", {}).get("limits", {})
    return amount(str(limits["memory"])) if "memory" in limits else float("inf")


def amount(text: str) -> float:
    """Bytes, of what Kubernetes writes: 288Mi, 512M. Raises UserError if it is something else.

    >>> amount("2Mi"), amount("2M")
    (2097152.0, 2000000.0)
    """
    found = re.fullmatch(r"([0-9.]+)([kmg]?)(i?)", text.lower())
    if not found:
        raise UserError(f"{CLUSTER}: {text} is no amount of memory: write it like 288Mi.")
    number, unit, binary = found.groups()
    return float(number) * float(1024 if binary else 1000) ** UNITS[unit]
