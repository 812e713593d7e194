"""Stage split: which rows the model learns from, is chosen by, and is judged on.

Rows stand in a line, and parts and folds are pieces cut from it. The line is by time where there
is a time column, so that the model is judged on a later time than it learned from; else by a hash
of the group, key or row number, so that a row keeps its place when others are added. Rows of one
group (where there is none: of one key) are never cut apart.
"""

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import UserError
from ..files import CLEAN, REPORTS, TEST, TRAIN, VALID, replacing, write_json
from ..gates import Verdict, block_unless_passed, judged
from ..lines import columns
from ..sections import SplitParams
from ..settings import Params, Problem
from .contract import Contract
from .leak import Suspect, assess
from .reading import stream

Indices = NDArray[np.int64]
PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}


def run() -> None:
    """Cut the clean table; write the parts, reports/split.json and reports/leak.json.

    Raises BlockedError if a part has too few rows, or if an input seems to leak the target.
    """
    contract, params, problem = Contract.load(), Params.read(), Problem.read()
    report = cut(contract, params.split)
    write_json(REPORTS / "split.json", report)
    rows = " / ".join(f"{rows:,} {part}" for part, rows in report["rows"].items())
    print(f"split: {rows} rows, by {report['policy']}")
    block_unless_passed([rows_verdict(report, params.data.min_rows, problem)])
    limit = params.data.max_leak_score
    scores, found = assess(pl.read_parquet(TRAIN), contract, limit)
    told = {"limit": limit, "scores": scores, "suspects": [asdict(one) for one in found]}
    write_json(REPORTS / "leak.json", told)
    block_unless_passed([leak_verdict(told, problem)])


def cut(contract: Contract, params: SplitParams) -> dict[str, Any]:
    """Write the parts of the clean table, and return what went where and what they lack."""
    roles = [c.name for c in contract.columns if c.role in ("target", "key", "group", "time")]
    frame = pl.read_parquet(CLEAN, columns=["_row", *roles])
    frame = frame.with_columns(split(frame, contract, params))
    both = pl.concat([pl.scan_parquet(CLEAN), frame.select("part").lazy()], how="horizontal")
    rows, faults = {}, []
    with replacing(TRAIN.parent) as folder:
        folder.mkdir()
        for name, path in PARTS.items():
            stream({folder / path.name: both.filter(part=name).drop("part")})
            answers = frame.filter(part=name)[contract.target.name].cast(pl.String)
            rows[name] = len(answers)
            needed = contract.classes if name == "train" or contract.task == "binary" else ()
            faults += [f"{name} has no rows"] if answers.is_empty() else []
            faults += [f"{name} has no row of class {one}" for one in needed if one not in answers]
    return {"policy": policy(contract), "seed": params.seed, "rows": rows, "faults": faults}


def rows_verdict(report: dict[str, Any], least: int, problem: Problem) -> Verdict:
    """The gate `rows` on reports/split.json: enough rows in all, and what each part needs."""
    total, faults = sum(report["rows"].values()), [*report.get("faults", ())]
    if total < least:
        faults.append(f"{total:,} rows are fewer than the {least:,} of data.min_rows")
    meaning = "; ".join(faults) or f"{total:,} clean rows"
    advice = "Add data, or change roles in contract.yaml or the split in params.yaml."
    return judged(problem, "rows", (not faults, total, least, meaning, advice))


def leak_verdict(report: dict[str, Any], problem: Problem) -> Verdict:
    """The gate `leak` on reports/leak.json: the suspects, or else the most telling input."""
    found = [Suspect(**one) for one in report["suspects"]]
    scores = [one.score for one in found] or [one["score"] for one in report["scores"]]
    most = round(max(scores, default=0.0), 3)
    limit = min((one.limit for one in found), default=report["limit"])
    meaning = "; ".join(one.sentence() for one in found) or "no input tells the target alone"
    advice = (
        f"In contract.yaml mark {', '.join(one.column for one in found)} knownAtDecision: false if "
        "it is only known after the decision, or leakReviewed: true if it really is known."
    )
    finding = (not found, most, limit, meaning, advice)
    return judged(problem, "leak", finding, columns(one.column for one in found))


def policy(contract: Contract) -> str:
    """By time or group if there is such a column; else stratified by class, or random."""
    usual = "random" if contract.task == "regression" else "stratified"
    return next((role for role in ("time", "group") if contract.of_role(role)), usual)


def split(frame: pl.DataFrame, contract: Contract, params: SplitParams) -> pl.Series:
    """The part of each row: "train", "valid" or "test"."""
    ends = [1 - params.valid - params.test, 1 - params.test]
    place = np.searchsorted(ends, line(frame, contract, params.seed))
    return pl.Series("part", np.array(list(PARTS))[place])


def folds(frame: pl.DataFrame, contract: Contract, params: Params) -> list[tuple[Indices, Indices]]:
    """`params.train.folds` pairs of row positions (learn, judge), by the policy of the split.

    By time the windows expand: each fold learns from all that came before it. Folds with no rows
    or a single class are left out. Raises UserError if none remains.
    """
    by_time, least = policy(contract) == "time", 1 if contract.task == "regression" else 2
    pieces, target = params.train.folds + by_time, frame[contract.target.name]
    piece = (line(frame, contract, params.train.seed).to_numpy() * pieces).astype(int)
    found = []
    for turn in range(pieces):
        learn = np.flatnonzero(piece < turn if by_time else piece != turn)
        judge = np.flatnonzero(piece == turn)
        if min(target[learn].n_unique(), target[judge].n_unique()) >= least:
            found.append((learn, judge))
    if not found:
        raise UserError(f"No fold of the training rows has {least} values of {target.name}.")
    return found


def line(frame: pl.DataFrame, contract: Contract, seed: int) -> pl.Series:
    """Each row's place in the line, in (0, 1); rows of one time, group or key share a place.

    Each class has a line of its own when the split is stratified, so that every piece gets its
    share of each. Rows without a time stand first: they may be learned from, never turn on.
    """
    ties = [column.name for column in contract.of_role("group") or contract.keys] or ["_row"]
    alone = pl.format("row {}", "_row")  # without a group or key
    frame = frame.with_columns(_tie=pl.coalesce(pl.concat_str(ties, separator="\x1f"), alone))
    by, stratum = policy(contract), pl.lit(0)
    if by == "time":
        time = pl.col(contract.of_role("time")[0].name)
        order = time.max().over("_tie").fill_null(time.min())
    else:
        # Drawn in the same way on every machine and by every version of polars.
        texts = (f"{seed} {name}".encode() for name in frame["_tie"])
        digests = (hashlib.blake2b(text, digest_size=8).digest() for text in texts)
        order = pl.lit(pl.Series(np.frombuffer(b"".join(digests), dtype="<u8")))
    if by == "stratified":
        stratum = pl.col(contract.target.name).first().over("_tie")
    place = (pl.col("order").rank() - 0.5) / pl.len()
    return frame.select(order=order, stratum=stratum).select(place.over("stratum")).to_series()
