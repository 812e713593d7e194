import numpy as np
import polars as pl
import pytest
from mlops.data.contract import Column, Contract
from mlops.data.formulas import find_formula
from sklearn import datasets

DICE = np.random.default_rng(0)


def formula_of(columns, target, reviewed=(), task="regression"):
    frame = pl.DataFrame(columns).with_columns(y=pl.Series(target))
    kinds = {pl.String: "string", pl.Int64: "integer"}
    made = [
        Column(
            name=name,
            type=kinds.get(dtype.base_type(), "number"),
            leak_reviewed=name in reviewed,
        )
        for name, dtype in frame.schema.items()
        if name != "y"
    ]
    classes = () if task == "regression" else ("0", "1")
    goal = Column(name="y", type="number", role="target")
    contract = Contract(id="t", name="t", task=task, classes=classes, columns=(*made, goal))
    return find_formula(frame, contract)


def parts(rows=400):
    return {
        "casual": DICE.integers(0, 900, rows),
        "registered": DICE.integers(0, 6000, rows),
        "temperature": DICE.normal(20, 8, rows),
        "town": DICE.choice(["a", "b", "c"], rows),
    }


def test_a_total_is_known_by_its_parts():
    columns = parts()
    leak = formula_of(columns, columns["casual"] + columns["registered"])
    assert leak == {"columns": ["casual", "registered"], "formula": "casual + registered", "r2": 1}


@pytest.mark.parametrize(
    "make",
    [
        lambda c: c["registered"] - c["casual"],
        lambda c: np.round(0.19 * c["casual"] + 1.19 * c["registered"], 2),
        lambda c: c["casual"] + c["registered"] + c["temperature"],
        lambda c: (1 + c["casual"]) * (c["registered"] + 1.0),
    ],
)
def test_differences_weighted_sums_and_products_are_too_whatever_copies_there_are(make):
    columns = parts()
    copies = {"one more": columns["casual"] + 1, "two more": columns["registered"] + 1}
    leak = formula_of(columns | copies, make(columns))
    assert leak["r2"] >= 0.9999
    assert len(leak["columns"]) == (3 if "temperature" in leak["columns"] else 2)


def test_price_times_quantity_is_written_as_a_product():
    columns = {"price": DICE.uniform(1, 90, 300), "pieces": DICE.integers(1, 40, 300)}
    leak = formula_of(columns, np.round(columns["price"] * columns["pieces"], 2))
    assert leak["formula"] in {"price x pieces", "pieces x price"}
    per_piece = formula_of(columns, columns["price"] / columns["pieces"])
    assert per_piece["formula"] == "price / pieces"


def test_missing_cells_do_not_hide_it():
    columns = parts()
    total = (columns["casual"] + columns["registered"]).astype(float)
    gaps = [None if n % 10 == 0 else float(each) for n, each in enumerate(columns["casual"])]
    empty = pl.Series([None] * len(total), dtype=pl.Float64)
    leak = formula_of(columns | {"casual": gaps, "empty": empty}, total)
    assert leak["columns"] == ["casual", "registered"]


def test_it_is_let_pass_only_if_all_parts_were_reviewed():
    columns = parts()
    total = columns["casual"] + columns["registered"]
    assert formula_of(columns, total, reviewed=["casual"])
    assert formula_of(columns, total, reviewed=["casual", "registered"]) is None


@pytest.mark.parametrize("load", [datasets.load_diabetes, datasets.load_linnerud])
def test_honest_tables_have_no_formula(load):
    values, target = load(return_X_y=True)
    target = target if target.ndim == 1 else target[:, 0]
    assert formula_of({f"x{n}": column for n, column in enumerate(values.T)}, target) is None


def test_noise_walks_and_single_columns_are_no_formula():
    columns = parts()
    noisy = columns["casual"] + columns["registered"] + DICE.normal(0, 100, 400)
    walk = np.cumsum(DICE.normal(size=401))
    assert formula_of(columns, noisy) is None
    assert formula_of(columns | {"yesterday": walk[:-1]}, walk[1:]) is None
    assert formula_of(columns, columns["casual"] * 2.0) is None  # for the score of one input
    assert formula_of(columns, DICE.integers(0, 2, 400), task="binary") is None
