"""One file of an update brought into the table.

Only those rows land that are new or different, also those that break the contract; the rows in
their place are named in a file of row numbers. So each change costs what it changes.
"""

from pathlib import Path
from typing import Any

import polars as pl

from ..core.formatting import count
from ..data import change_log
from ..data.arrivals import count_arrivals
from ..data.change_log import Part
from ..data.column_names import ROW, cols
from ..data.contract import Contract
from ..data.ingest import count_rows
from ..data.row_rules import is_labelled
from ..data.sources import scan_file
from ..data.validate import describe_faults, judge_rows
from . import table
from .delivery import Delivery, make_stem
from .rejection import Arrival
from .row_comparison import compare_rows
from .writer import Writer


def upsert(
    writer: Writer, delivery: Delivery, contract: Contract, notes: list[str], **facts: Any
) -> list[str]:
    """Land what is new or different of a file, and retire the rows in its place.

    `notes` are on its columns; `facts` say in the log where the file is from. Returns the lines to
    print. Raises UserError if surely more rows break the contract than params.yaml allows.
    """
    parts = change_log.locate_parts(writer.changes)
    with table.open_rows([Part(delivery.path)], contract, writer.scratch) as rows:
        touched = table.find_sharing_keys(parts, rows, contract, writer.scratch)
        comparison = compare_rows(rows, touched, contract)
        counts, reasons, lost = count_arrivals(rows, contract), "", list[str]()
        if counts.rejected or counts.unlabelled:  # else there is nothing more to say of them
            fit, unfit = judge_rows(rows, contract)
            reasons = describe_faults(unfit, writer.scratch) if counts.rejected else ""
            lost = _describe_lost_labels(touched, fit, contract) if counts.unlabelled else []
    name, effect = delivery.path.name, comparison.effect
    told_apart = effect.added + effect.updated + effect.unchanged
    repeated = delivery.rows - comparison.rejected - told_apart
    arrival = Arrival(name, delivery.rows, counts, reasons, repeated)
    arrival.refuse_unless_readable(notes)
    lines = [*notes, *arrival.describe(arrival.judge_rejected(notes)), *lost]
    if comparison.land.is_empty():
        return [*lines, f"{name} is here already; nothing changed"]
    stem = make_stem(name)
    return lines + writer.log(
        "update",
        effect,
        writer.content_hash(contract),
        contract,
        sha256=delivery.sha256,
        file=writer.land(
            _select_rows(delivery, comparison.land, writer.scratch), f"{stem}.parquet"
        ),
        rows=comparison.land.height,
        retired=writer.retire(comparison.gone, stem),
        rejected=comparison.rejected_new,
        **facts,
    )


def _describe_lost_labels(
    touched: pl.LazyFrame, new: pl.LazyFrame, contract: Contract
) -> list[str]:
    """Say how many records with a label come again without it."""
    names = cols(contract.key_names)
    labelled = judge_rows(touched, contract)[0].filter(is_labelled(contract)).select(names)
    lost = count_rows(new.filter(~is_labelled(contract)).join(labelled, on=names, how="semi"))
    verb = "comes" if lost == 1 else "come"
    return [f"{count(lost, 'record')} with a label {verb} without it now"] if lost else []


def _select_rows(delivery: Delivery, numbers: pl.DataFrame, scratch: Path) -> Path:
    """Write the rows of these numbers (from 1) as delivered, in their order, to a scratch file."""
    rows = scan_file(delivery.path).with_row_index(ROW, 1).cast({ROW: pl.Int64})
    some = rows.join(numbers.lazy(), on=ROW, how="semi", maintain_order="left").drop(ROW)
    target = scratch / "rows.parquet"
    some.sink_parquet(target)
    return target
