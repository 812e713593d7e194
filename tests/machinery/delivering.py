"""A source delivered to a scratch folder, as the commands do it."""

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.sources import scan_file
from mlops.records.delivery import Delivery, deliver
from mlops.records.reading_options import Reading


def bring(source: Path | str, **options: Any) -> list[Delivery]:
    scratch = Path(mkdtemp(dir="."))
    return deliver(str(source), scratch, reading=Reading(**options))


def read(source: Path | str, **options: Any) -> pl.DataFrame:
    (delivery,) = bring(source, **options)
    table = scan_file(delivery.path).collect()
    assert (table.columns, table.height) == (delivery.columns, delivery.rows)
    return table


def refusal(source: Path | str, **options: Any) -> str:
    """The one sentence with which a source is refused."""
    with pytest.raises(UserError) as caught:
        bring(source, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 400
    return sentence
