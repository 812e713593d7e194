"""The stage and the command look at the same rows, write the same files, and leave nothing."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.paths import CLEAN, PROFILE, PROFILE_PAGE, read_json
from mlops.data.change_log import locate_landed_parts
from mlops.data.column_names import ROW
from mlops.data.contract import Contract
from mlops.data.ingest import ingest
from mlops.data.validate import validate
from mlops.profile import table_profile
from mlops.profile.landed_table import profile_landed_table
from mlops.records.changes import update
from mlops.records.intake import add

from files import FILES
from planted import ROWS, contract_of, profile, table

PARAMS = "train: {candidates: [linear]}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    return tmp_path


def run_pipeline():
    """The stages before: the clean table as the pipeline makes it."""
    contract = Contract.load()
    ingest(locate_landed_parts(), contract)
    validate(pl.scan_parquet("data/ingested/*.parquet"), contract)
    assert CLEAN.exists()


def test_the_command_before_the_pipeline_says_what_the_stage_says_after(folder, capsys):
    table().rename({ROW: "id"}).write_csv("t.csv")
    add("t.csv", target="y", key="id")
    lines = profile_landed_table()
    assert lines == [f"{ROWS:,} rows, 5 columns, nothing to do about it; see reports/profile.html"]
    before = PROFILE.read_text(), PROFILE_PAGE.read_text()
    assert not list(Path("data").glob(".table*"))
    run_pipeline()
    table_profile.run()
    assert (PROFILE.read_text(), PROFILE_PAGE.read_text()) == before
    assert capsys.readouterr().out.endswith(f"profile: {lines[-1]}\n")


def test_the_worst_is_said_with_the_line_to_change(folder):
    table(same=[2] * ROWS).rename({ROW: "id"}).write_csv("t.csv")
    add("t.csv", target="y", key="id")
    contract = Path("contract.yaml").read_text().replace("{property: role, value: ignored}", "")
    Path("contract.yaml").write_text(contract.replace("- \n", ""))
    contract = Contract.load()
    same = contract["same"].model_copy(update={"role": "feature"})
    columns = tuple(same if c.name == "same" else c for c in contract.columns)
    contract.model_copy(update={"columns": columns}).save()
    number = Path("contract.yaml").read_text().splitlines().index("  - name: same") + 1
    first, last = profile_landed_table()
    assert first == (
        "medium: same has one value only, 2: nothing can be learned from it. Leave it out, until "
        f"it has other values. (contract.yaml:{number} same)"
    )
    assert "1 finding (0 high, 1 medium, 0 low)" in last


def test_rows_that_an_update_brought_are_the_new_ones(folder):
    frame = table().rename({ROW: "id"})
    frame.write_csv("t.csv")
    add("t.csv", target="y", key="id")
    frame.head(200).with_columns(pl.col("size") + 60).write_csv("u.csv")
    update("u.csv")
    profile_landed_table()
    report = read_json(PROFILE)
    assert [each["version"] for each in report["arrivals"]] == [1, 2]
    [newest] = report["versions"]
    assert (newest["rows_before"], newest["rows_after"]) == (ROWS - 200, 200)
    assert newest["columns"][0]["column"] == "size"
    assert "shift between versions" in [each["kind"] for each in report["findings"]]


def test_without_a_table_it_says_what_to_do(folder):
    contract_of(table()).save()
    with pytest.raises(UserError, match="holds no table: bring one in with 'data add'"):
        profile_landed_table()
    assert not PROFILE.exists()


def test_of_the_flights_only_what_is_true_is_found(folder):
    contract = FILES / "contract.yaml"
    if not contract.exists() or "flights-late" not in contract.read_text(encoding="utf-8"):
        pytest.skip("the project has not the bundled sample")
    shutil.copy(FILES / "contract.yaml", "contract.yaml")
    shutil.copytree(FILES / "data", "data", ignore=shutil.ignore_patterns("[!0-9l]*.parquet"))
    profile_landed_table()
    report = read_json(PROFILE)
    found = [(each["kind"], each["columns"]) for each in report["findings"]]
    # Flights that were cancelled are never late; hardly ever any rain, now and then a cloudburst.
    assert found == [("unlabelled rows", ["late"]), ("skew", ["precip"])]
    assert report["rows"] == 23_313
    strongest = sorted(report["relations"], key=lambda c: -report["relations"][c]["strength"])
    assert strongest[:2] == ["arr_delay", "dep_delay"]
    assert strongest[4] == "sched_dep_time"
    assert report["timeline"]["period"] == "month"
    assert len(report["timeline"]["periods"]) == 12


def test_a_text_that_may_name_a_person_is_not_written_down(folder):
    frame = table(person=[f"Mr Pooter {i // 2}" for i in range(ROWS)], town=["Ash"] * ROWS)
    frame = frame.with_columns(town=pl.when(pl.int_range(ROWS) < 3).then(pl.lit("Rare")))
    found = profile(frame.with_columns(pl.col("town").fill_null("Ash")))
    table_profile.write_profile(found)
    for path in (PROFILE, PROFILE_PAGE):
        text = path.read_text(encoding="utf-8")
        assert "Ash" in text
        assert "Pooter" not in text
        assert "Rare" not in text
