from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.data.change_log import read_log
from mlops.data.contract import Contract
from mlops.records.contract_check import check_file, check_table
from mlops.records.intake import add
from mlops.records.reading_options import Reading

ROWS = "".join(f"{n},{n % 7},{'yes' if n % 3 else 'no'}\n" for n in range(60))


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table of two deliveries; the path of the second."""
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text("name: Test\nowners: {data_engineer: '@acme/data'}\n")
    Path("params.yaml").write_text("data: {max_reject_rate: 0.3}\ntrain: {candidates: [linear]}\n")
    Path("first.csv").write_text(f"k,n,y\n{ROWS}")
    Path("more.csv").write_text("k,n,y\n60,1,yes\n61,2,no\n")
    add("first.csv", target="y", key="k")
    add("more.csv")
    return Path("data/raw") / read_log()[-1].file


@pytest.mark.usefixtures("table")
def test_a_file_is_checked_on_its_own():
    Path("good.csv").write_text("k,n,y\n70,1,yes\n")
    Path("bad.csv").write_text("k,n,y\n70,1,yes\n71,1,far\n")
    assert "1 rows" in check_file("good.csv")[0]
    with pytest.raises(UserError, match=r"bad\.csv row 2: y breaks the rule readable: 'far'$"):
        check_file("bad.csv")


@pytest.mark.usefixtures("table")
def test_a_delivery_is_checked_as_it_would_be_added():
    Path("bad.csv").write_text("# remarks\nk,n,y,\n70,1,yes,\n71,1,far,\n")
    with pytest.raises(UserError, match=r"bad\.csv row 2: y breaks the rule readable: 'far'$"):
        check_file("bad.csv")
    Path("good.json").write_text('{"rows": [{"k": 70, "n": 1, "y": "yes"}]}')
    assert "1 rows" in check_file("good.json", reading=Reading(records="rows"))[-1]


def test_a_table_in_order_is_told_so(table):
    assert check_table() == ["2 file(s) keep the contract: 0 of 62 rows were rejected, 30% may be."]


def test_rejected_rows_are_told_where_they_may_be(table):
    table.chmod(0o644)
    table.write_text("k,n,y\n60,far,yes\n61,2,no\n")
    first, faults = check_table()
    assert first.startswith("2 file(s) keep the contract: 1 of 62 rows were rejected")
    assert faults == "n breaks the rule readable in 1, such as 'far'"


def test_a_key_that_comes_again_is_no_fault_of_a_row(table):
    Contract.load().model_copy(update={"duplicates": "reject"}).save()
    table.chmod(0o644)
    table.write_text("k,n,y\n60,1,yes\n60,2,no\n")
    [only] = check_table()
    assert "2 of 62 rows were rejected" in only


def test_too_many_rejected_rows_are_told_by_file_row_and_column(table):
    spoilt = ["60,far,yes", *(f"{n},far,no" for n in range(61, 99))]
    table.chmod(0o644)
    table.write_text("k,n,y\n" + "\n".join(spoilt) + "\n")
    with pytest.raises(UserError) as error:
        check_table()
    first, *rows = str(error.value).splitlines()
    assert first.startswith("reject_rate: BLOCKED, 39 of 99 rows were rejected. n breaks the rule")
    assert "(for @acme/data; required by params.yaml:1 data.max_reject_rate" in first
    assert rows[0] == f"  {table.name} row 1: n breaks the rule readable: 'far'"
    assert len(rows) == 10


def test_a_column_that_the_contract_renamed_is_missed_in_the_file(table):
    contract = Path("contract.yaml")
    contract.write_text(contract.read_text().replace("name: n\n", "name: amount\n"))
    with pytest.raises(UserError, match=r"lacks column amount of contract\.yaml"):
        check_table()


def test_a_row_of_another_width_is_told_by_its_number(table):
    table.chmod(0o644)
    table.write_text("k,n,y\n60,1,yes\n61,2\n")
    with pytest.raises(UserError, match=rf"{table.name}: row 2 .* has 2 fields"):
        check_table()
