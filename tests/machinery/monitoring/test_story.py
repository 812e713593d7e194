"""The story of the watch: written step by step, read again."""

import pytest
from mlops.core.errors import UserError
from mlops.monitoring import story


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_steps_are_read_as_they_were_told(capsys):
    assert story.steps() == []
    assert story.last("began") is None
    told = [story.tell("began", "a new model is trained"), story.tell("refused", "no", gates=["a"])]
    assert story.steps() == told
    assert story.steps()[1].facts == {"gates": ["a"]}
    assert story.last("began").isoformat() == told[0].when
    assert "began       a new model is trained" in capsys.readouterr().out


def test_a_line_that_is_no_step_is_named():
    story.tell("looked", "well")
    with story.STORY.open("a", encoding="utf-8") as stream:
        stream.write("{}\n")
    with pytest.raises(UserError, match=r"story.jsonl: line 2 is not one step"):
        story.steps()
