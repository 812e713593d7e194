"""A table with nothing to be found in it, in which a test plants one thing."""

import numpy as np
import polars as pl
from mlops.core.params import Params
from mlops.data.column_names import ROW
from mlops.data.contract import Column, Contract
from mlops.profile.table_profile import profile_table

from tables import TYPES

ROWS = 1200
PARAMS = Params(train={"candidates": ["linear"]})


def rng(seed=1):
    return np.random.default_rng(seed)


def table(rows=ROWS, **columns):
    """Three inputs, one of which tells a little of the target `y`, beside these columns."""
    random = rng(0)
    size = random.normal(50, 10, rows)
    plain = {
        "size": size,
        "speed": random.normal(5, 2, rows),
        "town": random.choice(["Ash", "Birch", "Elm", "Oak"], rows),
        "y": size + random.normal(0, 15, rows) > 50,
    }
    return pl.DataFrame(plain | columns).with_row_index(ROW, offset=1)


def contract_of(frame, task="binary", roles=None, **changes):
    """The contract of a frame; `roles` and `changes` are by column."""
    columns = tuple(
        Column(
            name=values.name,
            type=TYPES[values.dtype.base_type()],
            **({"role": "target"} if values.name == "y" else {}),
            **({"role": roles[values.name]} if values.name in (roles or {}) else {}),
            **changes.get(values.name, {}),
        )
        for values in frame.drop(ROW)
    )
    labels = frame["y"].drop_nulls().cast(pl.String).unique().sort().to_list()
    classes = () if task == "regression" else tuple(labels)
    return Contract(id="t", name="t", task=task, classes=classes, columns=columns)


def profile(frame, task="binary", roles=None, arrivals=(), **changes):
    contract = contract_of(frame, task, roles, **changes)
    frame = frame.with_columns(pl.col(ROW).cast(pl.Int64))
    return profile_table(frame.lazy(), contract, PARAMS, list(arrivals))


def findings(*args, **options):
    """What is found: (kind, severity, columns)."""
    found = profile(*args, **options).findings
    return {(each.kind, each.severity, each.columns) for each in found}
