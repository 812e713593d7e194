"""Stage split: which rows the model learns from, is chosen by, and is judged on (see folds.py)."""

from typing import TypedDict

import numpy as np
import polars as pl

from ..core.params import Params, SplitParams
from ..core.paths import CLEAN, REPORTS, TEST, TRAIN, VALID, replacing, write_json
from ..core.problem import Problem
from ..gates.gates import Finding, Verdict, assign_verdict, block_unless_passed
from ..gates.yaml_location import list_column_entries
from .column_names import ROW, cols, internal, values_of
from .contract import Contract
from .folds import choose_policy, line_up
from .formulas import EXACT
from .ingest import write_parquet
from .leak import LeakReport, Suspect, find_leaks

PART = internal("part")
PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}


class SplitReport(TypedDict):
    """How the clean table was cut: `rows` of each part, and what they lack in words."""

    policy: str
    seed: int
    rows: dict[str, int]
    faults: list[str]


def run() -> None:
    """Cut the clean table; write the parts, reports/split.json and reports/leak.json.

    Raises BlockedError if a part has too few rows, or if an input seems to leak the target.
    """
    contract, params, problem = Contract.load(), Params.read(), Problem.read()
    report = cut_parts(contract, params.split)
    write_json(REPORTS / "split.json", report)
    rows = " / ".join(f"{rows:,} {part}" for part, rows in report["rows"].items())
    print(f"split: {rows} rows, by {report['policy']}")
    block_unless_passed([rows_verdict(report, params.data.min_rows, problem)])
    limit = params.data.max_leak_score
    leaks = find_leaks(pl.read_parquet(TRAIN), contract, limit)
    write_json(REPORTS / "leak.json", leaks)
    block_unless_passed([leak_verdict(leaks, problem)])


def cut_parts(contract: Contract, params: SplitParams) -> SplitReport:
    """Write the parts of the clean table, and return what went where."""
    line_up_by = [
        c.name for c in contract.columns if c.is_key or c.role in ("target", "group", "time")
    ]
    table = pl.scan_parquet(CLEAN)
    frame = table.select(ROW, cols(line_up_by)).collect()
    frame = frame.with_columns(assign_parts(frame, contract, params).alias(PART))
    both = pl.concat([table, frame.select(PART).lazy()], how="horizontal")
    rows, faults = {}, []
    with replacing(TRAIN.parent) as folder:
        folder.mkdir()
        for name, path in PARTS.items():
            write_parquet({folder / path.name: both.filter(pl.col(PART) == name).drop(PART)})
            answers = values_of(frame.filter(pl.col(PART) == name), contract.target.name)
            answers = answers.cast(pl.String)
            rows[name] = len(answers)
            needed = contract.classes if name == "train" or contract.task == "binary" else ()
            faults += [f"{name} has no rows"] if answers.is_empty() else []
            faults += [f"{name} has no row of class {one}" for one in needed if one not in answers]
    return {"policy": choose_policy(contract), "seed": params.seed, "rows": rows, "faults": faults}


def rows_verdict(report: SplitReport, least: int, problem: Problem) -> Verdict:
    """Judge the gate `rows` on reports/split.json: enough rows in all, and what each part needs."""
    total, faults = sum(report["rows"].values()), [*report.get("faults", ())]
    if total < least:
        faults.append(f"{total:,} rows are fewer than the {least:,} of data.min_rows")
    meaning = "; ".join(faults) or f"{total:,} clean rows"
    advice = "Add data, or change roles in contract.yaml or the split in params.yaml."
    return assign_verdict(problem, "rows", Finding(not faults, total, least, meaning, advice))


def leak_verdict(report: LeakReport, problem: Problem) -> Verdict:
    """Judge the gate `leak` on reports/leak.json: the suspects, or else the most telling input."""
    suspects, formula = [Suspect(**one) for one in report["suspects"]], report["formula"]
    scores = [one.score for one in suspects] or [one["score"] for one in report["scores"]]
    most = round(max(scores, default=0.0), 3)
    limit = min((one.limit for one in suspects), default=report["limit"])
    faults, names = [one.sentence() for one in suspects], [one.column for one in suspects]
    if formula:
        faults.append(
            f"the target is {formula['formula']} in every row (R2 {formula['r2']:.4f}, limit "
            f"{EXACT})"
        )
        names += [name for name in formula["columns"] if name not in names]
    meaning = "; ".join(faults) or "no input tells the target alone, and no few of them together"
    advice = (
        f"In contract.yaml mark {', '.join(names)} knownAtDecision: false if "
        "it is only known after the decision, or leakReviewed: true if it really is known."
    )
    finding = Finding(not faults, most, limit, meaning, advice)
    return assign_verdict(problem, "leak", finding, list_column_entries(names))


def assign_parts(frame: pl.DataFrame, contract: Contract, params: SplitParams) -> pl.Series:
    """Assign each row its part: "train", "valid" or "test"."""
    ends = [1 - params.valid - params.test, 1 - params.test]
    place = np.searchsorted(ends, line_up(frame, contract, params.seed))
    return pl.Series("part", np.array(list(PARTS))[place])
