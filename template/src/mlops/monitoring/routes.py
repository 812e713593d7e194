"""Whom Alertmanager tells: each role has a webhook, whose address is in a file out of git."""

from typing import Any

from ..core.settings import Owners
from ..core.team import package_name

WEBHOOKS = "/etc/alertmanager/webhooks"
EVERYBODY = "everybody"
# What follows from a cause that its owner is told of already.
FOLLOWS = {
    "ServiceDown": ("JournalDown", "MemoryHigh", "NoTraffic", "RequestsFail", "RequestsSlow"),
    "JournalDown": ("RowsLost",),
}


def settings() -> dict[str, Any]:
    """Of Alertmanager. Alerts that name no role of problem.yaml go to everybody's webhook."""
    roles = list(Owners.model_fields)
    urgent = {"matchers": ['severity="page"'], "group_wait": "5s", "repeat_interval": "1h"}
    return {
        "route": {
            "receiver": EVERYBODY,
            "group_by": ["job", "alertname"],
            "group_wait": "10s",
            "group_interval": "5m",
            "repeat_interval": "1d",
            "routes": [
                {"receiver": role, "matchers": [f'owner_role="{role}"'], "routes": [urgent]}
                for role in roles
            ],
        },
        "inhibit_rules": inhibitions(),
        "receivers": [receiver(name) for name in (EVERYBODY, *roles)],
    }


def inhibitions() -> list[dict[str, Any]]:
    """Who is silent while another speaks, of the same job."""
    ours = f'job="{package_name()}"'
    causes = [
        {
            "source_matchers": [ours, f'alertname="{cause}"'],
            "target_matchers": [ours, f'alertname=~"{"|".join(effects)}"'],
        }
        for cause, effects in FOLLOWS.items()
    ]
    return [
        *causes,
        {
            "source_matchers": [ours, 'severity="page"'],
            "target_matchers": [ours, 'severity="ticket"'],
            "equal": ["alertname"],
        },
        {  # a column that is gone, or that has new values, has drifted by that
            "source_matchers": [ours, 'alertname=~"MissingValues|UnseenCategories"'],
            "target_matchers": [ours, 'alertname="InputDrift"'],
            "equal": ["version", "input"],
        },
    ]


def receiver(name: str) -> dict[str, Any]:
    webhook = {"url_file": f"{WEBHOOKS}/{name}", "send_resolved": True}
    return {"name": name, "webhook_configs": [webhook]}
