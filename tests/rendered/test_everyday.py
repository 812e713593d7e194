"""Ten changes that a team makes every week: in two files at most, all of them the team's or shared,
and seen at work in one run of the pipeline.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from copier_mlops.check import check
from copier_mlops.template import Templates
from standards import list_findings
from support import Render, commit, git, run

ROOT = Path(__file__).parents[2]
Change = Callable[[Path], None]


def edit(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")


def add_derived_column(project: Path) -> None:
    file = project / "src/flights/features.py"
    edit(
        file,
        (
            "from sklearn.preprocessing import StandardScaler\n",
            "from sklearn.preprocessing import PolynomialFeatures, StandardScaler\n",
        ),
        (
            '            ("few", one_hot(), few_categories),\n',
            '            ("few", one_hot(), few_categories),\n'
            '            ("powers", make_pipeline(standard(), PolynomialFeatures()), numbers),\n',
        ),
    )


def add_candidate(project: Path) -> None:
    edit(
        project / "src/flights/candidates.py",
        (
            "lightgbm, linear\n",
            "lightgbm, linear\nfrom sklearn.naive_bayes import GaussianNB\n",
        ),
        (
            "CANDIDATES = (\n",
            "def bayes(task):\n    return GaussianNB()\n\n\n"
            'CANDIDATES = (\n    Candidate("bayes", scaled, bayes),\n',
        ),
    )
    edit(project / "params.yaml", ("[baseline, linear,", "[baseline, bayes, linear,"))


def add_metric(project: Path) -> None:
    edit(
        project / "src/flights/metrics.py",
        ("from mlops.api import Metric\n", "import numpy as np\nfrom mlops.api import Metric\n"),
        (
            "METRICS: tuple[Metric, ...] = ()",
            "def hits(truth, scores):\n"
            '    likeliest = np.argsort(-scores, kind="stable")[: len(truth) // 10]\n'
            "    return float(truth[likeliest].mean())\n\n\n"
            'METRICS = (Metric("hits", hits, tasks=("binary",)),)',
        ),
    )
    edit(project / "params.yaml", ("metric: auto ", "metric: hits "))


def add_source(project: Path) -> None:
    """A second delivery of the table."""
    whole = (project / "data/raw/0001-flights.csv").read_text(encoding="utf-8").splitlines()
    rows = [
        line.replace(line.split(",")[0], str(900_000 + n), 1) for n, line in enumerate(whole[1:41])
    ]
    (project / "more.csv").write_text("\n".join([whole[0], *rows]) + "\n", encoding="utf-8")
    run("uv", "run", "mlops", "data", "add", "more.csv", cwd=project)
    (project / "more.csv").unlink()


def change_alert_limit(project: Path) -> None:
    edit(project / "params.yaml", ("max_psi: 0.2 ", "max_psi: 0.15"))


def add_gate(project: Path) -> None:
    edit(
        project / "src/flights/gates.py",
        ("from mlops.api import Gate\n", "from mlops.api import Finding, Gate\n"),
        (
            "GATES: tuple[Gate, ...] = ()",
            "def few_enough(evidence):\n"
            '    share = float(evidence.predictions()["decision"].mean())\n'
            '    return Finding(share < 0.9, share, 0.9, f"{share:.0%} are warned", "No!")\n\n\n'
            'GATES = (Gate("workload", "Few enough to handle", "business_owner", few_enough),)',
        ),
    )


def protect_slice(project: Path) -> None:
    edit(
        project / "contract.yaml",
        (
            "          - {property: slice, value: true}\n",
            "          - {property: slice, value: true}\n"
            "          - {property: protected, value: true}\n",
        ),
    )


def add_stage(project: Path) -> None:
    (project / "count.py").write_text(
        "from pathlib import Path\n\n"
        'lines = Path("reports/plots/slices.csv").read_text().splitlines()\n'
        'Path("reports/groups.txt").write_text(f"{len(lines) - 1}\\n")\n'
    )
    with (project / "dvc.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "\n  groups:\n    cmd: python count.py\n"
            "    deps: [count.py, reports/plots/slices.csv]\n    outs: [reports/groups.txt]\n"
        )


def name_owner(project: Path) -> None:
    problem = yaml.safe_load((project / "problem.yaml").read_text(encoding="utf-8"))
    old = problem["owners"]["data_scientist"]
    for name in ("problem.yaml", ".github/CODEOWNERS"):
        text = (project / name).read_text(encoding="utf-8")
        assert old in text
        (project / name).write_text(text.replace(old, "@acme/research"), encoding="utf-8")


REPORTS = ("ingest", "evaluation", "gate", "limits")
EVERYDAY = (
    *(add_derived_column, add_candidate, add_metric, add_source, change_alert_limit),
    *(add_gate, protect_slice, add_stage, name_owner),
)


@pytest.fixture(scope="module")
def project(set_up: Render) -> Path:
    """A project of its own, committed."""
    return commit(set_up({"project_name": "Everyday", "package": "flights"}))


@pytest.mark.slow
def test_each_is_made_in_two_files_of_the_teams_and_is_seen_at_work(
    project: Path, templates: Templates
) -> None:
    """All are made one after the other, and the pipeline is run once."""
    for change in EVERYDAY:
        change(project)
        git(project, "add", "--all")
        changed = git(project, "diff", "--cached", "--name-only").split()
        changed = [path for path in changed if not path.startswith("data/raw/")]  # the delivery
        assert 1 <= len(changed) <= 2, (change.__name__, changed)
        commit(project, change.__name__)
        assert list_findings(check(project, templates)) == [], change.__name__  # so none is managed

    run("uv", "run", "dvc", "repro", cwd=project)
    read = {name: json.loads((project / f"reports/{name}.json").read_text()) for name in REPORTS}
    gates = {gate["name"]: gate for gate in read["gate"]["gates"]}
    steps = (
        "from flights.features import scaled; print([name for name, *_ in scaled().transformers])"
    )
    assert "'powers'" in run("uv", "run", "python", "-c", steps, cwd=project).stdout
    assert "bayes" in (project / "reports/plots/trials.csv").read_text()
    assert read["evaluation"]["primary_metric"]["name"] == "hits"
    assert read["evaluation"]["metrics"]["hits"] == read["evaluation"]["primary_metric"]["value"]
    assert read["ingest"]["rows"] == 24_040
    assert read["limits"]["limits"]["psi"] == 0.15
    assert re.fullmatch(r"src/flights/gates.py:\d+ workload", gates["workload"]["requirement"])
    assert "contract.yaml" in gates["slices"]["requirement"]
    assert (project / "reports/groups.txt").read_text().strip().isdecimal()
    assert gates["leak"]["owner"] == "@acme/research"
    for page in ("reports/index.html", "docs/requirements.md"):
        assert "Few enough to handle" in (project / page).read_text(encoding="utf-8")
    listed = run("uv", "run", "mlops", "project", "requirements", cwd=project).stdout
    assert f"pipeline workload: Few enough to handle (for {gates['workload']['owner']})" in listed


def test_a_place_to_deploy_to_is_one_file(
    render: Render, templates: Templates, tmp_path: Path
) -> None:
    project = tmp_path / "flights"
    shutil.copytree(render({"deploy": "kubernetes"}), project)
    overlays = project / "deploy/k8s/overlays"
    (overlays / "trial").mkdir()
    text = (overlays / "staging/kustomization.yaml").read_text(encoding="utf-8")
    (overlays / "trial/kustomization.yaml").write_text(text.replace("staging", "trial"))
    commit(project)
    assert list_findings(check(project, templates)) == []
    built = run("kubectl", "kustomize", overlays / "trial", cwd=ROOT).stdout
    assert "namespace: flights-late-trial" in built or "namespace: flights-trial" in built
