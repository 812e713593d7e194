import json
from pathlib import Path

import pytest
from mlops.core.settings import Params, Problem
from mlops.monitoring.boards import boards, money
from mlops.monitoring.dashboards import Board, Panel, dashboard, write
from mlops.monitoring.facts import Facts


def facts(monitoring=None, **problem):
    asked = {"name": "Tiny", "decision": "Act?", "kpi": "Money", "value": {"unit": "EUR"}}
    params = {"train": {"candidates": ["linear"]}, "monitoring": monitoring or {}}
    made = (Problem.model_validate(asked | problem), Params.model_validate(params))
    return Facts(*made, metric="roc_auc", reached=0.8, idle=0.0, memory=1e8)


def panel(told, board, title):
    panels = next(each.panels for each in boards(told) if each.name == board)
    return next(each for each in panels if each.title == title)


def test_the_unit_of_value_is_the_team_s():
    told = facts(value={"unit": "hours saved"})
    assert panel(told, "business", "What is left").unit == "suffix: hours saved"
    assert panel(facts(), "business", "What is left").unit == "currencyEUR"
    assert money("") == "suffix: units"


def test_words_of_the_team_come_out_as_they_went_in():
    told = facts(decision="Is @window 50% of ${job}: yes?", baseline={"description": "@kpi"})
    text = panel(told, "business", "What is decided").text
    assert text.startswith("Is @window 50% of ${job}: yes?\n")
    assert text.endswith("@kpi")


def test_limits_are_drawn_where_there_are_any():
    assert panel(facts(), "data", "Drift").most == 0.2
    assert panel(facts({"max_psi": None}), "data", "Drift").most is None
    assert panel(facts(), "model", "Performance").least == 0.75
    assert panel(facts({"max_model_age_days": 2}), "model", "Age").most == 172_800
    assert panel(facts(), "resources", "Memory").most == 1e8
    assert "of the last 6h" in boards(facts({"window": "6h"}))[2].said


@pytest.mark.parametrize(
    ("least", "most", "steps"),
    [
        (None, None, [(None, "green")]),
        (None, 2, [(None, "green"), (2, "red")]),
        (1, None, [(None, "red"), (1, "green")]),
        (1, 2, [(None, "red"), (1, "green"), (2, "red")]),
    ],
)
def test_what_is_beyond_a_limit_is_red(least, most, steps):
    given = Panel("Drift", "How far?", {"x": "y"}, "", "none", least=least, most=most)
    [shown] = dashboard(Board("data", "Data.", [given]), "Tiny")["panels"]
    drawn = shown["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step["value"], step["color"]) for step in drawn] == steps


def test_panels_lie_side_by_side_and_do_not_overlap():
    for board in boards(facts()):
        places = [each["gridPos"] for each in dashboard(board, "Tiny")["panels"]]
        cells = {
            (x, place["y"]) for place in places for x in range(place["x"], place["x"] + place["w"])
        }
        assert len(cells) == sum(place["w"] for place in places)
        assert max(x for x, _ in cells) < 24


def test_writing_takes_the_place_of_older_boards(tmp_path):
    folder = tmp_path / "dashboards"
    folder.mkdir()
    (folder / "old.json").write_text("")
    write(boards(facts()), "Tiny", folder)
    names = sorted(path.stem for path in folder.glob("*"))
    assert names == ["business", "data", "model", "resources", "service"]
    text = Path(folder / "model.json").read_text(encoding="utf-8")
    assert json.loads(text)["title"] == "Tiny: model"
