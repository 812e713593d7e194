"""What params.yaml may say, and how it is told that it may not."""

import re
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.core.params import Params, convert_to_seconds


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("window: 1 day", "monitoring.window: this is not a length of time: write 30s, 5m"),
        ("window: 0s", "monitoring.window: this is not a length of time"),
        ("window: 99999999d", "monitoring.window: this is longer than a century"),
        ("truth_days: 99999999", "monitoring.truth_days: input should be less than or equal"),
        ("max_psi: -1", "monitoring.max_psi: input should be greater than 0"),
        ("watch: {every: soon}", "monitoring.watch.every: this is not a length of time"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    text = "train:\n  candidates: [linear]\nmonitoring:\n  "
    Path("params.yaml").write_text(f"{text}{change}\n")
    with pytest.raises(UserError, match=re.escape(message)):
        Params.read()


def test_durations_add_up():
    assert convert_to_seconds("1h30m") == 5400
