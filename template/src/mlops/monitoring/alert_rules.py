"""Stage rules: what Prometheus records and when it raises an alert, whom Alertmanager tells, and
what Grafana shows; all from problem.yaml and params.yaml.
"""

from pathlib import Path
from typing import Any

import yaml

from ..core.paths import replacing
from ..core.team import package_name
from . import conditions, dashboards, objectives, routes, shifts
from .alerts import Rule
from .boards import boards
from .facts import Facts

FOLDER = Path("deploy/monitoring")
RULES, ALERTMANAGER = FOLDER / "rules.yml", FOLDER / "alertmanager.yml"
DASHBOARDS = FOLDER / "dashboards"
HEADING = "# Made by the stage `rules` of dvc.yaml: edit problem.yaml and params.yaml instead.\n"


def run() -> None:
    """Write deploy/monitoring/rules.yml, alertmanager.yml and the dashboards."""
    facts = Facts.read()
    made = groups(facts)
    write_yaml(RULES, {"groups": made})
    write_yaml(ALERTMANAGER, routes.settings())
    dashboards.write(boards(facts), facts.problem.name, DASHBOARDS)
    alerts = sum("alert" in rule for group in made for rule in group["rules"])
    print(f"rules: {alerts} alerts in {RULES.as_posix()}")


def groups(facts: Facts) -> list[dict[str, Any]]:
    """Groups of rules; within one, those below see what those above have recorded."""
    promised, limits = facts.problem.objectives, facts.limits
    raised = {
        "objectives": objectives.alerts(promised),
        "inputs": shifts.alerts(limits),
        **{group.__name__: group(facts) for group in conditions.EVERY},
    }
    recorded = {
        "objectives": objectives.recordings(promised),
        "inputs": shifts.recordings(limits),
    }
    settings = {"inputs": {"interval": shifts.interval(limits)}}

    def rules(name: str) -> list[Rule]:
        return recorded.get(name, []) + [
            alert.rule(facts, package_name()) for alert in raised[name]
        ]

    return [
        {"name": f"{package_name()}-{name}", **settings.get(name, {}), "rules": rules(name)}
        for name in raised
    ]


def write_yaml(target: Path, content: Any) -> None:
    """With texts of several lines as they are read."""
    text = yaml.dump(content, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000)
    with replacing(target) as scratch:
        scratch.write_text(HEADING + text, encoding="utf-8")


class Dumper(yaml.SafeDumper):
    """Of YAML without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, _text)
