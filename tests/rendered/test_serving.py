"""The service of a project that was rendered and trained: asked, and fed from a registry."""

import csv
import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from servers import free_ports, mlflow_server, running
from support import Render, run

pytestmark = pytest.mark.slow
READY = "Uvicorn running on"


@pytest.fixture(scope="module")
def project(set_up: Render) -> Path:
    project = set_up({})
    run("uv", "run", "dvc", "repro", cwd=project)
    return project


@contextmanager
def service(project: Path, folder: Path | None = None, **environment: str) -> Iterator[str]:
    """The address of the service, started as the project's guide says."""
    text = (project / "docs/guide/service.md").read_text(encoding="utf-8")
    assert re.search(r"^```\nuv run mlops serve\n```$", text, re.MULTILINE)
    [port] = free_ports(1)
    command = [str(project / ".venv/bin/flights"), "serve", "--port", str(port)]
    with running(command, READY, environment, folder or project):
        yield f"http://127.0.0.1:{port}"


def ask(address: str, content: Any = None) -> Any:
    body = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(address, body, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())


def records(project: Path, many: int) -> list[dict[str, Any]]:
    """Flights of the sample as a client would send them, and what it knows of them."""
    contract = yaml.safe_load((project / "contract.yaml").read_text(encoding="utf-8"))
    kinds = {p["name"]: p["logicalType"] for p in contract["schema"][0]["properties"]}
    readers = {"integer": lambda text: int(float(text)), "number": float}
    with (project / "data/raw/0001-flights.csv").open(encoding="utf-8") as stream:
        rows = [row for row, _ in zip(csv.DictReader(stream), range(many), strict=False)]
    return [
        {name: readers.get(kinds[name], str)(text) for name, text in row.items() if text}
        for row in rows
    ]


def test_the_service_and_the_batch_give_the_same_numbers(project: Path, tmp_path: Path) -> None:
    run(
        *("uv", "run", "flights", "predict", "data/raw/0001-flights.csv", tmp_path / "out.jsonl"),
        cwd=project,
    )
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[:900]
    batch = [json.loads(line) for line in lines]
    sent = records(project, 900)
    with service(project, UNEXPECTED="score") as address:
        answers = ask(f"{address}/predict", sent)
        single = [ask(f"{address}/predict", record) for record in sent[:50]]
    for answer, row in zip(answers + single, batch + batch[:50], strict=True):
        assert answer["score"] == pytest.approx(row["score"], abs=1e-6)
        assert (answer["prediction"], answer["decision"]) == (row["prediction"], row["decision"])


def test_the_champion_of_a_registry_on_a_server_is_served(project: Path, tmp_path: Path) -> None:
    """By MLflow's REST interface, for an image of the service has no MLflow."""
    for name in ("models", "reports"):
        shutil.copytree(project / name, tmp_path / name)
    for name in ("contract.yaml", "problem.yaml", "params.yaml", "pyproject.toml"):
        shutil.copy(project / name, tmp_path)
    programs = project / ".venv/bin"
    (tmp_path / "stored").mkdir()
    with mlflow_server(programs / "mlflow", tmp_path / "stored") as server:
        there = {"MLFLOW_TRACKING_URI": server, "MODEL_URI": "models:/flights@champion"}
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("MLFLOW_TRACKING_URI", server)
            run(programs / "flights", "stage", "register", cwd=tmp_path)
        shutil.rmtree(tmp_path / "models")
        with service(project, tmp_path, **there) as address:
            told = ask(f"{address}/info")
    assert (told["model_version"], told["uri"]) == ("1", there["MODEL_URI"])
    assert not (tmp_path / "models").exists()


def test_live_traffic_is_reported_as_the_guide_says(project: Path) -> None:
    """Flights are scored, most turn out late or not, and both reports are made of that."""
    text = (project / "docs/guide/service.md").read_text(encoding="utf-8")
    [commands] = re.findall(r"^```\n([^`]*monitor report[^`]*)```$", text, re.MULTILINE)
    shutil.rmtree(project / "journal", ignore_errors=True)
    refused = run(*commands.splitlines()[0].split(), cwd=project, check=False)
    assert refused.returncode == 1
    assert "There is no journal at journal/journal.db" in refused.stdout
    sent = [record for record in records(project, 900) if record.get("late")]
    with service(project, UNEXPECTED="score", JOURNAL_DURABLE="true") as address:
        answers = ask(f"{address}/predict", sent)
        truths = [{"truth": {"yes": "true", "no": "false"}[r["late"]]} for r in sent[:800]]
        told = [
            truth | ({"id": answer["id"]} if place % 2 else {"key": {"flight_id": flight}})
            for place, (truth, answer) in enumerate(zip(truths, answers, strict=False))
            for flight in [sent[place]["flight_id"]]
        ]
        ask(f"{address}/feedback", told + told[:100])
    for command in commands.splitlines():
        run(*command.split(), cwd=project)
    monitoring = json.loads((project / "reports/monitoring.json").read_text(encoding="utf-8"))
    lived = monitoring["performance"]
    assert (lived["predictions"], lived["rows"]) == (len(sent), 800)
    assert (lived["contradictions"], lived["strays"]) == (0, 0)
    assert 0.5 < lived["metric"]["low"] < lived["metric"]["expected"]
    assert monitoring["drift"]["fault"] == ""
    assert len(monitoring["drift"]["inputs"]) > 10
    business = json.loads((project / "reports/business.json").read_text(encoding="utf-8"))
    assert business["realised"]["total"] == pytest.approx(lived["value"]["total"], abs=0.01)
    for file, headline in (
        ("monitoring", monitoring["headline"]),
        ("business", business["headline"]),
    ):
        assert headline in (project / f"reports/{file}.html").read_text(encoding="utf-8")
