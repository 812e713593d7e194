"""Figures of the watch, as Prometheus reads them."""

import math
import urllib.request

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.monitoring.exporter import Exporter
from mlops.monitoring.performance import measure_rows
from prometheus_client.parser import text_string_to_metric_families

import lived

NAMES = {
    "performance",
    "performance_rows",
    "truth_coverage_ratio",
    "truth_delay_seconds",
    "truth_contradictions",
    "repeated_predictions",
    "value_gained_per_thousand",
    "value_expected_per_thousand",
    "value_gained_total",
    "cost_total",
    "watch_last_run_timestamp_seconds",
    "retraining_total",
}


@pytest.fixture
def exporter():
    made = Exporter(0)
    yield made
    made.close()


def page(exporter):
    """{(name, labels in the order of their names...): figure} as it is served."""
    address = f"http://127.0.0.1:{exporter.port}/metrics"
    with urllib.request.urlopen(address, timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *dict(sorted(sample.labels.items())).values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_what_was_found_is_served(exporter):
    performance = measure_rows(lived.rows(), lived.project())
    exporter.export(performance | {"cost": 12.5, "repeats": 7})
    exported = page(exporter)
    assert {name for name, *_ in exported} == NAMES
    assert exported["performance", "", "roc_auc", ""] == pytest.approx(
        performance["metric"]["value"]
    )
    assert exported["performance_rows", "", ""] == 480
    for each in performance["slices"]:
        assert exported["performance", "town", "roc_auc", each["value"]] == each["metric"]
        assert exported["performance_rows", "town", each["value"]] == each["rows"]
    assert exported["truth_coverage_ratio",] == 0.8
    assert exported["truth_delay_seconds", "0.9"] == performance["delay_seconds"]["0.9"]
    assert exported["value_gained_per_thousand",] == performance["value"]["gained"]
    assert exported["value_expected_per_thousand",] == 900
    assert exported["value_gained_total",] == performance["value"]["total"]
    assert exported["cost_total",] == 12.5
    assert exported["repeated_predictions",] == 7


def test_a_slice_that_is_gone_leaves_and_what_is_unknown_is_no_number(exporter):
    rows = lived.rows()
    exporter.export(measure_rows(rows, lived.project()))
    exporter.export(measure_rows(rows.with_columns(truth=pl.lit(None, pl.String)), lived.project()))
    exported = page(exporter)
    assert [key for key in exported if key[0] == "performance"] == []
    assert exported["performance_rows", "", ""] == 0
    assert ("performance_rows", "town", "a") not in exported
    for name in ("value_gained_per_thousand", "value_gained_total", "cost_total"):
        assert math.isnan(exported[name,])


def test_retrainings_are_counted_from_nought(exporter):
    exporter.count_retraining("refused")
    exported = page(exporter)
    counts = [exported["retraining_total", name] for name in ("promoted", "refused", "rolled_back")]
    assert counts == [0, 1, 0]


def test_a_port_that_is_taken_is_said(exporter):
    with pytest.raises(UserError, match=f"port {exporter.port} cannot be listened on"):
        Exporter(exporter.port)
