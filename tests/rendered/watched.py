"""A Prometheus that looks each second, and those beside it: a stand-in for `monitor watch`, and the
webhooks that Alertmanager tells.
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from alert_cases import LIMITS
from engine import unpack_packages
from servers import debian, running
from test_serving import ask

TEMPLATES = Path("/usr/share/prometheus/alertmanager")
"""Where Debian's Alertmanager wants those of its messages, wherever it lies itself."""
RELEASE = "dns_sd_configs: [{names: [service], type: A, port: 8000, refresh_interval: 5s}]"
WATCHED = """\
performance{metric="roc_auc",column="",value=""} 0.66
performance{metric="roc_auc",column="carrier",value="AA"} 0.64
performance_rows{column="",value=""} 900
performance_rows{column="carrier",value="AA"} 300
truth_coverage_ratio 0.8
truth_delay_seconds{quantile="0.5"} 3600
truth_delay_seconds{quantile="0.9"} 7200
truth_contradictions 3
repeated_predictions 0
value_gained_per_thousand 240
value_expected_per_thousand 260
value_gained_total 216
cost_total 20
watch_last_run_timestamp_seconds NOW
retraining_total{outcome="promoted"} 1
retraining_total{outcome="refused"} 0
retraining_total{outcome="failed"} 0
retraining_total{outcome="rolled_back"} 0
"""
"""What `monitor watch` tells, by its names."""

AlertsByRole = dict[str, list[dict[str, Any]]]


@dataclass
class World:
    """A project at work: the addresses of the service and of Prometheus, what Alertmanager told
    whom, and the folder of rules and dashboards.
    """

    service: str
    prometheus: str
    alerts: AlertsByRole
    made: Path
    flights: list[dict[str, Any]] = field(default_factory=list)

    def query(self, expr: str) -> list[dict[str, Any]]:
        reply = ask(f"{self.prometheus}/api/v1/query?{urlencode({'query': expr})}")
        assert reply["status"] == "success", reply
        return reply["data"]["result"]

    def names(self) -> set[str]:
        return {*ask(f"{self.prometheus}/api/v1/label/__name__/values")["data"]}


def faster(made: Path, places: dict[str, str], window: str) -> None:
    """Have Prometheus look here, and each second; a `window` for inputs is shorter than a day."""
    text = (made / "prometheus.yml").read_text(encoding="utf-8")
    for there, here in places.items():
        assert there in text
        text = text.replace(there, here)
    (made / "prometheus.yml").write_text(text.replace("15s", "1s"), encoding="utf-8")
    rules = (made / "rules.yml").read_text(encoding="utf-8")
    for slow, quick in (
        ("interval: 1m", "interval: 1s"),
        ("values_total[1d]", f"values_total[{window}]"),
    ):
        assert slow in rules
        rules = rules.replace(slow, quick)
    (made / "rules.yml").write_text(rules, "utf-8")


def webhooks(made: Path, address: str) -> None:
    """As the README of deploy/ says, at the place that is written in the settings."""
    text = (made / "alertmanager.yml").read_text(encoding="utf-8")
    (made / "webhooks").mkdir()
    for role in re.findall(r"url_file: /etc/alertmanager/webhooks/(\w+)", text):
        (made / "webhooks" / role).write_text(f"{address}/{role}\n", encoding="utf-8")
    text = text.replace("/etc/alertmanager/webhooks", str(made / "webhooks"))
    (made / "alertmanager.yml").write_text(text, encoding="utf-8")


@contextmanager
def run_monitoring(made: Path, alertmanager: str, prometheus: str, kept: Path) -> Iterator[None]:
    """Both at work with the settings in `made`, at these addresses; `kept` is a folder to fill."""
    programs = unpack_packages("monitoring", ["prometheus-alertmanager"])
    tell = [str(programs / "usr/bin/prometheus-alertmanager"), "--cluster.listen-address="]
    tell += [f"--config.file={made}/alertmanager.yml", f"--web.listen-address={alertmanager}"]
    look = [debian("prometheus", "prometheus"), f"--config.file={made}/prometheus.yml"]
    look += [f"--web.listen-address={prometheus}", f"--storage.tsdb.path={kept}"]
    with ExitStack() as opened:
        if not TEMPLATES.exists():
            TEMPLATES.parent.mkdir(exist_ok=True)
            TEMPLATES.symlink_to(programs / TEMPLATES.relative_to("/"))
            opened.callback(TEMPLATES.unlink)
        opened.enter_context(running(tell, "Listening on"))
        opened.enter_context(running(look, "ready to receive web requests"))
        yield


def listener(alerts: AlertsByRole) -> type[BaseHTTPRequestHandler]:
    """`monitor watch` for those who get, and everybody's webhook for those who post."""

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            limits = "".join(f'mlops_limit{{limit="{name}"}} {by}\n' for name, by in LIMITS.items())
            self.answer((WATCHED.replace("NOW", str(time.time())) + limits).encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            alerts[self.path.removeprefix("/")] += body["alerts"]
            self.answer(b"")

        def answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    return Listener
