"""A thousand random operations, on ten tables, end as in a dictionary."""

import random
import sys
from pathlib import Path

import pytest

sys.path.append("tests/data")
from test_changes import live


@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: {max_reject_rate: 0.5}\ntrain: {candidates: [linear]}\n")
    live(random.Random(seed), operations=100)
