"""One reader for a record: a cell is the same value, or refused, wherever it comes in."""

import json

import polars as pl
import pytest
from mlops.data.column_names import UNREADABLE
from mlops.data.contract import Column, Contract
from mlops.data.ingest import type_rows
from mlops.model.package import describe_column
from mlops.serving.faults import RefusedError
from mlops.serving.requests import Requests

BLANK, REFUSED = "blank", "refused"
CELLS = [
    *(True, False, 0, 1, 2, -7, 1.0, 12.0, 12.5, 1e3, 1e22, None),
    *("true", "TRUE", "t", "Y", "yes", "no", "on", "off", "perhaps"),
    *("0", "1", "12", " 12 ", "12.0", "5.", ".5", "+5", "-0", "1e3", "1.0e2", "1e400", "inf"),
    *("1_089", "1,089", "1,234.0", "1.234,0", "0x10", "\u0663", "NaN", "nan", "NA", "", " "),
    *("2020-01-01", " 2020-01-01 ", "2020-1-1", "01.02.2020", "20200101", "1577836800"),
    *("2020-13-01", "2020-02-30", "0999-01-01", "0001-01-01"),
    *("2020-01-01T00:00:00", "2020-01-01T05:00", "2020-01-01 05:00:00", "2020-01-01T05"),
    *("2020-01-01T05:00:00Z", "2020-01-01T05:00:00+02:00", "2020-01-01T05:00:00+0200"),
    *("2020-01-01T00:30:00+01:00", "2020-01-01 05:00:00.123456", "2020-01-01 05:00:00.1234567"),
    *("2020-01-01 05:00:00.1234560", "2020-01-01T05:00:00,5", "2020-01-01_05:00:00"),
    *("2020-01-01T24:00:00", "2020-01-01T05:61:00"),
]


def told(value):
    """Its type counts, too: True is not 1."""
    return value if value in (BLANK, REFUSED) else (type(value), value)


def ingested(column, cell):
    """What `data` and `predict` make of it in a file of text."""
    text = cell if isinstance(cell, str) or cell is None else json.dumps(cell)
    contract = Contract.model_construct(columns=(column,))
    frame = pl.LazyFrame({"x": [text]}, schema={"x": pl.String})
    [row] = type_rows(frame, contract).collect().to_dicts()
    if row[UNREADABLE]:
        return REFUSED
    return told(BLANK if row["x"] is None else row["x"])


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "date", "timestamp"])
def test_a_cell_is_read_alike_by_ingest_predict_the_service_and_its_feedback(kind):
    column = Column(name="x", type=kind)
    described = describe_column(column) | {"used": True, "key": True}
    requests = Requests({"columns": [described], "classes": ["yes"]}, "refuse", 10)
    for cell in CELLS:
        wanted = ingested(column, cell)
        body = json.dumps({"x": cell}).encode()
        try:
            [record] = requests.read(body).records
            answer = told(BLANK if record["x"] is None else record["x"])
        except RefusedError:
            answer = REFUSED
        assert answer == wanted, (kind, cell)
        body = json.dumps({"key": {"x": cell}, "truth": "yes"}).encode()
        try:
            [truth] = requests.read_truths(body)
            answer = told(truth["key"]["x"])
        except RefusedError as error:
            [fault] = error.faults
            answer = BLANK if fault.rule == "required" else REFUSED
        if wanted == BLANK:  # a part of a key that is blank says nothing: refused, in either word
            assert answer in (BLANK, REFUSED), (kind, cell)
        else:
            assert answer == wanted, (kind, cell)
