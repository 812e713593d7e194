"""Send a table to the service as traffic, so that a team sees everything move.

Records go in the order and the pace of the table's time column, the truth of each some time after
its prediction.
"""

import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..core.progress import show_progress
from ..data import cells
from ..data.column_names import col
from ..data.contract import Contract
from ..data.sources import scan_file
from ..records.delivery import deliver
from ..records.reading_options import AS_IT_IS, Reading
from .client import Client

MOST = 100  # records in a request
TICK = 0.2  # seconds between requests, where there is little to send
Record = dict[str, Any]
Due = tuple[float, Record]  # seconds after the start
Truth = tuple[str, Any]  # the id of a prediction, and what really was


class Traffic:
    """What was sent so far, and what was answered."""

    def __init__(self, client: Client, target: str) -> None:
        self.client, self.target = client, target
        self.answered = self.known = 0
        self.refused: Counter[str] = Counter()

    def predict(self, records: list[Record]) -> list[Truth]:
        """Ask for decisions; return id and truth of those answered whose truth is in the table.

        A record that breaks the contract is counted, and the others are sent without it.
        """
        sent = [{k: v for k, v in record.items() if k != self.target} for record in records]
        status, answers = self.client.post("/predict", sent)
        if status == 422:
            faults = {fault["record"]: fault["message"] for fault in reversed(answers["detail"])}
            self.refused.update(faults.values())
            left = [record for place, record in enumerate(records) if place not in faults]
            return self.predict(left) if left else []
        if status != 200:
            raise UserError(f"the service answers with {status}: {answers['detail']}.")
        self.answered += len(answers)
        return [
            (answer["id"], record[self.target])
            for answer, record in zip(answers, records, strict=True)
            if self.target in record
        ]

    def send_truths(self, truths: list[Truth]) -> None:
        """Tell the service what really was. Raises UserError if it does not take that."""
        body = [{"id": name, "truth": truth} for name, truth in truths]
        status, answer = self.client.post("/feedback", body)
        if status != 202:
            raise UserError(
                f"the service does not accept the ground truth ({status}): {answer['detail']}."
            )
        self.known += len(truths)

    def summarise(self) -> list[str]:
        """Return the lines to print, with the commonest reasons for which records were refused."""
        refusals = [f"{times:,} refused: {why}" for why, times in self.refused.most_common(5)]
        return [
            f"{self.answered:,} records answered, the ground truth sent for {self.known:,}",
            *refusals,
        ]


def replay(
    source: str,
    url: str,
    *,
    seconds: float,
    truth_after: float,
    query: str | None = None,
    reading: Reading = AS_IT_IS,
) -> list[str]:
    """Send the rows of `source`, as for `data add`, within so many seconds; the truth of each so
    many after its prediction. Returns the lines to print.

    Raises UserError if anything is wrong with the table, or the service does not answer.
    """
    contract = Contract.load()
    with TemporaryDirectory(".tmp", ".replay-", ".") as scratch:
        brought = deliver(source, Path(scratch), query=query, reading=reading)
        rows = pl.concat([read_records(each.path, contract) for each in brought], how="diagonal")
    if not (due := list(schedule(rows, contract, seconds))):
        raise UserError(f"{source} has no row whose time can be read: nothing was sent.")
    client = Client(url)
    client.check_identity()
    traffic = Traffic(client, contract.target.name)
    send(due, traffic, truth_after)
    return traffic.summarise()


def read_records(file: Path, contract: Contract) -> pl.DataFrame:
    """Return what a client knows of each row: keys and inputs, typed; the target if it is there."""
    frame = scan_file(file)
    schema = frame.collect_schema()
    inputs = (column for column in contract.inputs if not column.is_key)
    there = [c for c in (*contract.keys, *inputs, contract.target) if c.name in schema]
    if not there:
        raise UserError(f"{file.name} has no column of contract.yaml: is it the right table?")
    values = [cells.read_cell(c, schema[c.name], thorough=True).alias(c.name) for c in there]
    return frame.select(values).collect()


def schedule(rows: pl.DataFrame, contract: Contract, seconds: float) -> Iterator[Due]:
    """Yield each record with the second it is due: by the time column, else at even distances."""
    time_column = next((c.name for c in contract.columns if c.role == "time"), None)
    if time_column in rows.columns:
        rows = rows.drop_nulls(time_column).sort(time_column)
        passed = rows[time_column].dt.epoch("s") - rows[time_column].dt.epoch("s").min()
        moments = (passed / max(1, passed.max() or 0) * seconds).to_list()
    else:
        moments = [place / rows.height * seconds for place in range(rows.height)]
    rows = rows.with_columns(pl.col(pl.Date, pl.Datetime).dt.to_string("iso:strict"))
    if contract.task != "regression" and contract.target.name in rows.columns:
        rows = rows.with_columns(col(contract.target.name).cast(pl.String))
    for moment, row in zip(moments, rows.iter_rows(named=True), strict=True):
        yield moment, {name: cell for name, cell in row.items() if cell is not None}


def send(records: list[Due], traffic: Traffic, truth_after: float) -> None:
    """Send each record when it is due, and the truths later."""
    start = time.monotonic()
    waiting, later = deque(records), deque[tuple[float, Truth]]()
    with show_progress() as bar:
        shown = bar.add_task("replay", total=len(records))
        while waiting or later:
            now = time.monotonic() - start
            if batch := take_due(waiting, now):
                later.extend((now + truth_after, truth) for truth in traffic.predict(batch))
                bar.advance(shown, len(batch))
            if truths := take_due(later, now):
                traffic.send_truths(truths)
            if len(batch) < MOST:
                time.sleep(TICK)


def take_due(queue: deque[tuple[float, Any]], now: float) -> list[Any]:
    """Take out and return what is due, at most what goes into a request."""
    taken: list[Any] = []
    while queue and queue[0][0] <= now and len(taken) < MOST:
        taken.append(queue.popleft()[1])
    return taken
