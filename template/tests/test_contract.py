"""contract.yaml says what is meant: add a record that must pass, and one that must not.

Yours to edit.
"""

from pathlib import Path

import pytest
from mlops.testing import Contract, broken_rules, draw_records

PATH = Path(__file__).parents[1] / "contract.yaml"
pytestmark = pytest.mark.skipif(not PATH.exists(), reason="there is no table yet: mlops data add")


@pytest.fixture
def contract():
    return Contract.load(PATH)


def test_a_good_record_passes(contract):
    for record in draw_records(contract, rows=20):
        assert broken_rules(record, contract) == []


def test_a_record_waits_for_what_is_to_be_predicted(contract):
    [record] = draw_records(contract)
    assert broken_rules(record | {contract.target.name: ""}, contract) == []


def test_a_record_with_another_answer_than_may_be_is_rejected(contract):
    [record] = draw_records(contract)
    target = contract.target.name
    [(column, rule)] = broken_rules(record | {target: "none of them"}, contract)
    assert column == target
    assert rule in ("readable", "category")


def test_a_number_beyond_its_limits_is_rejected(contract):
    [record] = draw_records(contract)
    for column in contract.columns:
        if column.maximum is not None:
            beyond = record | {column.name: str(int(column.maximum) + 1)}
            assert (column.name, "maximum") in broken_rules(beyond, contract)


def test_a_category_that_is_not_listed_is_rejected(contract):
    [record] = draw_records(contract)
    for column in contract.columns:
        if column.categories:
            other = record | {column.name: "none of them"}
            assert (column.name, "category") in broken_rules(other, contract)
