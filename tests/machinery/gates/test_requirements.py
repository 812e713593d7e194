"""Every requirement has its gate, and every gate its requirement, its owner and a test of it."""

from pathlib import Path

import pytest
from mlops.core.params import Params
from mlops.core.problem import Owners, Problem
from mlops.gates import requirement_table
from mlops.gates.gates import Finding, assign_verdict
from mlops.gates.requirement_table import format_requirements, list_requirements, read_limit
from mlops.gates.requirements import Requirement
from mlops.gates.yaml_location import Entry

PROBLEM = Problem(name="t", owners=Owners(data_scientist="@acme/science"))
FINE = Finding(True, 1.0, 0.0, "all is well")


def test_no_gate_is_without_a_requirement():
    with pytest.raises(KeyError, match="new"):
        assign_verdict(PROBLEM, "new", FINE)


def test_an_entry_that_no_setting_knows_is_refused():
    with pytest.raises(KeyError, match="min_lifts"):
        read_limit({"gates": {"min_lift": 0.1}}, Entry("params.yaml", "gates.min_lifts"))


def test_a_verdict_has_its_owner_and_its_lines_from_the_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("train: {}\ngates:\n  max_loss: 0.1\n  max_value_loss: 0.0\n")
    verdict = assign_verdict(PROBLEM, "champion", FINE)
    assert verdict.owner == "@acme/science"
    assert verdict.requirement == (
        "params.yaml:3 gates.max_loss and params.yaml:4 gates.max_value_loss"
    )
    assert assign_verdict(PROBLEM, "rows", FINE).owner == "data engineer"


def test_the_table_says_what_is_demanded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("train: {}\n")
    params = Params(train={"candidates": []}, gates={"max_loss": 0.25})
    lines = format_requirements(PROBLEM, params)
    place = lines.index("pipeline champion: Not worse than the champion (for @acme/science)") + 1
    assert lines[place].endswith("gates.max_loss: 0.25") or "default applies" in lines[place]
    assert any("max_read_p99_ms" in line and line.endswith(": no limit") for line in lines)
    assert any("data.max_leak_score" in line and line.endswith(": 0.9") for line in lines)


def test_where_nothing_is_deployed_nothing_is_demanded_of_a_service(monkeypatch):
    monkeypatch.setattr(requirement_table, "has_part", lambda _: False)
    rooms = {row.room for row in list_requirements(PROBLEM, Params(train={"candidates": []}))}
    assert rooms == {"pipeline", "review", "storage"}


def test_entries_that_are_concerned_stand_for_the_others_of_their_file():
    row = Requirement(asks="x", owner="data_engineer", entries=["a.yaml k", "b.yaml"], test="t")
    assert row.list_places() == (Entry("a.yaml", "k"), Entry("b.yaml"))
    assert row.list_places((Entry("b.yaml", "c"),)) == (Entry("a.yaml", "k"), Entry("b.yaml", "c"))
