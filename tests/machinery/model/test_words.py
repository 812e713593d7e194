"""Free texts: the same words in the pipeline, the service and the packaged model."""

import json

import numpy as np
import onnx
import polars as pl
import pytest
from flights.candidates import CANDIDATES
from mlops.core.paths import MODEL
from mlops.data.contract import Column, Contract
from mlops.model import package
from mlops.model.inputs import list_inputs, make_feed, select_inputs
from mlops.model.text_parts import MOST_WORDS, write_words
from mlops.model.words import NO_WORD, WordWeights
from mlops.scoring.predictor import Predictor
from sklearn.feature_extraction.text import TfidfVectorizer

from needs import each

MODELS = [candidate for candidate in CANDIDATES if not candidate.baseline]
ODD = (
    *(
        "",
        " ",
        "a",
        "A b C",
        "éte ÉTÉ e\u0301te\u0301",
        "İstanbul \u0131\u0131 ß ẞ STRASSE",
        "x\x00yz \ud800",
    ),
    *(
        "don't; won't!",
        "日本語 テスト",
        "नमस्ते दुनिया",
        "naïve\u00a0café",
        "ﬁne \uff12\uff13 ¹²",
        "_ __ ___",
    ),
    *("tab\there\nline", "word " * (MOST_WORDS + 5), "🙂🙂 good", "ΣΊΣΥΦΟΣ"),
)


def texts(task="binary", rows=400, seed=0):
    """A table with a free text that tells the target, and one in which no word comes again."""
    random = np.random.default_rng(seed)
    good = random.random(rows) < 0.4
    other = random.choice(["the", "box", "Über", "came", "on", "a", "day"], (rows, 6))
    told = np.where(good, "Great", "broken")
    pairs = zip(other, told, strict=True)
    review = [" ".join([*words[:3], word, *words[3:]]) for words, word in pairs]
    review = [None if place % 17 == 0 else text for place, text in enumerate(review)]
    number = random.normal(size=rows)
    answers = {
        "binary": np.where(good, "yes", "no"),
        "multiclass": np.where(good, "good", np.where(number > 0, "poor", "bad")),
        "regression": good * 10.0 + number,
    }
    frame = pl.DataFrame({"review": review, "code": [f"x{row} y{row}" for row in range(rows)]})
    frame = frame.with_columns(n=number, y=pl.Series(answers[task]), _row=pl.int_range(rows))
    classes = {"binary": ("no", "yes"), "multiclass": ("bad", "poor", "good")}.get(task, ())
    described = (
        *(Column(name=name, type="string", free_text=True) for name in ("review", "code")),
        Column(name="n", type="number"),
        Column(name="y", type="string" if classes else "number", role="target"),
    )
    return frame, Contract(id="t-y", name="t", task=task, classes=classes, columns=described)


def packed(rows, contract, candidate, keep=1.0):
    quick = {name: 20 for name in ("max_iter", "n_estimators") if name in candidate.space}
    choice = {"candidate": candidate.name, "parameters": candidate.defaults | quick, "keep": keep}
    choice |= {"threshold": 0.4, "metric": "", "score": 0}
    fitted = package.package_choice(rows[:300], rows[300:], choice, contract)
    return package.compare_answers(fitted, rows[300:], contract)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("candidate", each(MODELS))
def test_a_model_learns_from_words_and_packs_exactly(candidate, task):
    rows, contract = texts(task)
    keep = 0.5 if task == "regression" else 1.0
    assert packed(rows, contract, candidate, keep)["max_difference"] < 1e-5
    scores = Predictor().scores(rows[300:])
    good = rows["review"][300:].str.contains("Great").fill_null(False).to_numpy()
    whose = scores[:, 2] if task == "multiclass" else scores
    assert whose[good].min() > np.median(whose[~good])


