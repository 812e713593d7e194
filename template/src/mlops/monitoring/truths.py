"""Late truth: what the service answered, beside what really was once that is known.

A truth holds for the prediction with its id, else for all predictions of records with its key. Of
several truths the one written last holds: by `at`, then by order of arrival as far as the database
keeps it (SQLite does), then the greater text, so that the same journal always says the same.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import polars as pl

from ..core.errors import UserError
from ..data.cells import read_cell
from ..data.contract import Column, Contract
from ..records.databases import BATCH, connect
from ..serving.journal import SQLITE, TABLES
from ..serving.options import Options

CHAMPION = "champion"
START = "start the service with 'serve' and send it requests, or say in JOURNAL_URL where it writes"
SAID = ("prediction", "decision")
TYPES = {"version": pl.Int64(), "score": pl.Float64(), "place": pl.Int64(), "strays": pl.Int64()}
ANSWER = ("id", "at", "key", "version", *SAID, "score", "inputs")
TRUTH = ("truth_at", "id", "key", "truth", "place")
JSON = {"formats": (), "missing": ("",), "spelling": {}, "decimal": "."}  # as the journal writes


def journal_url() -> str:
    """Where the service writes: JOURNAL_URL of the environment, or where it does by itself."""
    return Options.read().journal_url


def joined(
    journal: str,
    since: datetime,
    until: datetime,
    contract: Contract | None = None,
    columns: list[str] | None = None,
) -> pl.DataFrame:
    """The champion's predictions from `since` up to `until`, in order of time, with their truths.

    id, at, version (null: not registered), prediction, score, decision (bool if it is yes or no);
    `key` and `inputs` (structs, of the contract's types; `columns` names the inputs that are
    wanted, None all); truth (null: not come, or none of the contract's classes), truth_at, delay
    (seconds, 0 if the truth was there first), contradicted (there are different truths).

    Truths may lie before `since` and after `until`. Rows are decoded batch by batch: memory grows
    with what is asked for, not with the journal. Raises UserError if there is no journal.
    """
    contract = contract or Contract.load()
    window = f"role = '{CHAMPION}' AND at >= '{moment(since)}' AND at < '{moment(until)}'"
    some = "coalesce(key, '') AS key, coalesce(version, -1) AS version, prediction, score, decision"
    asked = f"SELECT id, at, {some}, inputs FROM predictions WHERE {window}"  # noqa: S608
    some = "at AS truth_at, coalesce(id, '') AS id, coalesce(key, '') AS key, truth"
    place = "rowid" if journal.startswith(SQLITE) else "0"
    fits = f"IN (SELECT {{}} FROM predictions WHERE {window})"  # noqa: S608
    truths = f"SELECT {some}, {place} AS place FROM truths WHERE"  # noqa: S608
    by_id, by_key = f"id {fits.format('id')}", f"id IS NULL AND key {fits.format('key')}"
    told = f"{truths} {by_id} UNION ALL {truths} {by_key}"
    predictions = pl.concat(
        decoded(batch, contract, columns) for batch in read(journal, asked, ANSWER)
    )
    return matched(predictions, pl.concat(read(journal, told, TRUTH)), contract)


def matched(predictions: pl.DataFrame, truths: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Each prediction with the last of its truths; `_key` is its key as text."""
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
        .with_columns(instant("at"), instant("truth_at"), pl.col("contradicted").fill_null(False))
        .with_columns(truth=pl.when(known).then(answer), delay=pl.when(known).then(delay))
        .sort("at", "id")
        .drop("_key")
    )


def strays(journal: str, since: datetime) -> int:
    """How many truths written from `since` on fit no prediction of the champion at all."""
    asked = (
        "SELECT count(*) AS strays FROM truths "  # noqa: S608
        f"LEFT JOIN (SELECT id AS known FROM predictions WHERE role = '{CHAMPION}') AS one "
        "ON known = truths.id "
        "LEFT JOIN (SELECT DISTINCT key AS record FROM predictions "
        f"WHERE role = '{CHAMPION}' AND key IS NOT NULL) AS other "
        "ON truths.id IS NULL AND record = truths.key "
        f"WHERE at >= '{moment(since)}' AND known IS NULL AND record IS NULL"
    )
    return int(pl.concat(read(journal, asked, ("strays",))).item())


def decoded(rows: pl.DataFrame, contract: Contract, columns: list[str] | None) -> pl.DataFrame:
    """Predictions of the journal with what has parts in typed structs; `_key` is still text."""
    number = contract.task == "regression"  # in SQLite, its text has fewer digits than the score
    answer = {name: pl.col("score") if number else pl.col(name) for name in SAID}
    if contract.task == "binary":
        answer["decision"] = pl.col("decision") == "true"
    inputs = [c for c in contract.inputs if columns is None or c.name in columns]
    parts = [cells(rows["key"], contract.keys), cells(rows["inputs"], inputs)]
    plain = rows.drop("inputs").rename({"key": "_key"}).with_columns(**answer)
    return plain.with_columns(part for part in parts if part is not None)


def cells(texts: pl.Series, columns: Sequence[Column]) -> pl.Series | None:
    """JSON objects as a struct of the columns' types; None where there are no columns. What cannot
    be read by the contract (which may have changed since) is null.
    """
    if not columns:
        return None
    kind = pl.Struct(dict.fromkeys((column.name for column in columns), pl.String()))
    objects = texts.str.json_decode(kind).struct.unnest()
    written = [column.model_copy(update=JSON) for column in columns]
    return objects.select(
        read_cell(column, pl.String(), thorough=False).alias(column.name) for column in written
    ).to_struct(texts.name)


def instant(name: str) -> pl.Expr:
    form = "%Y-%m-%dT%H:%M:%S%.f%:z"
    return pl.col(name).str.to_datetime(form, time_unit="ms", time_zone="UTC", strict=False)


def moment(at: datetime) -> str:
    """As the journal writes it: a text whose order is that of time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def read(journal: str, query: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """What a query finds in the journal, batch by batch; at least one, which may be empty.

    SQLite types cells, not columns, and the driver goes by the first batch: a query writes null as
    "" or -1, lest there be nothing but null.
    """
    nothing = [pl.col(pl.String).replace("", None), pl.col(pl.Int64).replace(-1, None)]
    sqlite = journal.startswith(SQLITE)
    try:
        with connect(journal) as cursor:
            catalog = "sqlite_master WHERE name" if sqlite else "pg_tables WHERE tablename"
            names = ", ".join(f"'{name}'" for name in TABLES)
            cursor.execute(f"SELECT count(*) FROM {catalog} IN ({names})")  # noqa: S608
            if cursor.fetchone()[0] < len(TABLES):
                raise UserError(f"The journal holds no prediction yet: {START}.")
            if sqlite:
                cursor.adbc_statement.set_options(**BATCH)
            cursor.execute(query)
            batches = cursor.fetch_record_batch()
            schema = pl.Schema({name: TYPES.get(name, pl.String()) for name in columns})
            yield schema.to_frame()
            for batch in batches:
                yield pl.DataFrame(batch).select(columns).cast(schema).with_columns(nothing)
    except UserError as error:
        if "there is no such database file" in str(error):
            file = journal.removeprefix(SQLITE)
            raise UserError(f"There is no journal at {file}: {START}.") from None
        raise
