"""The story of the watch: written step by step, read again."""

import pytest
from mlops.core.errors import UserError
from mlops.monitoring import story


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_steps_are_read_as_they_were_told(capsys):
    assert story.read_steps() == []
    assert story.time_of_last("began") is None
    steps = [
        story.record_step("began", "a new model is trained"),
        story.record_step("refused", "no", gates=["a"]),
    ]
    assert story.read_steps() == steps
    assert story.read_steps()[1].facts == {"gates": ["a"]}
    assert story.time_of_last("began").isoformat() == steps[0].when
    assert "began       a new model is trained" in capsys.readouterr().out


def test_a_line_that_is_no_step_is_named():
    story.record_step("looked", "well")
    with story.STORY.open("a", encoding="utf-8") as stream:
        stream.write("{}\n")
    with pytest.raises(UserError, match=r"story.jsonl: line 2 is not one step"):
        story.read_steps()
