"""Stage split: which rows the model learns from, is chosen by, and is judged on.

Rows stand in a line, and parts and folds are pieces cut from it. The line is by time where the
contract has a time column, so that the model is always judged on a later time than it learned
from; otherwise by a hash of the group, key or row number, so that a row keeps its place when
others are added. Rows of one group or one key stand together and are never cut apart.
"""

import hashlib
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..errors import UserError
from ..files import CLEAN, REPORTS, TEST, TRAIN, VALID, replacing, write_json
from ..gates import Verdict, block_unless_passed
from ..settings import Params, Problem, SplitParams
from . import leak
from .contract import Column, Contract, Role

WORDS = {
    "time": "by time, the latest rows are the test",
    "group": "by group, no group is in two parts",
    "stratified": "at random, each part with the same share of each class",
    "random": "at random",
}
Policy = Literal["time", "group", "stratified", "random"]
Indices = NDArray[np.int64]

ROLES: tuple[Role, ...] = ("target", "key", "group", "time")
PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}


def run() -> None:
    """Cut the clean table; write the parts, reports/split.json and reports/leak.json.

    Raises BlockedError if a part has too few rows, or if an input seems to leak the target.
    """
    contract, params, problem = Contract.load(), Params.read(), Problem.read()
    report = cut(contract, params.split)
    write_json(REPORTS / "split.json", report)
    rows = report["rows"]
    print(
        f"split: {' / '.join(f'{count:,} {part}' for part, count in rows.items())} rows, "
        + (WORDS[report["policy"]])
    )
    enough = rows_verdict(report, params.data.min_rows, problem)
    block_unless_passed([enough])
    limit = params.data.max_leak_score
    scored, found = leak.assess(pl.read_parquet(TRAIN), contract, limit)
    write_json(REPORTS / "leak.json", leak.report(scored, found, limit))
    block_unless_passed([enough, leak_verdict(found, limit, problem)])


def cut(contract: Contract, params: SplitParams) -> dict[str, Any]:
    """Write the parts of the clean table, and return what went where."""
    columns = {c.name for role in ROLES for c in contract.of_role(role)}
    frame = pl.read_parquet(CLEAN, columns=["_row", *sorted(columns)])
    part = split(frame, contract, params)
    report: dict[str, Any] = {"policy": policy(contract), "seed": params.seed}
    report["classes"] = len(contract.classes)
    report["rows"] = {name: int((part == name).sum()) for name in PARTS}
    if time := contract.of_role("time"):
        first = {name: frame.filter(part == name)[time[0].name].min() for name in PARTS}
        report["boundaries"] = {f"{name}_from": str(first[name]) for name in PARTS}
    if contract.task != "regression":
        texts = frame[contract.target.name].cast(pl.String)
        report["lacking"] = {
            name: [c for c in contract.classes if not ((part == name) & (texts == c)).any()]
            for name in PARTS
        }
    both = pl.concat([pl.scan_parquet(CLEAN), part.to_frame().lazy()], how="horizontal")
    for name, target in PARTS.items():
        chosen = both.filter(pl.col("part") == name).drop("part")
        with replacing(target) as scratch:
            chosen.sink_parquet(scratch, compression="lz4")
    return report


def rows_verdict(report: dict[str, Any], least: int, problem: Problem) -> Verdict:
    """The gate `rows` on reports/split.json: enough rows in all, and something in each part.

    Training rows must hold every class; with two classes, so must the other parts.
    """
    rows, total = report["rows"], sum(report["rows"].values())
    lacking = report.get("lacking", {})
    needed = PARTS if report["classes"] == 2 else ("train",)
    faults = [f"the {part} part has no rows" for part in rows if not rows[part]]
    faults += [
        f"the {part} part has no row of class {', '.join(lacking[part])}"
        for part in needed
        if rows[part] and lacking.get(part)
    ]
    if total < least:
        faults.insert(0, f"{total:,} rows are fewer than the {least:,} of data.min_rows")
    return Verdict(
        name="rows",
        passed=not faults,
        measured=total,
        limit=least,
        meaning="; ".join(faults) or f"{total:,} clean rows",
        what_to_do="Add data, or change roles in contract.yaml or the split in params.yaml."
        if faults
        else "",
        owner=problem.owners.data_engineer or "data engineer",
    )


def leak_verdict(found: list[leak.Suspect], limit: float, problem: Problem) -> Verdict:
    """The gate `leak` on the suspects of reports/leak.json."""
    advice = (
        f"In contract.yaml mark {', '.join(one.column for one in found)} knownAtDecision: false "
        "if it is only known after the decision, or leakReviewed: true if it really is known."
    )
    return Verdict(
        name="leak",
        passed=not found,
        measured=max((one.score for one in found), default=None),
        limit=limit,
        meaning="; ".join(one.sentence() for one in found) or "no input tells the target alone",
        what_to_do=advice if found else "",
        owner=problem.owners.data_scientist or "data scientist",
    )


