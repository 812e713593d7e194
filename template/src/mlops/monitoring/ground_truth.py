"""Match what the service answered with the ground truth, which comes later.

A truth holds for the prediction with its id, else for all predictions of records with its key. Of
several truths the one written last holds: by `at`, then by order of arrival as far as the database
keeps it (SQLite does), then the greater text, so that the same journal always says the same.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from string import Template

import polars as pl

from ..core.errors import UserError
from ..data.cells import read_cell
from ..data.contract import Column, Contract
from ..data.number_text import NumberForm
from ..records.databases import BATCH, connect
from ..serving.journal_database import SQLITE
from ..serving.options import Options

START = "start the service with 'serve' and send it requests, or say in JOURNAL_URL where it writes"
ANSWERS = ("prediction", "decision")
TYPES = {"version": pl.Int64(), "score": pl.Float64(), "place": pl.Int64(), "unmatched": pl.Int64()}
PLAIN = {"formats": (), "missing": ("",), "spelling": {}, **NumberForm()._asdict()}

# Moments, which `format_moment` makes, are written into the statements: the driver for PostgreSQL
# reads in batches only what has no parameters. SQLite types cells, not columns, and the driver goes
# by the first batch: null comes as "" or -1, lest there be nothing but null, see `read_batches`.
PREDICTIONS = Template("""
    SELECT id, at, coalesce(key, '') AS key, coalesce(version, -1) AS version,
        prediction, decision, score, inputs
    FROM predictions WHERE role = 'champion' AND at >= '$since' AND at < '$until'
""")
TRUTHS = Template("""
    WITH asked AS (
        SELECT id, key
        FROM predictions WHERE role = 'champion' AND at >= '$since' AND at < '$until'
    ), told AS (
        SELECT at AS truth_at, id, key, truth, $arrival AS place FROM truths
    ), fitting AS (
        SELECT * FROM told WHERE id IN (SELECT id FROM asked)
        UNION ALL
        SELECT * FROM told WHERE id IS NULL AND key IN (SELECT key FROM asked)
    )
    SELECT truth_at, coalesce(id, '') AS id, coalesce(key, '') AS key, truth, place FROM fitting
""")
UNMATCHED = Template("""
    SELECT count(*) AS unmatched
    FROM truths
    LEFT JOIN (
        SELECT id AS known_id FROM predictions WHERE role = 'champion'
    ) AS asked ON known_id = truths.id
    LEFT JOIN (
        SELECT DISTINCT key AS known_key FROM predictions
        WHERE role = 'champion' AND key IS NOT NULL
    ) AS records ON truths.id IS NULL AND known_key = truths.key
    WHERE at >= '$since' AND known_id IS NULL AND known_key IS NULL
