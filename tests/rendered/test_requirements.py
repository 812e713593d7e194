"""What is demanded in a project: each demand has its lines, its owner and a test that breaks it."""

import re
from pathlib import Path

import pytest
from mlops.business.prices import Prices
from mlops.core.params import Params
from mlops.core.problem import Owners, Problem
from mlops.gates.requirement_table import Row, list_requirements
from mlops.gates.requirements import read_requirements

from support import ROOT, Render


@pytest.fixture
def project(render: Render, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = render({})
    monkeypatch.chdir(made)
    monkeypatch.syspath_prepend(str(made / "src"))  # the team's package, whatever ran before
    return Path()


@pytest.fixture
def rows(project: Path) -> list[Row]:
    return list(list_requirements(Problem.read(), Params.read()))


def test_every_row_names_lines_that_say_so(rows: list[Row]) -> None:
    """The file may leave an entry to its default; that it is known at all, `table` has seen."""
    assert {row.room for row in rows} >= {"pipeline", "storage", "service"}
    for row in rows:
        assert row.demands, row
        for entry, _ in row.demands:
            if entry.line:
                text = Path(entry.file).read_text(encoding="utf-8").splitlines()
                assert str(entry.path[-1]) in text[entry.line - 1], entry


def test_every_row_names_a_role_and_all_roles_have_one(rows: list[Row]) -> None:
    roles = {read_requirements(row.room)[row.gate].owner for row in rows}
    assert roles == set(Owners.model_fields)


def test_every_row_names_a_test_that_there_is(rows: list[Row]) -> None:
    for row in rows:
        file, _, name = row.test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        function, _, case = name.partition("[")
        assert f"def {function}(" in text, row
        assert not case or f'"{case.rstrip("]")}"' in text, row


@pytest.mark.parametrize("role", Owners.model_fields)
def test_a_page_names_the_gates_and_runbooks_of_its_role(project: Path, role: str) -> None:
    page = Path("docs", "roles", f"{role.replace('_', '-')}.md").read_text(encoding="utf-8")
    gates = re.search(r"## Your gates\n(.*?)\[", page, re.DOTALL)
    mine = {
        name
        for room in ("pipeline", "storage")
        for name, requirement in read_requirements(room).items()
        if requirement.owner == role
    }
    assert gates
    assert set(re.findall(r"`(\w+)`", gates.group(1))) == mine
    role_sentence = f"for the {role.replace('_', ' ')};"
    runbooks = Path("docs", "runbooks").glob("*.md")
    woken = {path.stem for path in runbooks if role_sentence in path.read_text("utf-8").lower()}
    assert set(re.findall(r"\.\./runbooks/(\w+)\.md", page)) == woken


def test_the_seeded_settings_can_be_read(project: Path) -> None:
    assert Prices.load("prices.yaml").kinds
    assert Problem.read().name
    assert Params.read().train.candidates
