"""Random tables come in with the values that were meant, or are asked about: never with others."""

import datetime as dt
import math
import random
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.change_log import Part
from mlops.data.column_names import ROW, UNREADABLE, values_of
from mlops.data.contract import Column
from mlops.data.ingest import number_rows, type_rows_quickly
from mlops.records.contract_draft import draft_contract
from mlops.records.delivery import concatenate, deliver
from mlops.records.number_forms import find_separators
from mlops.records.reading_options import Reading

from random_tables import Drawn, draw_columns, draw_style, write_table


def means(column: Column, value: Any, text: str, meant: Any) -> bool:
    """Tell whether a cell that was read is what was meant, or the very text that was written."""
    if value is None or meant is None:
        return value is None and (meant is None or text.strip() in column.missing)
    if column.type == "string":
        return bool(value == text.strip())
    if isinstance(meant, Decimal):
        return bool(value == float(meant))
    if isinstance(value, dt.date) and isinstance(meant, dt.datetime):
        return value == (meant if isinstance(value, dt.datetime) else meant.date())
    if isinstance(meant, str):
        return False
    return bool(value == meant) and math.isfinite(value)


def bring_in(seed: int, folder: Path) -> str | None:
    """Draw a table and bring it in; return what a person is asked, if that is so."""
    chance = random.Random(seed)
    style = draw_style(chance)
    columns = draw_columns(chance, style)
    path, encoding = write_table(columns, style, chance, folder)
    try:
        deliveries = deliver(str(path), folder / "scratch", reading=Reading(encoding=encoding))
        contract, _ = draft_contract(
            concatenate(deliveries),
            "t",
            "answer",
            separators=find_separators(delivery.path for delivery in deliveries),
        )
    except UserError as error:
        return str(error)
    parts = type_rows_quickly(number_rows(Part(deliveries[0].path), contract), contract)
    table = pl.concat(parts).collect().sort(ROW)
    unread = {
        (reason["column"], row)
        for row, reasons in enumerate(table[UNREADABLE].to_list())
        for reason in reasons or ()
    }
    for name, drawn in columns.items():
        column = contract[name.strip()]
        compare(seed, column, drawn, values_of(table, column.name).to_list(), unread)
    return None


def compare(
    seed: int, column: Column, drawn: Drawn, values: list[Any], unread: set[tuple[str, int]]
) -> None:
    for row, (value, text, meant) in enumerate(zip(values, *drawn, strict=True)):
        if (column.name, row) in unread:  # which is told
            assert value is None
            continue
        assert means(column, value, text, meant), (seed, column, row, value, text, meant)


def bring_in_all(seeds: range) -> list[str]:
    questions = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "scratch").mkdir()
            questions.append(bring_in(seed, Path(name)))
    return [question for question in questions if question]


def test_random_tables_are_read_right_or_asked_about() -> None:
    questions = bring_in_all(range(40))
    assert 0 < len(questions) < 20
    assert not any("\n" in question for question in questions)


@pytest.mark.deep
@pytest.mark.parametrize("first", range(0, 2000, 100))
def test_two_thousand_random_tables_are_read_right_or_asked_about(first: int) -> None:
    questions = bring_in_all(range(first, first + 100))
    assert 0 < len(questions) < 50