def policy(contract: Contract) -> Policy:
    if contract.of_role("time"):
        return "time"
    if contract.of_role("group"):
        return "group"
    return "random" if contract.task == "regression" else "stratified"


def split(frame: pl.DataFrame, contract: Contract, params: SplitParams) -> pl.Series:
    """The part of each row: "train", "valid" or "test"."""
    train, valid = 1 - params.valid - params.test, 1 - params.test
    place = pl.lit(line(frame, contract, params.seed))
    early = pl.when(place < train).then(pl.lit("train"))
    part = early.when(place < valid).then(pl.lit("valid")).otherwise(pl.lit("test"))
    return frame.select(part.alias("part")).to_series()


def folds(frame: pl.DataFrame, contract: Contract, params: Params) -> list[tuple[Indices, Indices]]:
    """`params.train.folds` pairs of row positions (learn, judge), by the policy of the split.

    With a time column the windows expand: each fold learns from all that came before it. Folds
    that a score cannot be taken on (no rows, a single class) are left out. Raises UserError if
    none remains.
    """
    wanted, by_time = params.train.folds, policy(contract) == "time"
    pieces = wanted + 1 if by_time else wanted
    piece = (line(frame, contract, params.train.seed).to_numpy() * pieces).astype(int)
    truth = frame[contract.target.name].to_physical().to_numpy()
    least = 1 if contract.task == "regression" else 2
    found = []
    for judged in range(pieces - wanted, pieces):
        learn = np.flatnonzero(piece < judged if by_time else piece != judged)
        judge = np.flatnonzero(piece == judged)
        if min(len(np.unique(truth[learn])), len(np.unique(truth[judge]))) >= least:
            found.append((learn, judge))
    if not found:
        raise UserError(
            f"The {frame.height} training rows cannot be cut into folds that each hold "
            f"{least} value(s) of {contract.target.name}: add rows, or set train.folds_below_rows "
            "to 0 in params.yaml."
        )
    return found


def line(frame: pl.DataFrame, contract: Contract, seed: int) -> pl.Series:
    """Each row's place in the line, in (0, 1): the middle of the rows it is tied with.

    Tied are rows of the same time, and rows that must stay together. Each class has a line of
    its own when the split is stratified, so that every piece gets its share of each. Rows
    without a time stand first: they may be learned from, never judged on.
    """
    unit, target = units(frame, contract), pl.lit(0)
    if policy(contract) == "time":
        time = pl.col(contract.of_role("time")[0].name)
        order = time.max().over(unit) if together(contract) else time
        order = order.fill_null(time.min())
    else:
        order = pl.lit(draw(unit, seed))
        if policy(contract) == "stratified":
            target = pl.col(contract.target.name)
            target = target.first().over(unit) if together(contract) else target
    table = frame.select(order=order, stratum=target)
    rank = pl.col("order").rank("average").over("stratum")
    return table.select(place=(rank - 0.5) / pl.len().over("stratum")).to_series()


def keys_repeat(contract: Contract) -> bool:
    return bool(contract.keys) and contract.duplicates == "keep_all"


def together(contract: Contract) -> bool:
    """Whether several rows may have to stay together."""
    return bool(contract.of_role("group")) or keys_repeat(contract)


def units(frame: pl.DataFrame, contract: Contract) -> pl.Series:
    """The name of what each row belongs to: its group, else its key, else its own row.

    Where keys repeat and there are groups too, groups that share a key are one unit.
    """
    group, key = contract.of_role("group"), contract.keys
    table = frame.select(name=named(group or key), group=named(group), key=named(key))
    while group and keys_repeat(contract):
        before = table["name"]
        for tie in ("key", "group"):
            table = table.with_columns(pl.col("name").min().over(tie))
        if table["name"].equals(before):
            break
    return table["name"]


def named(columns: tuple[Column, ...]) -> pl.Expr:
    """One text out of the columns; a row that misses one of them is named by its number."""
    alone = pl.format("row {}", pl.col("_row"))
    if not columns:
        return alone
    texts = [pl.col(column.name).cast(pl.String) for column in columns]
    return pl.coalesce(pl.concat_str(texts, separator="\x1f"), alone)


def draw(names: pl.Series, seed: int) -> NDArray[np.uint64]:
    """A number for each name, the same on every machine and with every version of polars."""
    salt = seed.to_bytes(8, "big", signed=True)
    digest = (hashlib.blake2b(name.encode(), digest_size=8, key=salt).digest() for name in names)
    return np.frombuffer(b"".join(digest), dtype=">u8").astype(np.uint64)
