"""Numbers with two readings are decided by the column, table or file; or a person is asked."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.cells import read_cell
from mlops.data.number_text import NumberForm
from mlops.records.changes import update
from mlops.records.contract_draft import draft_contract
from mlops.records.export import export, show
from mlops.records.intake import add
from mlops.records.number_forms import (
    Decimals,
    explain_forms,
    find_forms,
    find_separators,
    parse_decimals,
)
from mlops.records.type_inference import guess_column

SEMICOLON, COMMA, TAB, TYPED = frozenset(";"), frozenset(","), frozenset("\t"), frozenset()
PLAIN = NumberForm()
GERMAN, AMERICAN = NumberForm(",", "."), NumberForm(".", ",")


def form_of(
    values: list[str],
    separators: frozenset[str] = SEMICOLON,
    decimals: Decimals = Decimals(),  # noqa: B008  (immutable)
    **others: list[str],
) -> NumberForm | None:
    rows = 12
    table = {"x": values, **others}
    frame = pl.DataFrame({name: (cells * rows)[:rows] for name, cells in table.items()})
    return find_forms(frame.lazy(), frame, frame.columns, decimals, separators).numbers["x"]


@pytest.mark.parametrize(
    ("values", "separators", "form"),
    [
        (["1", "1000", "-3", "+5"], SEMICOLON, PLAIN),
        (["1.5", "1.037"], SEMICOLON, PLAIN),
        (["0.125", "1.037"], SEMICOLON, PLAIN),
        (["1.0345", "1.037"], SEMICOLON, PLAIN),
        (["12,3", "1,037"], SEMICOLON, NumberForm(",")),
        (["0,123", "1,037"], COMMA, NumberForm(",")),
        (["1.234.567", "1.037"], SEMICOLON, GERMAN),
        (["1,234,567", "1,037"], SEMICOLON, AMERICAN),
        (["1.234,5", "1.037"], SEMICOLON, GERMAN),
        (["1,234.5", "1,037"], SEMICOLON, AMERICAN),
        (["1234.567", "1.037"], SEMICOLON, PLAIN),
        (["1.037e3", "1.037"], SEMICOLON, PLAIN),
        (["1.013", "2.500"], COMMA, PLAIN),
        (["1.013", "2.500"], TYPED, PLAIN),
        (["1,037", "12"], COMMA, AMERICAN),
        (["12,34,567", "1,037"], SEMICOLON, AMERICAN),
        (["1,00,000.5", "99,999"], COMMA, AMERICAN),
        (["1 234,5", "7"], SEMICOLON, NumberForm(",", " ")),
        (["5 kg", "0.5 kg", "0"], COMMA, NumberForm(unit="kg")),
        (["5m", "-7m"], COMMA, NumberForm(unit="m")),
        (["5", "7", "8", "9 m"], COMMA, PLAIN),
        (["5 kg", "a bag", "7 kg"], COMMA, None),
        (["1\u202f234", "1\u00a0234", "7"], SEMICOLON, NumberForm(".", " ")),
        (["1'234.5", "1\u2019234"], SEMICOLON, NumberForm(".", "'")),
        (["-1.5 €", "1.037 €"], SEMICOLON, NumberForm(unit="€")),
        (["US$50", "-US$1,160.00"], COMMA, NumberForm(".", ",", "US$")),
        (["50 kr.", "1.160,00 kr."], SEMICOLON, NumberForm(",", ".", "kr.")),
        (["CHF 50", "50"], COMMA, NumberForm(unit="CHF")),
        (["0.5%", "4 %", "0"], COMMA, NumberForm(unit="%")),
        (["(1,234.50)", "12.00"], COMMA, NumberForm(".", ",", "", "parentheses")),
        (["$(12.50)", "$12.50"], COMMA, NumberForm(".", None, "$", "parentheses")),
        (["12-", "1.5"], COMMA, NumberForm(negatives="trailing")),
        (["\u22121,5", "-", "NA"], COMMA, NumberForm(",")),
    ],
)
def test_a_form_that_is_the_only_one_is_chosen(
    values: list[str], separators: frozenset[str], form: NumberForm
) -> None:
    assert form_of(values, separators) == form


@pytest.mark.parametrize(
    ("values", "separators"),
    [
        (["1,000", "1,037"], SEMICOLON),
        (["1.000", "1.013"], SEMICOLON),
        (["1.013", "-"], SEMICOLON),
        (["1.013", "5"], SEMICOLON),
        (["1.013"], TAB),
        (["1.013"], SEMICOLON | COMMA),
        (["1,037"], COMMA),
        (["1,037", "1000", "5"], COMMA),
        (["1,037", "1.037"], COMMA),
        (["€1,037", "-€12"], SEMICOLON),
        (["1,037%"], COMMA),
        (["1.5", "1,5", "1,234"], COMMA),
    ],
)
def test_two_readings_are_asked_about(values: list[str], separators: frozenset[str]) -> None:
    with pytest.raises(UserError) as caught:
        form_of(values, separators)
    text = str(caught.value)
    assert "\n" not in text
    assert "column 'x': '" in text
    assert "--decimal x=," in text
    assert "--decimal x=." in text


def test_both_readings_are_shown_with_what_says_them() -> None:
    with pytest.raises(UserError, match=r"'1,037' may be 1\.037 or 1037") as caught:
        form_of(["1,037"])
    assert "--decimal x=, if it is 1.037" in str(caught.value)
    assert form_of(["1,037"], decimals=Decimals(",")) == NumberForm(",")
    assert form_of(["1,037"], decimals=Decimals(".")) == AMERICAN
    assert form_of(["1,037"], decimals=Decimals(".", {"x": ","})) == NumberForm(",")


def test_a_table_mark_does_not_overrule_what_has_one_reading() -> None:
    assert form_of(["1.5"], decimals=Decimals(",")) == PLAIN


def test_a_mark_that_a_column_contradicts_is_refused() -> None:
    with pytest.raises(UserError, match=r"--decimal x=, does not go with cells"):
        form_of(["1.5"], decimals=Decimals(columns={"x": ","}))


def test_other_columns_decide_if_they_agree() -> None:
    assert form_of(["1.013"], other=["12,5"]) == GERMAN
    assert form_of(["1.013"], other=["12.5"]) == PLAIN
    assert form_of(["1"], other=["12,5"]) == NumberForm(",")
    with pytest.raises(UserError, match="may be"):
        form_of(["1.013"], a=["12.5"], b=["12,5"])
    with pytest.raises(UserError, match="may be"):
        form_of(["1,013"], month=["01.2024"])  # which is no number
    with pytest.raises(UserError, match="may be"):
        form_of(["1,013"], words=["about 1.5"])


def test_the_whole_column_decides_and_not_only_a_sample() -> None:
    frame = pl.LazyFrame({"x": ["1,013"] * 500 + ["0,5"] + ["1,013"] * 500})
    forms = find_forms(frame, frame.head(100).collect(), ["x"], separators=SEMICOLON)
    assert forms.numbers["x"] == NumberForm(",")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["€5", "$5"], r"column 'x' has several units \(\$, €\).*--ignore 'x'"),
        (["5 EUR", "5 USD"], r"several units \(EUR, USD\)"),
        (["5%", "€5"], r"several units \(%, €\)"),
        (["0.5%", "0.7"], "has numbers with % and without, such as '0.7'"),
    ],
)
def test_several_units_are_refused(values: list[str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        form_of(values)


@pytest.mark.parametrize(
    "values",
    [
        *(["01005", "10000"], ["00", "12"], ["001.0", "250.8"], ["-05", "5"]),
        *(["+4915123456789", "+431234567"], ["12345678901234567890", "1"], ["1e5", "100"]),
        ["+49 170 123 456", "+43 699 555 000"],
    ],
)
def test_digits_that_name_things_are_text(values: list[str]) -> None:
    assert form_of(values) is None
    assert guess_column(pl.Series("x", values * 12)).type == "string"


@pytest.mark.parametrize("values", [["0x1f", "0x2a"], ["1_089", "2_001"], ["12E4G", "1e5"]])
def test_what_only_looks_like_a_number_is_text(values: list[str]) -> None:
    assert guess_column(pl.Series("x", values * 12)).type == "string"


@pytest.mark.parametrize(
    ("entries", "decimals"),
    [
        ([], Decimals()),
        ([","], Decimals(",")),
        (["a=,", ".", "b=c=."], Decimals(".", {"a": ",", "b=c": "."})),
    ],
)
def test_decimal_marks_can_be_said(entries: list[str], decimals: Decimals) -> None:
    assert parse_decimals(entries) == decimals


@pytest.mark.parametrize("entries", [[";"], ["a"], ["a=;"], ["=,"], [",", "."]])
def test_no_decimal_mark_is_refused(entries: list[str]) -> None:
    with pytest.raises(UserError, match="write the decimal mark"):
        parse_decimals(entries)


def test_what_parts_the_columns_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1;2\n")
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    (tmp_path / "c.jsonl").write_text('{"a": 1}\n')
    assert find_separators(tmp_path.iterdir()) == frozenset(";,")


def test_an_export_is_read_back_as_it_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{n};{n},{n % 9}5%;1.{n:03},5 €;{'yes' if n % 3 else 'no'}" for n in range(60)]
    Path("t.csv").write_text("\n".join(["n;rate;price;y", *lines]), encoding="utf-8")
    add("t.csv", target="y", key="n")
    export("all.csv")
    assert update("all.csv") == ["all.csv is here already; nothing changed"]
    assert show(where="rate = 0.0445 and price = 1004.5", only_count=True) == ["1"]


# ---- in the draft


def draft(separators: frozenset[str] = COMMA, **columns: list[Any]) -> tuple[Any, list[str]]:
    base = {"late": ["yes", "no", "no"], "size": ["1.5", "2.5", "4.5"]}
    table = {name: (values * 60)[:60] for name, values in (base | columns).items()}
    return draft_contract(pl.LazyFrame(table), "t", "late", separators=separators)


def test_the_draft_declares_how_numbers_are_cleaned_and_says_so() -> None:
    contract, notices = draft(price=["$50.00", "$1,160.00", "($3)"], rate=["0.5%", "4.2%"])
    price, rate = contract["price"], contract["rate"]
    assert (price.type, rate.type) == ("number", "number")
    assert (price.unit, price.thousands, price.negatives) == ("$", ",", "parentheses")
    assert (
        "price: '$1,160.00' is read as 1160.0 (thousands ',', unit $, negatives parentheses)."
        in (notices)
    )
    frame = pl.DataFrame({"rate": ["0.5%"]})
    assert frame.select(read_cell(rate, pl.String(), thorough=False)).item() == 0.005
    assert explain_forms([contract["size"]], pl.DataFrame({"size": ["1.5"]})) == []
    assert contract.faults() == []


def test_a_declared_form_survives_the_file(tmp_path: Path) -> None:
    contract, _ = draft(price=["1 160,00 €", "12 €"], size=["1,5", "2,5", "3,5"])
    contract.save(tmp_path / "contract.yaml")
    assert type(contract).load(tmp_path / "contract.yaml") == contract


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"type": "string", "unit": "€"}, "unit and negatives are for numbers"),
        ({"type": "number", "thousands": "."}, ""),
        ({"type": "number", "thousands": ",", "decimal": ","}, "its thousands are its decimal"),
        ({"type": "integer", "unit": "%"}, "the unit % makes fractions"),
    ],
)
def test_forms_that_contradict_each_other_are_told(changes: dict[str, str], says: str) -> None:
    column = guess_column(pl.Series("x", ["1"])).model_copy(update=changes)
    faults = " ".join(column.faults())
    assert says in faults if says else "decimal mark" in faults


def test_leading_zeros_are_kept_and_told_wherever_they_are() -> None:
    zips = [f"{n}" for n in range(10_000, 70_000)]
    zips[777] = "01005"  # not in the sample
    size = [f"{n % 97 / 8}" for n in range(len(zips))]
    late = ["yes", "no", "no"] * (len(zips) // 3)
    frame = pl.LazyFrame({"zip": zips, "size": size, "late": late})
    contract, notices = draft_contract(frame, "t", "late")
    assert contract["zip"].type == "string"
    assert any(
        note.startswith("zip is read as text: '01005' looks like the name") for note in notices
    )


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["5 kg", "500 g"], "its numbers have several units (g, kg);"),
        (["10 km", "3 mi", "1,037 km"], "its numbers have several units (km, mi);"),
        (["5m", "5 ft"], "its numbers have several units (ft, m);"),
        (["5 kg", "6 kg", "7"], "its numbers have the unit (kg), and some without, such as '7';"),
        (["10k", "3M"], "its numbers have several units (M, k);"),
    ],
)
def test_measures_in_several_units_are_text_and_told(values: list[str], says: str) -> None:
    contract, lines = draft(x=(values * 12)[:12])
    assert contract["x"].type == "string"
    [told] = [line for line in lines if line.startswith("x is read as text")]
    assert says in told
    assert told.endswith(
        "to learn from them as numbers, bring them to one unit where they come from."
    )


def test_lakhs_are_read_and_told() -> None:
    values = [f"{n},{n},000" for n in range(10, 22)]
    contract, lines = draft(x=values)
    assert (contract["x"].type, contract["x"].thousands) == ("integer", ",")
    assert "x: '21,21,000' is read as 2121000 (thousands ',')." in lines
    cell = read_cell(contract["x"], pl.String(), thorough=True).alias("x")
    read = pl.DataFrame({"x": ["1,00,000", "1,000", "10,00", "1,00,00,000", "1,00,0000"]})
    assert read.select(cell)["x"].to_list() == [100_000, 1000, None, 10_000_000, None]
