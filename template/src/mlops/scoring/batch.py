"""Batch scoring: a decision for each row of a table, by the packaged model.

Rows are held to the contract by the pipeline's own code; one that breaks it gets no score but the
reason. The file is worked shard by shard, side by side, so that memory does not grow with it;
finished shards are kept beside the result, so that a killed run goes on where it was.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, count
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, Self

import polars as pl
from filelock import FileLock, Timeout
from joblib import cpu_count

from ..core.errors import UserError
from ..core.parallel import spread
from ..core.params import Params
from ..core.paths import replacing, sha256
from ..core.progress import show_progress
from ..data.change_log import Part
from ..data.column_names import ROW, cols, internal
from ..data.contract import CONTRACT, Contract
from ..data.ingest import number_rows, type_rows_quickly
from ..data.row_rules import is_sound, list_reasons
from ..model.inputs import explain_misfit
from ..records.archives import is_archive
from ..records.delivery import deliver, make_plain
from ..records.inspection import inspect
from ..records.reading_options import AS_IT_IS, Reading
from ..registry.registry import find_model_file
from .predictor import Predictor

SHARD = 50_000
PER_WORKER = 4  # shards at least: to start one takes about as long as to score so many
SINKS: dict[str, Any] = {
    ".csv": pl.LazyFrame.sink_csv,
    ".jsonl": pl.LazyFrame.sink_ndjson,
    ".parquet": pl.LazyFrame.sink_parquet,
}
CODE = Path(__file__).parents[1]
load_predictor = lru_cache(maxsize=1)(Predictor)
IS_SOUND = internal("sound")
NUMBER = "_row"  # in the result
RESULT = ("prediction", "score", "decision", "version", "model", "reason")


def predict(
    source: str,
    target: Path,
    version: int | None = None,
    *,
    query: str | None = None,
    reading: Reading = AS_IT_IS,
) -> list[str]:
    """Score the rows of `source`, as for `data add`, into `target` (.csv, .jsonl or .parquet).

    `version` is one of the registry; without it, models/model.onnx scores. Returns the lines to
    print. Raises UserError if anything is wrong with the files, or no row can be scored.
    """
    if target.suffix.lower() not in SINKS:
        raise UserError(f"{target}: its name must end in {', '.join(SINKS)}; choose one.")
    if target.exists() and Path(source).is_file() and target.samefile(source):
        raise UserError(f"{target} is the table to score itself: choose another name.")
    with lock_target(target), gather_files(source, query, reading) as parts:
        number, model = find_model_file(version)
        scorer = Scorer.of(model, number, Contract.load())
        files = (*parts, model, CONTRACT, *sorted(CODE.rglob("*.py")))
        digest = hashlib.sha256(f"{SHARD} {number} {''.join(map(sha256, files))}".encode())
        shards, rows = Shards(target, digest.hexdigest()[:16]), sum(parts.values())
        score_shards(parts, scorer, shards)
        unscored, example = shards.join()
    outcome = f"{target}: model {scorer.model} scored {rows - unscored:,} of {rows:,} rows"
    why = f"break the contract, most often so: {example} (see the column reason)"
    if rows and unscored == rows:
        raise UserError(
            f"{outcome}, which {why}: correct the table, or contract.yaml if it is wrong."
        )
    return [f"{outcome}; the others {why}" if unscored else outcome]


@contextmanager
def lock_target(target: Path) -> Iterator[None]:
    """Keep others from writing the same result, as they would mix their shards.

    Raises UserError if another one is writing it.
    """
    name = hashlib.sha256(str(target.resolve()).encode()).hexdigest()[:16]
    try:
        with FileLock(Path(gettempdir(), f"predict-{name}.lock"), timeout=0):
            yield
    except Timeout:
        raise UserError(
            f"{target} is being written by another 'predict': wait for it, or name another file."
        ) from None


@contextmanager
def gather_files(source: str, query: str | None, reading: Reading) -> Iterator[dict[Path, int]]:
    """Yield the files of a source and how many rows each has; what cannot be scanned where it lies
    is brought here.
    """
    file = Path(source)
    with TemporaryDirectory(".tmp", ".predict-", ".") as scratch:
        if file.is_file() and not (query or is_archive(file)):
            plain = make_plain(file, Path(scratch), reading).path
            yield {plain: inspect(plain)[1]}
            return
        deliveries = deliver(source, Path(scratch), query=query, reading=reading)
        yield {delivery.path: delivery.rows for delivery in deliveries}


def score_shards(parts: dict[Path, int], scorer: "Scorer", shards: "Shards") -> None:
    """Score what is left of the files, side by side, and keep each shard."""
    rows, befores = sum(parts.values()), accumulate(parts.values(), initial=0)
    tables = [
        number_rows(Part(path, before), scorer.contract)
        for path, before in zip(parts, befores, strict=False)
    ]
    left = pl.concat(tables, how="vertical_relaxed").slice(shards.done * SHARD)
    batches = left.collect_batches(chunk_size=SHARD, lazy=True)
    workers = min(Params.read().train.processes or cpu_count(), rows // (PER_WORKER * SHARD))
    with (
        show_progress() as bar,
        spread(max(1, workers), threads=True) as side_by_side,
    ):
        task = bar.add_task("predict", total=rows, completed=shards.done * SHARD)
        for shard in side_by_side(scorer.score, batches):
            shards.add(shard)
            bar.advance(task, SHARD)


@dataclass(frozen=True)
class Scorer:
    """Scores a shard. It is complete in itself, so that it works on any machine.

    It needs the keys and what the model reads. It gives `_row` (the first is 1), the keys,
    `prediction` (the likeliest class, or the number), `score` (P(positive), P(the likeliest), or
    the number), `decision` (act: true or false, by the threshold; else the prediction), the model's
    `version` in the registry and the start of its SHA-256, and `reason`: why there is no score.
    """

    contract: Contract
    content: bytes
    version: int | None
    model: str

    @classmethod
    def of(cls, model: Path, version: int | None, contract: Contract) -> Self:
        """Take what scoring needs of a model and of the contract.

        Raises UserError if the model or the names of the keys do not go with the contract.
        """
        meta = Predictor(model).meta
        if why := explain_misfit(meta, contract):
            raise UserError(f"{model} {why}: run 'uv run dvc repro' for a model of this table.")
        if clashes := {column.name for column in contract.keys} & {NUMBER, *RESULT}:
            raise UserError(
                f"contract.yaml: key '{min(clashes)}' is a name predict uses; rename it."
            )
        read = {entry["column"] for entry in meta["inputs"]}
        columns = [c for c in contract.columns if c.is_key or c.name in read]
        needed = contract.model_copy(update={"columns": tuple(columns)})
        return cls(needed, model.read_bytes(), version, sha256(model)[:12])

    def score(self, delivered: pl.DataFrame) -> pl.DataFrame:
        """Score delivered rows; each comes back, in order, with its score or the reason why not."""
        table = pl.concat(type_rows_quickly(delivered.lazy(), self.contract))
        rows = table.with_columns(is_sound(self.contract).alias(IS_SOUND)).collect()
        fit, unfit = rows.filter(IS_SOUND), rows.filter(~pl.col(IS_SOUND))
        fields = (pl.element().struct.field(name) for name in ("column", "rule", "value"))
        reason = pl.format("{} {} '{}'", *fields)
        why = list_reasons(self.contract).list.eval(reason).list.join("; ")
        predictor = load_predictor(self.content)
        answers = predictor.answers(predictor.scores(fit))
        series = [pl.Series(name, list(column), strict=False) for name, column in answers.items()]
        known = [pl.col(ROW).alias(NUMBER), cols(column.name for column in self.contract.keys)]
        both = [fit.select(*known, *series), unfit.select(*known, reason=why)]
        about = {"version": pl.lit(self.version, pl.Int64), "model": pl.lit(self.model)}
        shard = pl.concat(both, how="diagonal").with_columns(**about).sort(NUMBER)
        keys = (column.name for column in self.contract.keys)
        return shard.select(NUMBER, cols(keys), *RESULT)


class Shards:
    """The scored shards, in a folder beside the result whose name tells what they are made of;
    what runs with another table, model or contract have left there is removed.
    """

    def __init__(self, target: Path, digest: str) -> None:
        self.target, self.folder = target, target.parent / f".{target.name}.{digest}.shards"
        for other in set(target.parent.glob(f".{target.name}.*.shards")) - {self.folder}:
            shutil.rmtree(other)
        self.done = next(n for n in count() if not self._file(n).exists())

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:06}.parquet"

    def add(self, shard: pl.DataFrame) -> None:
        """Keep the next shard, whole or not at all."""
        with replacing(self._file(self.done)) as scratch:
            shard.write_parquet(scratch)
        self.done += 1

    def join(self) -> tuple[int, str]:
        """Make one file of them.

        Returns how many rows have no score, and an example of the commonest reason for that.
        """
        table = pl.scan_parquet([self._file(n) for n in range(self.done)], glob=False)
        with replacing(self.target) as scratch:
            SINKS[self.target.suffix.lower()](table, scratch)
        kind = pl.col("reason").str.extract("^(.*?) '").alias("kind")  # column and rule
        without = table.drop_nulls("reason").group_by(kind).agg(pl.len(), pl.min("reason"))
        reasons = without.sort("len", "kind", descending=[True, False]).collect(engine="streaming")
        shutil.rmtree(self.folder)
        return int(reasons["len"].sum()), next(iter(reasons["reason"]), "")
