"""Tables in: delivered files land in data/raw, in order and unchanged, and the contract with them.

All is prepared in a scratch folder; then a few renames make it so, the contract's last. What is
stopped before leaves the old state; a `dvc add` that was stopped is made up for by the next `add`.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple, get_args
from urllib.parse import unquote, urlsplit

import polars as pl

from ..errors import UserError
from ..files import RAW, sha256
from ..settings import Problem, Task
from .contract import CONTRACT, Contract
from .inspection import inspect
from .profile import draft
from .sources import FORMATS, extension, landed, opened, read

SAMPLE = RAW / ".sample"
SCRATCH = ".landing-"
DATABASES = ("sqlite:///", "postgresql://", "postgres://")
URLS = ("http://", "https://", "file://")


class Delivery(NamedTuple):
    """A file in the scratch folder, named as it came, that was looked through."""

    path: Path
    columns: list[str]
    rows: int


def add(
    source: str,
    *,
    target: str | None = None,
    query: str | None = None,
    encoding: str | None = None,
    replace: bool = False,
    **options: Any,
) -> list[str]:
    """Land a file, folder, URL or database table; with `target`, draft a contract for it.

    `options` are those of `profile.draft`, `dates` a list of COLUMN=FORMAT|FORMAT.
    Returns the lines to print. Raises UserError if anything is wrong with the table, its columns
    or the options; then nothing has changed.
    """
    if target is None and (replace or any(options.values())):
        raise UserError("such options go with --target; to change the contract, edit its file.")
    if options.get("task") not in (None, *get_args(Task)):
        raise UserError(f"--task must be {', '.join(get_args(Task))}, not '{options['task']}'.")
    options["dates"] = dict(_formats(entry) for entry in options.get("dates", ()))
    if Path(".dvc").is_dir() and not any((up / ".git").exists() for up in _upwards()):
        command = f"uv run {__package__.partition('.')[0]} setup"
        raise UserError(f"this folder is not a git repository yet: run '{command}' first.")
    RAW.mkdir(parents=True, exist_ok=True)
    for left_over in RAW.glob(f"{SCRATCH}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=RAW) as folder:
        files = _fetched(source, Path(folder), query)
        name = stem(Path(source).resolve().name if Path(source).is_dir() else files[0].name)
        copies = [_copied(file, Path(folder) / "copies", encoding) for file in files]
        deliveries = [Delivery(copy, *inspect(copy)) for copy in copies]
        if target is None or (_own() and CONTRACT.exists() and not replace):
            says = _more(deliveries, name, target)
        else:
            contract, notices = draft(_together(deliveries), name, target, **options)
            review = "review it (what is known at decision time?), then run 'uv run dvc repro'"
            says = [*_start(deliveries, contract), *notices, f"contract.yaml is drafted: {review}"]
    _track()
    return says


def _upwards() -> list[Path]:
    here = Path.cwd()
    return [here, *here.parents]


def stem(name: str) -> str:
    """A file's name without extension, in small letters and digits."""
    plain = re.sub(r"\.[a-z]+(\.gz)?$", "", name.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "table"


def _fetched(source: str, scratch: Path, query: str | None) -> list[Path]:
    """The files of a source, brought to the scratch folder if they are not on this machine."""
    if source.startswith(DATABASES):
        return [_from_database(source, scratch, query)]
    if query:
        raise UserError("--query goes with a database, such as sqlite:///shop.db.")
    if source.startswith(URLS):
        file = scratch / Path(unquote(urlsplit(source).path)).name
        extension(file)
        try:
            urllib.request.urlretrieve(source, file)  # noqa: S310  (it starts with one of URLS)
        except OSError as error:
            raise UserError(f"{file.name}: it cannot be fetched ({error}); try again.") from error
        return [file]
    path = Path(source)
    endings = tuple(form + packed for form in FORMATS for packed in ("", ".gz"))
    inside = sorted(path.iterdir()) if path.is_dir() else []
    files = [file for file in inside if file.name.lower().endswith(endings)]
    if not (files or path.is_file()):
        raise UserError(f"{source}: there is no such file, or no table in it; check the path.")
    return files or [path]


def _from_database(source: str, scratch: Path, query: str | None) -> Path:
    """The table is named at the address's end: ?orders or ?table=orders."""
    from .databases import land_query  # noqa: PLC0415  (its drivers take half a second to load)

    uri, _, end = source.partition("?")
    parts = [part.removeprefix("table=") for part in end.split("&")]
    options = "&".join(part for part in parts if "=" in part)
    table = unquote(next((part for part in parts if "=" not in part), ""))
    if not (query or table):
        raise UserError("name the table at its end, such as ?orders, or give a --query.")
    file = scratch / f"{'query' if query else stem(table)}.parquet"
    land_query(f"{uri}?{options}" if options else uri, query or table, file)
    return file


def _copied(file: Path, folder: Path, encoding: str | None) -> Path:
    """A copy in the folder, in UTF-8."""
    folder.mkdir(exist_ok=True)
    extension(file)
    if not encoding:
        return Path(shutil.copyfile(file, folder / file.name))
    copy = folder / file.name.removesuffix(".gz")
    try:
        with (
            io.TextIOWrapper(opened(file), encoding, newline="") as delivered,
            copy.open("w", encoding="utf-8", newline="") as recoded,
        ):
            shutil.copyfileobj(delivered, recoded)
    except (LookupError, UnicodeError) as error:
        raise UserError(f"{file.name}: --encoding {encoding} does not fit: {error}.") from error
    return copy


def _more(deliveries: list[Delivery], name: str, target: str | None) -> list[str]:
    """More rows for the contract that is there; those that are here already change nothing."""
    if not CONTRACT.exists():
        columns = ", ".join(deliveries[0].columns[:30])
        raise UserError(f"the first table needs --target, the column to predict; it has {columns}.")
    here, contract = {sha256(path): path.name for path in landed(at_least=0)}, Contract.load()
    new = [delivery for delivery in deliveries if sha256(delivery.path) not in here]
    if target and (new or contract.target.name != target):
        raise UserError(
            f"a table is here already ({', '.join(path.name for path in _own())}); leave out "
            "--target to add rows to it, or say --replace to start over."
        )
    for delivery in new:
        _check_columns(delivery, [column.name for column in contract.columns], "contract.yaml")
    same = [one.path.name for one in deliveries if one not in new]
    return [f"{file} is here already; nothing changed" for file in same] + _land(new, name)


def _start(deliveries: list[Delivery], contract: Contract) -> list[str]:
    """The table and its new contract take the place of what was there."""
    old, own = landed(at_least=0), _own()
    problem = Problem.read() if SAMPLE.exists() else None  # before anything changes
    says = _land(deliveries, contract.name)
    for path in old:
        path.unlink()
        path.with_name(f"{path.name}.dvc").unlink(missing_ok=True)
        which = path.name if path in own else f"the bundled sample {path.name}"
        says.append(f"{which} steps aside")
    if problem:
        SAMPLE.unlink()
        problem.start_over(contract.target.name)
        says.append(
            "problem.yaml is started over, with neutral values: say what decisions are worth"
        )
    contract.save()
    return says


def _land(deliveries: list[Delivery], name: str) -> list[str]:
    """Rename the files into data/raw, numbered on."""
    here = landed(at_least=0)
    first = 1 + max((int(path.name.partition("-")[0]) for path in here), default=0)
    says = []
    for number, (path, _, rows) in enumerate(deliveries, first):
        packed = ".gz" * path.name.lower().endswith(".gz")
        place = RAW / f"{number:04}-{name}{extension(path)}{packed}"
        os.replace(path, place)
        says.append(f"{path.name} has landed as {place} ({rows:,} rows)")
    return says


def _together(deliveries: list[Delivery]) -> pl.LazyFrame:
    """The rows of all files. Raises UserError if one lacks a column of the first."""
    columns = deliveries[0].columns
    for delivery in deliveries:
        _check_columns(delivery, columns, deliveries[0].path.name)
    tables = [read(delivery.path).select(columns) for delivery in deliveries]
    return pl.concat(tables, how="vertical_relaxed")


def _check_columns(delivery: Delivery, wanted: list[str], of: str) -> None:
    if missing := [name for name in wanted if name not in delivery.columns]:
        raise UserError(
            f"{delivery.path.name} lacks column {', '.join(missing)}, which {of} has; "
            "deliver it, or start over with --target and --replace."
        )


def _formats(entry: str) -> tuple[str, tuple[str, ...]]:
    column, _, formats = entry.rpartition("=")
    if not column or "%" not in formats:
        raise UserError(f"--dates '{entry}': write it as \"COLUMN=%d/%m/%Y|%Y-%m-%d\".")
    return column, tuple(form.strip() for form in formats.split("|"))


def _own() -> list[Path]:
    """The files that have landed, without those of the sample that are still as shipped."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines() if SAMPLE.exists() else []
    shipped = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    files = landed(at_least=0)
    return [
        path for path in files if path.name not in shipped or shipped[path.name] != sha256(path)
    ]


def _track() -> None:
    """Have DVC keep the team's files that it does not keep yet. Raises UserError if it refuses."""
    new = [str(path) for path in _own() if not path.with_name(f"{path.name}.dvc").exists()]
    if not new or not Path(".dvc").is_dir():
        return
    command = [sys.executable, "-m", "dvc", "add", *new]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines()]
        reason = " ".join(" ".join(said).split())
        raise UserError(f"{', '.join(new)} has landed, but 'dvc add' refused it: {reason}")
