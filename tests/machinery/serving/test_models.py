import json
from pathlib import Path

import onnx
import pytest
from mlops.core.errors import UserError
from mlops.core.paths import MODEL
from mlops.scoring.predictor import METADATA
from mlops.serving.models import Model, ModelContent

import served


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def load(uri="models/model.onnx", sha256=""):
    return Model.load(uri, sha256, "refuse", 100)


def edited(content, **changes):
    """The same model, saying something else of itself."""
    model = onnx.load_from_string(content)
    [entry] = [entry for entry in model.metadata_props if entry.key == METADATA]
    entry.value = json.dumps(json.loads(entry.value) | changes)
    return model.SerializeToString()


def test_the_registered_champion_is_served():
    served.register(served.packed(), version=3)
    assert (load().version, load().name) == (3, "3")


def test_a_tampered_model_is_refused():
    served.register(served.packed())
    MODEL.write_bytes(edited(served.packed(), threshold=0.0))
    with pytest.raises(UserError, match="not the model that was registered"):
        load()


def test_what_a_gate_blocks_is_not_served():
    served.register(served.packed(), champion=False)
    with pytest.raises(UserError, match="version 3 is not the champion"):
        load()


def test_another_file_needs_its_checksum():
    content, other = served.packed(), "other.onnx"
    Path(other).write_bytes(content)
    with pytest.raises(UserError, match="MODEL_SHA256"):
        load(other)
    loaded = load(other, ModelContent.of(content).sha256)
    assert (loaded.version, loaded.name) == (None, loaded.sha256[:12])
    with pytest.raises(UserError, match="not the model that was registered"):
        load(other, "0" * 64)


def test_a_model_that_is_not_there_is_one_sentence():
    with pytest.raises(UserError, match="is not there: make it with 'uv run dvc repro'"):
        load()


def test_a_model_that_answers_otherwise_is_refused():
    content = served.packed()
    cases = Model("m", ModelContent.of(content), "refuse", 100).meta["cases"]
    cases[3]["score"] += 0.01
    with pytest.raises(UserError, match="answers differently"):
        Model("m", ModelContent.of(edited(content, cases=cases)), "refuse", 100)


def test_a_model_without_cases_is_refused():
    with pytest.raises(UserError, match="an older version"):
        Model("m", ModelContent.of(edited(served.packed(), cases=[])), "refuse", 100)


def test_no_case_is_a_row_that_was_delivered():
    texts = {json.dumps(record) for record in served.records(rows=300)}
    cases = Model("m", ModelContent.of(served.packed()), "refuse", 100).meta["cases"]
    assert len(cases) == 8
    assert not texts & {json.dumps(case["record"]) for case in cases}


@pytest.mark.parametrize("name", ["another@champion", "flights", "flights/x"])
def test_the_registry_is_asked_for_this_project_s_model_only(name):
    with pytest.raises(UserError, match="is not a version"):
        load(f"models:/{name}")


def test_a_server_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="MLflow does not answer"):
        load("models:/flights@champion")
