"""A new model is proposed where the rules call for one, and only where its table would last."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from mlops.core.params import Params, TrainParams
from mlops.monitoring import retrain_pull_request, story
from mlops.monitoring.look import Seen

TEXT = Path("text.md")


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    world = {"why": ["distance has drifted"], "version": "4", "passing": False}
    monkeypatch.setattr(Params, "read", lambda: Params(train=TrainParams(candidates=["linear"])))
    monkeypatch.setattr(retrain_pull_request, "look", lambda *_: Seen(world["why"], []))
    monkeypatch.setattr(retrain_pull_request, "grow", lambda *_: ["3 added"])
    monkeypatch.setattr(retrain_pull_request, "trained", lambda: world["version"])
    monkeypatch.setattr(retrain_pull_request, "passing", lambda: world["passing"])
    return world


def kinds():
    return [step.kind for step in story.steps()]


def test_a_better_model_is_proposed_with_its_reasons(world):
    assert retrain_pull_request.renew(TEXT) == ["version 4 passed all gates, and is proposed"]
    assert kinds() == ["looked", "began", "grew"]
    text = TEXT.read_text()
    assert text.startswith("A new model for the one at work\n\nIt is called for: distance has")
    assert "- 3 added\n" in text
    TEXT.unlink()
    retrain_pull_request.renew(TEXT)  # not again within a day
    assert kinds()[3:] == ["waited"]
    assert not TEXT.exists()


@pytest.mark.parametrize("change", [{"why": []}, {"version": None}, {"passing": True}])
def test_otherwise_nothing_is_proposed(world, change):
    world |= change
    said = retrain_pull_request.renew(TEXT)
    assert not TEXT.exists()
    assert ("in a store that all reach" in said[-1]) == world["passing"]


@pytest.mark.parametrize(
    ("url", "passing"), [("../remote", True), ("/mnt/remote", False), ("s3://acme/dvc", False)]
)
def test_a_folder_beside_the_checkout_goes_with_it(tmp_path, monkeypatch, url, passing):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    core = "[core]\n    no_scm = true\n    remote = store\n"
    Path(".dvc/config").write_text(f"{core}['remote \"store\"']\n    url = {url}\n")
    assert retrain_pull_request.passing() == passing
