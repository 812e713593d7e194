"""What is counted of the values that the model reads."""

import json

import pytest
from mlops.scoring.predictor import SCORE

import served


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def counted(service, metric="input_values_total"):
    """What the metric says: {(input, bin): number}."""
    family = (
        sample
        for family in service.metrics.registry.collect()
        for sample in family.samples
        if sample.name == metric
    )
    return {(s.labels["input"], s.labels["bin"]): s.value for s in family}


def ask(service, records):
    service.predict(json.dumps(records).encode())


def test_the_rows_of_the_training_fill_the_bins_as_they_did_then():
    service, records = served.service(), served.records(rows=served.ROWS)
    ask(service, records)
    expected, counts = counted(service, "input_expected_ratio"), counted(service)
    assert counts.keys() == expected.keys()
    for place, number in counts.items():
        assert round(number / len(records), 4) == round(expected[place], 4), place
    service.close()


def test_one_by_one_is_the_same_as_all_at_once():
    records = served.records()
    services = [served.service(), served.service()]
    ask(services[0], records)
    for record in records:
        ask(services[1], record)
    assert counted(services[0]) == counted(services[1])
    for service in services:
        service.close()


def test_whatever_users_send_there_are_no_more_series():
    service, [record, *_] = served.service(unexpected="score"), served.records()
    before = counted(service).keys()
    for number in range(200):
        ask(service, {**record, "kind": f"new {number}", "count": number * 1000})
    assert counted(service).keys() == before
    assert counted(service)["kind", "__other__"] == 200
    service.close()


def test_a_number_s_score_is_counted_too():
    service = served.service("regression")
    ask(service, served.records("regression"))
    assert sum(n for (name, _), n in counted(service).items() if name == SCORE) == 50
    service.close()


def test_a_model_that_is_used_no_more_leaves_the_metrics():
    service = served.service()
    for seed in (1, 2):
        served.register(served.packed(seed=seed), version=3 + seed)
        service.reload()
    page = service.metrics.page().decode()
    assert 'version="3"' not in page
    assert 'version="4"' in page
    assert 'version="5"' in page
    service.close()


def test_values_that_training_never_met_are_counted_apart_from_rare_ones():
    service, records = served.service(unexpected="score"), served.records(rows=100)
    ask(service, records)
    new = [{**record, "kind": f"new {place}"} for place, record in enumerate(records)]
    ask(service, new[:39])
    ask(service, {**records[0], "kind": None})
    labels = {"version": "3", "input": "kind"}
    figure = service.metrics.registry.get_sample_value
    assert figure("input_unseen_total", labels) == 39
    [entry] = [each for each in service.model.meta["bins"] if each["input"] == "kind"]
    assert figure("input_expected_unseen_ratio", labels) == entry["seen"]["expected"]
    service.close()
