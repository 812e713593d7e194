"""A source brought to the scratch folder: a file, a folder of files, a web address, a database."""

import io
import re
import shutil
import urllib.request
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import polars as pl

from ..core.errors import UserError
from ..core.paths import sha256
from ..data.column_names import cols
from ..data.sources import FORMATS, extension, open_unpacked, scan_file
from .addresses import URLS, is_database, refuse_password, split_address
from .inspection import inspect

Reached = int | float | str | None


class Delivery(NamedTuple):
    """A file in the scratch folder, named as it came, that was looked through."""

    path: Path
    sha256: str
    columns: list[str]
    rows: int


def deliver(
    source: str,
    scratch: Path,
    *,
    query: str | None = None,
    encoding: str | None = None,
    since: tuple[str, Reached] | None = None,
) -> list[Delivery]:
    """Bring the files of a source to `scratch` in UTF-8, and look through them.

    `since` is a cursor's column and where it stood: of a database, rows before that are left out.
    Raises UserError if the source, or anything in it, is not as it should be.
    """
    files = _fetch(source, scratch, query, since)
    if since and pl.scan_parquet(files[0]).head(1).collect().is_empty():
        return []
    copies = [_copy_in_utf8(file, scratch / "copies", encoding) for file in files]
    digests = [sha256(file) for file in files]
    return [
        Delivery(copy, digest, *inspect(copy)) for copy, digest in zip(copies, digests, strict=True)
    ]


def make_stem(name: str) -> str:
    """Make a short name of a file's: without extension, in small letters and digits."""
    plain = re.sub(r"\.[a-z]+(\.gz)?$", "", name.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "table"


def concatenate(deliveries: list[Delivery]) -> pl.LazyFrame:
    """Put the rows of all files together. Raises UserError if one lacks a column of the first."""
    columns = deliveries[0].columns
    for delivery in deliveries:
        check_columns(delivery, columns, deliveries[0].path.name)
    tables = [scan_file(delivery.path).select(cols(columns)) for delivery in deliveries]
    return pl.concat(tables, how="vertical_relaxed")


def check_columns(delivery: Delivery, wanted: list[str], of: str) -> None:
    """Raise UserError naming the columns that a file lacks."""
    if missing := [name for name in wanted if name not in delivery.columns]:
        raise UserError(
            f"{delivery.path.name} lacks column {', '.join(missing)}, which {of} has; "
            "deliver it, or start over with --target and --replace."
        )


def _fetch(
    source: str, scratch: Path, query: str | None, since: tuple[str, Reached] | None
) -> list[Path]:
    """Bring the files of a source here, as they are, unless they are. Raises UserError if none."""
    refuse_password(source)
    if is_database(source):
        return [_fetch_from_database(source, scratch, query, since)]
    if query or since:
        raise UserError(
            "--query and --cursor go with a database, such as sqlite:///shop.db?orders."
        )
    if source.startswith(URLS):
        return [_fetch_from_web(source, scratch)]
    path = Path(source)
    endings = tuple(form + packed for form in FORMATS for packed in ("", ".gz"))
    inside = sorted(path.iterdir()) if path.is_dir() else []
    files = [file for file in inside if file.name.lower().endswith(endings)]
    if not (files or path.is_file()):
        raise UserError(f"{source}: there is no such file, or no table in it; check the path.")
    return files or [path]


def _fetch_from_web(source: str, scratch: Path) -> Path:
    file = scratch / Path(unquote(urlsplit(source).path)).name
    extension(file)
    try:
        urllib.request.urlretrieve(source, file)  # noqa: S310  (it starts with one of URLS)
    except OSError as error:
        raise UserError(f"{file.name}: it cannot be fetched ({error}); try again.") from error
    return file


def _fetch_from_database(
    source: str, scratch: Path, query: str | None, since: tuple[str, Reached] | None
) -> Path:
    """Land a query, or the table named at the address's end: ?orders or ?table=orders."""
    from .databases import land_query  # noqa: PLC0415  (its drivers take half a second to load)

    uri, table = split_address(source)
    if not (query or table):
        raise UserError("name the table at its end, such as ?orders, or give a --query.")
    file = scratch / f"{'query' if query else make_stem(table)}.parquet"
    land_query(uri, query or table, file, since)
    return file


def _copy_in_utf8(file: Path, folder: Path, encoding: str | None) -> Path:
    """Copy a file to the folder, in UTF-8 if an encoding is named."""
    folder.mkdir(exist_ok=True)
    extension(file)
    if not encoding:
        return Path(shutil.copyfile(file, folder / file.name))
    copy = folder / file.name.removesuffix(".gz")
    try:
        with (
            io.TextIOWrapper(open_unpacked(file), encoding, newline="") as delivered,
            copy.open("w", encoding="utf-8", newline="") as recoded,
        ):
            shutil.copyfileobj(delivered, recoded)
    except (LookupError, UnicodeError) as error:
        raise UserError(f"{file.name}: --encoding {encoding} does not fit: {error}.") from error
    return copy
