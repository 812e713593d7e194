"""Tables in: delivered files land in data/raw, in order and unchanged, and the contract with them.

All is prepared in a scratch folder; then a few renames make it so. What is stopped before leaves
the old state, and what is stopped after needs only `dvc add`, which the next `add` makes up for.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

import polars as pl

from ..errors import UserError
from ..files import RAW, sha256
from ..settings import Task
from .contract import CONTRACT, Contract
from .delivery import Delivery, deliver, stem
from .profile import draft
from .sources import read

SAMPLE = RAW / ".sample"
SCRATCH = ".landing-"


def add(
    source: str,
    *,
    target: str | None = None,
    key: str | None = None,
    time: str | None = None,
    group: str | None = None,
    ignore: Sequence[str] = (),
    dates: Sequence[str] = (),
    task: str | None = None,
    query: str | None = None,
    encoding: str | None = None,
    replace: bool = False,
) -> list[str]:
    """Land a table; with `target`, draft a contract for it. Returns the lines to print.

    Raises UserError if anything is wrong with the table, its columns or the options; then nothing
    has changed.
    """
    options = {"key": key, "time": time, "group": group, "ignore": ignore, "dates": dates}
    _check_options(target, {**options, "task": task}, replace)
    RAW.mkdir(parents=True, exist_ok=True)
    for left_over in RAW.glob(f"{SCRATCH}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=RAW) as folder:
        deliveries = deliver(source, Path(folder), query, encoding)
        name = stem(source, query)
        if target is None:
            return _more(deliveries, name)
        if _own() and CONTRACT.exists() and not replace:
            return _again(deliveries, target)
        contract, notices = draft(
            _together(deliveries),
            name,
            target,
            key=key,
            time=time,
            group=group,
            ignore=ignore,
            task=cast(Task | None, task),
            dates=dict(_formats(entry) for entry in dates),
        )
        return _first(deliveries, name, contract, notices)


def landed() -> list[Path]:
    """The files in data/raw in the order they came."""
    return sorted(path for path in RAW.glob("[0-9]*-*") if path.suffix != ".dvc")


def _first(
    deliveries: list[Delivery], name: str, contract: Contract, notices: list[str]
) -> list[str]:
    """The table and its new contract take the place of what was there."""
    old, sample = landed(), _sample()
    says = [f"the bundled sample {path.name} steps aside" for path in old if path in sample]
    says += [f"{path.name} is replaced" for path in old if path not in sample]
    places = _places(deliveries, name, after=old)
    for path in old:
        path.unlink()
        path.with_name(f"{path.name}.dvc").unlink(missing_ok=True)
    SAMPLE.unlink(missing_ok=True)
    for delivery, place in zip(deliveries, places, strict=True):
        os.replace(delivery.path, place)
    contract.save()
    _track(places)
    return [
        *says,
        *_told(deliveries, places),
        *notices,
        "contract.yaml is drafted: review it (what is known at decision time?), then run "
        "'uv run dvc repro'",
    ]


def _more(deliveries: list[Delivery], name: str) -> list[str]:
    """More rows for the contract that is there."""
    if not CONTRACT.exists():
        raise UserError(
            "the first table needs --target, the column to predict; it has "
            f"{', '.join(deliveries[0].facts.columns[:30])}."
        )
    contract, says = Contract.load(), []
    here = {sha256(path): path for path in landed()}
    new = []
    for delivery in deliveries:
        if same := here.get(sha256(delivery.path)):
            says.append(f"{delivery.shown} is already here as {same.name}; nothing changed")
            continue
        says += _misfits(delivery, contract)
        new.append(delivery)
    places = _places(new, name, after=landed())
    for delivery, place in zip(new, places, strict=True):
        os.replace(delivery.path, place)
    _track(_own())
    return [*says, *_told(new, places), *(["run 'uv run dvc repro' to train on it"] * bool(new))]


def _again(deliveries: list[Delivery], target: str) -> list[str]:
    """The same command once more is no mistake. Raises UserError if the table is another."""
    here = {sha256(path): path for path in landed()}
    same = [here.get(sha256(delivery.path)) for delivery in deliveries]
    if all(same) and Contract.load().target.name == target:
        told = zip(deliveries, same, strict=True)
        return [f"{d.shown} is already here as {p.name}; nothing changed" for d, p in told if p]
    raise UserError(
        f"a table is here already ({', '.join(path.name for path in _own())}); leave out --target "
        "to add rows to it, or say --replace to start over."
    )


def _misfits(delivery: Delivery, contract: Contract) -> list[str]:
    """A notice of columns the contract does not know. Raises UserError if one is missing."""
    wanted, found = [column.name for column in contract.columns], delivery.facts.columns
    if missing := [name for name in wanted if name not in found]:
        raise UserError(
            f"{delivery.shown}: it lacks column {', '.join(missing)} of contract.yaml; deliver it, "
            "or add the table with --target and --replace to start over."
        )
    extra = [name for name in found if name not in wanted]
    return [f"{delivery.shown}: not in contract.yaml, so left out: {', '.join(extra)}"] * bool(
        extra
    )


def _together(deliveries: list[Delivery]) -> pl.LazyFrame:
    """The rows of all files. Raises UserError if their columns differ."""
    names = deliveries[0].facts.columns
    for delivery in deliveries[1:]:
        if other := sorted(set(names) ^ set(delivery.facts.columns)):
            raise UserError(
                f"{delivery.shown}: its columns are not those of {deliveries[0].shown} "
                f"({', '.join(other)} in one only); add them one by one."
            )
    tables = [read(delivery.path).select(names) for delivery in deliveries]
    return pl.concat(tables, how="vertical_relaxed")


def _check_options(target: str | None, options: dict[str, object], replace: bool) -> None:
    given = [f"--{name}" for name, value in options.items() if value]
    if target is None and (given or replace):
        raise UserError(
            f"{', '.join(given or ['--replace'])} goes with --target; to change the contract of "
            "the table that is here, edit contract.yaml."
        )
    if options["task"] not in (None, *get_args(Task)):
        raise UserError(f"--task must be {', '.join(get_args(Task))}, not '{options['task']}'.")


def _formats(entry: str) -> tuple[str, tuple[str, ...]]:
    column, _, formats = entry.rpartition("=")
    if not column or "%" not in formats:
        raise UserError(f"--dates '{entry}': write it as \"COLUMN=%d/%m/%Y|%Y-%m-%d\".")
    return column, tuple(form.strip() for form in formats.split("|"))


def _sample() -> set[Path]:
    """The files of the bundled sample that are still as they were shipped."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines() if SAMPLE.exists() else []
    listed = [(RAW / name, digest) for digest, _, name in (line.partition("  ") for line in lines)]
    return {path for path, digest in listed if path.exists() and sha256(path) == digest}


def _own() -> list[Path]:
    return [path for path in landed() if path not in _sample()]


def _places(deliveries: list[Delivery], name: str, after: list[Path]) -> list[Path]:
    first = 1 + max((int(path.name.partition("-")[0]) for path in after), default=0)
    return [
        RAW / f"{number:04}-{name}{''.join(delivery.path.suffixes)}"
        for number, delivery in enumerate(deliveries, first)
    ]


def _told(deliveries: list[Delivery], places: list[Path]) -> list[str]:
    pairs = zip(deliveries, places, strict=True)
    return [f"{d.shown} has landed as {place} ({d.facts.rows:,} rows)" for d, place in pairs]


def _track(files: list[Path]) -> None:
    """Have DVC keep the files that it does not keep yet. Raises UserError if it refuses."""
    new = [str(path) for path in files if not path.with_name(f"{path.name}.dvc").exists()]
    if not new or not Path(".dvc").is_dir():
        return
    command = [sys.executable, "-m", "dvc", "add", "--quiet", *new]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(f"{', '.join(new)} has landed, but 'dvc add' refused it: {reason}")
