"""Small tables with every kind of column, made to be learned from."""

import datetime as dt

import numpy as np
import polars as pl
from mlops.data.column_names import ROW
from mlops.data.contract import Column, Contract

TYPES = {
    pl.String: "string",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "timestamp",
    pl.Int64: "integer",
    pl.Float64: "number",
}
START = dt.datetime(2020, 1, 1, 5, 30)


def table(task="binary", rows=400, seed=0, only=None, scale=1.0):
    """A typed table and its contract; `only` keeps the columns of these types.

    The seconds lie one 32-bit step apart; one column is never known and one never varies; of the
    several classes one, "unmet", has no row.
    """
    random = np.random.default_rng(seed)
    number, town = random.normal(size=rows), random.integers(0, 60, rows)
    seconds = 1.7e9 + 128.0 * random.integers(0, 50, rows)
    kind = random.choice(["a", "b", "ç", ""], rows)
    columns = {
        "size, in cm.": pl.Series(np.where(random.random(rows) < 0.1, np.nan, number)),
        "seconds": pl.Series(seconds),
        "count": pl.Series(random.integers(0, 9, rows)),
        "flag": pl.Series(number > 0.5),
        "unknown": pl.Series([None] * rows, dtype=pl.Float64),
        "same": pl.Series([1.0] * rows),
        "kind": pl.Series([None if text == "" else text for text in kind]),
        "town's name": pl.Series([f'town {place} "x"' for place in town]),
        "seen": pl.Series([START + dt.timedelta(hours=7 * i) for i in range(rows)]),
        "born": pl.Series([dt.date(1950, 1, 1) + dt.timedelta(days=9 * i) for i in range(rows)]),
    }
    latent = number + np.sin(seconds / 128 / 4) + (kind == "a") + (town % 7 == 0)
    latent = latent + random.normal(scale=0.3, size=rows)
    answers = {
        "binary": np.where(latent > 0.8, "yes", "no"),
        "multiclass": np.array(["low", "middle", "high"])[np.digitize(latent, [-0.3, 1])],
        "regression": latent * scale + 100 * scale,
    }
    classes = {"binary": ("no", "yes"), "multiclass": ("low", "unmet", "middle", "high")}
    frame = pl.DataFrame(columns).fill_nan(None)
    frame = frame.select(c for c in frame if only is None or TYPES[c.dtype.base_type()] in only)
    described = [Column(name=c.name, type=TYPES[c.dtype.base_type()]) for c in frame]
    target = Column(
        name="y", type="number" if task == "regression" else "string", role="target", required=True
    )
    frame = frame.with_columns(pl.Series("y", answers[task]), pl.int_range(rows).alias(ROW))
    contract = Contract(
        id="t-y", name="t", task=task, classes=classes.get(task, ()), columns=(*described, target)
    )
    return frame, contract
