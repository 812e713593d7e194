import json

import numpy as np
import pytest
from mlops.model.inputs import list_inputs, select_inputs
from mlops.model.inputs import make_feed as of_table
from mlops.scoring.predictor import Predictor
from mlops.serving.feed import feed
from mlops.serving.models import Model, ModelContent

import served


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_service_reads_records_as_the_training_reads_the_table(task):
    contract, table = served.contract_and_rows(task)
    model = Model("m", ModelContent.of(served.packed(task)), "refuse", 100)
    sent = served.records(task)
    parsed = model.requests.read(json.dumps(sent).encode()).records
    ours = feed(parsed, model.meta["inputs"])
    theirs = of_table(select_inputs(table.head(len(sent)), list_inputs(contract)))
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        assert ours[name].shape == array.shape
        np.testing.assert_array_equal(ours[name], array)
    scores = Predictor(served.packed(task)).scores(table.head(len(sent)))
    np.testing.assert_allclose(model.scores(model.feed(parsed)), scores, atol=1e-6)


def test_numbers_beyond_32_bits_stay_finite():
    entry = {"name": "x", "column": "x", "kind": "number", "part": None}
    values = feed([{"x": 1e300}, {"x": -1e300}, {}], [entry])["x"]
    assert np.isfinite(values[:2]).all()
    assert np.isnan(values[2, 0])
