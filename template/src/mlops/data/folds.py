"""Rows in a line, from which the parts of the split and the folds of the search are cut.

By time where there is a time column, so that a model is judged on a later time than it learned
from; else by a hash of the group, key or row number, so that a row keeps its place when others are
added. Rows of one group (where there is none: of one key) are never cut apart.
"""

import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..core.errors import UserError
from ..core.params import Params
from .column_names import ROW, col, internal, values_of
from .contract import Contract

Indices = NDArray[np.int64]
TIE = internal("tie")  # what rows that are never cut apart have in common


def choose_policy(contract: Contract) -> str:
    """Choose time or group if there is such a column; else stratified by class, or random."""
    usual = "random" if contract.task == "regression" else "stratified"
    return next((role for role in ("time", "group") if contract.of_role(role)), usual)


def make_folds(
    frame: pl.DataFrame, contract: Contract, params: Params
) -> list[tuple[Indices, Indices]]:
    """Make `params.train.folds` pairs of row positions (learn, judge), by the policy of the split.

    By time the windows expand: each fold learns from all that came before it. Folds with no rows
    or a single class are left out. Raises UserError if none remains.
    """
    by_time, least = choose_policy(contract) == "time", 1 if contract.task == "regression" else 2
    pieces, target = params.train.folds + by_time, values_of(frame, contract.target.name)
    piece = (line_up(frame, contract, params.train.seed).to_numpy() * pieces).astype(int)
    pairs = []
    for turn in range(pieces):
        learn = np.flatnonzero(piece < turn if by_time else piece != turn)
        judge = np.flatnonzero(piece == turn)
        if min(target[learn].n_unique(), target[judge].n_unique()) >= least:
            pairs.append((learn, judge))
    if not pairs:
        raise UserError(
            f"No fold of the training rows has {least} values of {contract.target.name}."
        )
    return pairs


def line_up(frame: pl.DataFrame, contract: Contract, seed: int) -> pl.Series:
    """Give each row its place in the line, in (0, 1); rows of one time, group or key share a place.

    Each class has a line of its own when the split is stratified, so that every piece gets its
    share of each. Rows without a time stand first: they may be learned from, never turn on.
    """
    ties = [column.name for column in contract.of_role("group") or contract.keys] or [ROW]
    alone = pl.format("row {}", ROW)  # without a group or key
    tie = pl.coalesce(pl.concat_str(map(col, ties), separator="\x1f"), alone)
    frame = frame.with_columns(tie.alias(TIE))
    by, stratum = choose_policy(contract), pl.lit(0)
    if by == "time":
        time = col(contract.of_role("time")[0].name)
        order = time.max().over(TIE).fill_null(time.min())
    else:
        # Drawn in the same way on every machine and by every version of polars.
        texts = (f"{seed} {name}".encode() for name in frame[TIE])
        digests = (hashlib.blake2b(text, digest_size=8).digest() for text in texts)
        order = pl.lit(pl.Series(np.frombuffer(b"".join(digests), dtype="<u8")))
    if by == "stratified":
        stratum = col(contract.target.name).first().over(TIE)
    place = (pl.col("order").rank() - 0.5) / pl.len()
    return frame.select(order=order, stratum=stratum).select(place.over("stratum")).to_series()