def test_weights_are_those_of_scikit_learn():
    rows, contract = texts()
    found = select_inputs(rows, list_inputs(contract)).select("words of review")
    ours = WordWeights().fit(found)
    theirs = TfidfVectorizer(vocabulary=ours.words_[0])
    expected = theirs.fit_transform(rows["review"].fill_null("")).toarray()
    assert ours.words_[0] == ["box", "broken", "came", "day", "great", "on", "the", "über"]
    np.testing.assert_allclose(ours.transform(found), expected, atol=1e-7)


def test_only_telling_words_that_come_again_are_kept():
    found = pl.DataFrame({"words of t": ["good day", "bad day"] * 5 + ["good once", "bad"]})
    step = WordWeights(most=2).fit(found, np.array([1, 0] * 6))
    assert step.words_ == [["bad", "good"]]
    assert WordWeights(most=1).fit(found, np.array([1.0, 0.5] * 6)).words_ in (
        [["bad"]],
        [["good"]],
    )
    rare = WordWeights().fit(found[-1:])
    assert rare.words_ == [[NO_WORD]]
    assert (rare.transform(found) == 0).all()


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_the_service_finds_the_same_words(text):
    _, contract = texts()
    entries = list_inputs(contract)[:2]
    valid = text.encode("utf-8", "replace").decode()  # no table holds half a letter
    theirs = make_feed(select_inputs(pl.DataFrame({"review": [valid]}), entries))
    feed = pytest.importorskip("mlops.serving.feed").feed
    ours = feed([{"review": valid}], [vars(entry) for entry in entries])
    assert {name: cells.tolist() for name, cells in ours.items()} == {
        name: cells.tolist() for name, cells in theirs.items()
    }
    write_words(text).encode()


def test_odd_texts_get_the_same_answer_packaged():
    rows, contract = texts()
    strange = [text.encode("utf-8", "replace").decode() for text in ODD] * 20
    rows = rows.with_columns(pl.Series("review", [*rows["review"][:-340], *strange]))
    assert packed(rows, contract, MODELS[0])["share_differing"] == 0


def test_long_texts_and_many_rows_are_answered_in_parts_and_none_at_all(monkeypatch):
    rows, contract = texts()
    packed(rows, contract, MODELS[0])
    model, values = Predictor(), make_feed(select_inputs(rows, list_inputs(contract)))
    whole = model.run(values)
    monkeypatch.setattr(f"{Predictor.__module__}.BATCH_OF_WORDS", 7)
    assert (model.run(values) == whole).all()
    assert model.scores(rows[:0]).shape == (0,)


def test_words_have_no_bins_and_lengths_have():
    rows, contract = texts()
    packed(rows, contract, MODELS[0])
    names = [entry["input"] for entry in Predictor().meta["bins"]]
    assert names == ["length of review", "length of code", "n", "(score)"]


@pytest.mark.parametrize("free", [True, False])
def test_only_a_model_that_splits_texts_needs_a_later_onnx(free):
    rows, contract = texts()
    columns = [c.model_copy(update={"free_text": c.free_text and free}) for c in contract.columns]
    packed(rows, contract.model_copy(update={"columns": tuple(columns)}), MODELS[0])
    versions = {each.domain: each.version for each in onnx.load(MODEL).opset_import}
    assert (versions[""] > 18) == free


def test_no_other_input_is_called_so():
    _, contract = texts()
    column = Column(name="words of review", type="string")
    other = contract.model_copy(update={"columns": (column, *contract.columns)})
    assert list_inputs(other)[0].name == "value of words of review"


def test_the_service_answers_a_text_and_counts_its_length():
    served = pytest.importorskip("served")
    rows, contract = texts()
    packed(rows, contract, MODELS[0])
    served.register(MODEL.read_bytes())
    service = served.Service(served.Options())
    sent = rows[:50].select("review", "code", "n")
    service.predict(json.dumps(sent.to_dicts()).encode())
    [family] = [f for f in service.metrics.registry.collect() if f.name == "input_values"]
    counted = {sample.labels["input"] for sample in family.samples}
    assert counted == {"length of review", "length of code", "n", "(score)"}
    service.close()