""")
SQLITE_TABLES = "SELECT count(*) FROM sqlite_master WHERE name IN ('predictions', 'truths')"
POSTGRESQL_TABLES = "SELECT count(*) FROM pg_tables WHERE tablename IN ('predictions', 'truths')"


def journal_url() -> str:
    """Return where the service writes: JOURNAL_URL of the environment, or its own default."""
    return Options.read().journal_url


def join_ground_truth(
    journal: str,
    since: datetime,
    until: datetime,
    contract: Contract | None = None,
    columns: list[str] | None = None,
) -> pl.DataFrame:
    """Return the champion's predictions from `since` up to `until`, in order of time, with truths.

    id, at, version (null: not registered), prediction, score, decision (bool if it is yes or no);
    `key` and `inputs` (structs, of the contract's types; `columns` names the inputs that are
    wanted, None all); truth (null: not come, or none of the contract's classes), truth_at, delay
    (seconds, 0 if the truth was there first), contradicted (there are different truths).

    Truths may lie before `since` and after `until`. Rows are decoded batch by batch: memory grows
    with what is asked for, not with the journal. Raises UserError if there is no journal.
    """
    contract = contract or Contract.load()
    window = {"since": format_moment(since), "until": format_moment(until)}
    arrival = "rowid" if journal.startswith(SQLITE) else "0"
    answer = ("id", "at", "key", "version", *ANSWERS, "score", "inputs")
    predictions = pl.concat(
        decode_predictions(batch, contract, columns)
        for batch in read_batches(journal, PREDICTIONS.substitute(window), answer)
    )
    statement = TRUTHS.substitute(window, arrival=arrival)
    truth = ("truth_at", "id", "key", "truth", "place")
    truths = pl.concat(read_batches(journal, statement, truth))
    return add_last_truth(predictions, truths, contract)


def add_last_truth(
    predictions: pl.DataFrame, truths: pl.DataFrame, contract: Contract
) -> pl.DataFrame:
    """Return each prediction with the last of its truths; `_key` is its key as text."""
    by_id = truths.drop_nulls("id").drop("key")
    by_key = truths.filter(pl.col("id").is_null()).drop("id")
    keyed = predictions.select("id", key="_key").join(by_key, on="key").drop("key")
    fitting = pl.concat([by_id, keyed.select(by_id.columns)]).sort("truth_at", "place", "truth")
    last = fitting.group_by("id", maintain_order=True).agg(
        pl.col("truth", "truth_at").last(), contradicted=pl.col("truth").n_unique() > 1
    )
    delay = (pl.col("truth_at") - pl.col("at")).dt.total_seconds(fractional=True).clip(0)
    text = pl.col("truth")
    answer = text if contract.classes else text.cast(pl.Float64, strict=False)
    known = answer.is_in(contract.classes) if contract.classes else answer.is_finite()
    return (
        predictions.join(last, on="id", how="left")
        .with_columns(
            parse_moment("at"), parse_moment("truth_at"), pl.col("contradicted").fill_null(False)
        )
        .with_columns(truth=pl.when(known).then(answer), delay=pl.when(known).then(delay))
        .sort("at", "id")
        .drop("_key")
    )


def count_unmatched(journal: str, since: datetime) -> int:
    """Count the truths written from `since` on that fit no prediction of the champion at all."""
    statement = UNMATCHED.substitute(since=format_moment(since))
    return int(pl.concat(read_batches(journal, statement, ("unmatched",))).item())


def decode_predictions(
    rows: pl.DataFrame, contract: Contract, columns: list[str] | None
) -> pl.DataFrame:
    """Return predictions of the journal with key and inputs as typed structs, `_key` as text."""
    number = contract.task == "regression"  # in SQLite, its text has fewer digits than the score
    answer = {name: pl.col("score") if number else pl.col(name) for name in ANSWERS}
    if contract.task == "binary":
        answer["decision"] = pl.col("decision") == "true"
    inputs = [c for c in contract.inputs if columns is None or c.name in columns]
    parts = [decode_cells(rows["key"], contract.keys), decode_cells(rows["inputs"], inputs)]
    plain = rows.drop("inputs").rename({"key": "_key"}).with_columns(**answer)
    return plain.with_columns(part for part in parts if part is not None)


def decode_cells(texts: pl.Series, columns: Sequence[Column]) -> pl.Series | None:
    """Return JSON objects as a struct of the columns' types; None where there are no columns.

    What cannot be read by the contract (which may have changed since) is null.
    """
    if not columns:
        return None
    kind = pl.Struct(dict.fromkeys((column.name for column in columns), pl.String()))
    objects = texts.str.json_decode(kind).struct.unnest()
    written = [column.model_copy(update=PLAIN) for column in columns]
    return objects.select(
        read_cell(column, pl.String(), thorough=False).alias(column.name) for column in written
    ).to_struct(texts.name)


def parse_moment(name: str) -> pl.Expr:
    """Return a column of the journal's moments as times in UTC, to the millisecond."""
    form = "%Y-%m-%dT%H:%M:%S%.f%:z"
    return pl.col(name).str.to_datetime(form, time_unit="ms", time_zone="UTC", strict=False)


def format_moment(at: datetime) -> str:
    """Return a moment as the journal writes it: a text whose order is that of time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def read_batches(journal: str, statement: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield what a statement finds in the journal, batch by batch; at least one, maybe empty.

    "" and -1 are null. Raises UserError if there is no journal, or nothing was ever written to it.
    """
    nulls = [pl.col(pl.String).replace("", None), pl.col(pl.Int64).replace(-1, None)]
    sqlite = journal.startswith(SQLITE)
    try:
        with connect(journal) as cursor:
            cursor.execute(SQLITE_TABLES if sqlite else POSTGRESQL_TABLES)
            if cursor.fetchone()[0] < 2:
                raise UserError(f"The journal holds no prediction yet: {START}.")
            if sqlite:
                cursor.adbc_statement.set_options(**BATCH)
            cursor.execute(statement)
            batches = cursor.fetch_record_batch()
            schema = pl.Schema({name: TYPES.get(name, pl.String()) for name in columns})
            yield schema.to_frame()
            for batch in batches:
                yield pl.DataFrame(batch).select(columns).cast(schema).with_columns(nulls)
    except UserError as error:
        if "there is no such database file" in str(error):
            file = journal.removeprefix(SQLITE)
            raise UserError(f"There is no journal at {file}: {START}.") from None
        raise
