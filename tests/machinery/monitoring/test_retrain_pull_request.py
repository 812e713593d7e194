"""A new model is proposed where the rules call for one, and only where its table would last."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from mlops.monitoring import story
from mlops.monitoring.retrain_pull_request import PullRequest, goes_with_this_checkout

TEXT = Path("text.md")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_better_model_is_proposed_with_its_reasons():
    steps = [story.record_step("began", "a new model is trained")]
    steps.append(story.record_step("grew", "3 added"))
    assert PullRequest(TEXT).hand_over("4", ["distance drifted"], steps) == "proposed"
    text = TEXT.read_text()
    assert text.startswith("A new model to replace the one in production\n\nWhy: distance drifted.")
    assert "- a new model is trained\n- 3 added\n" in text
    assert story.read_steps()[-1].told == "version 4 passed all gates, and is proposed"


@pytest.mark.parametrize(
    ("url", "goes"), [("../remote", True), ("/mnt/remote", False), ("s3://acme/dvc", False)]
)
def test_a_folder_beside_the_checkout_goes_with_it(url, goes):
    Repo.init(no_scm=True).close()
    core = "[core]\n    no_scm = true\n    remote = store\n"
    Path(".dvc/config").write_text(f"{core}['remote \"store\"']\n    url = {url}\n")
    assert goes_with_this_checkout() == goes
    assert ("in a store that all reach" in PullRequest(TEXT).find_obstacle()) == goes
