"""A source brought to the scratch folder: a file, a folder of files, a web address, a database."""

import hashlib
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
from ..data.sources import SEPARATORS, scan_file
from .addresses import CLOUDS, URLS, is_database, refuse_password, refuse_unknown, split_address
from .archives import is_archive, unpack_tables
from .foreign_formats import (
    WORKBOOKS,
    describe_unreadable,
    is_readable,
    read_ending,
    refuse_foreign,
)
from .inspection import inspect
from .json_documents import make_json_plain
from .reading_options import AS_IT_IS, PlainFile, Reading
from .text_dialects import make_text_plain

Reached = int | float | str | None


class Delivery(NamedTuple):
    """A file in the scratch folder that the pipeline can scan, and that was looked through.

    `sha256` is of the file as it came (and of what says which part of it this is); `notices` say
    what was done to it.
    """

    path: Path
    sha256: str
    columns: list[str]
    rows: int
    notices: tuple[str, ...] = ()


def deliver(
    source: str,
    scratch: Path,
    *,
    query: str | None = None,
    reading: Reading = AS_IT_IS,
    since: tuple[str, Reached] | None = None,
) -> list[Delivery]:
    """Bring the tables of a source to `scratch`, as the pipeline can scan them, and look through.

    `since` is a cursor's column and where it stood: of a database, rows before that are left out.
    Raises UserError if the source, or anything in it, is not as it should be.
    """
    files = _fetch(source, scratch, query, since)
    if since and pl.scan_parquet(files[0]).head(1).collect().is_empty():
        return []
    deliveries = []
    for number, file in enumerate(files):
        folder = scratch / "copies" / f"{number}"  # as two archives may hold files of one name
        folder.mkdir(parents=True)
        path, part, notices = make_plain(file, folder, reading)
        copy = Path(shutil.copyfile(file, folder / file.name)) if path == file else path
        deliveries.append(Delivery(copy, _digest(file, part), *inspect(copy), notices))
    return deliveries


def make_plain(file: Path, folder: Path, reading: Reading) -> PlainFile:
    """Return a file that the pipeline can scan: the same, or a copy in the folder, made plain.

    Raises UserError if it is no table, and for an option that says nothing of such a file.
    """
    ending = read_ending(file.name)
    if ending in WORKBOOKS:
        from .workbooks import make_sheet_plain  # noqa: PLC0415  (its reader is for these alone)

        return make_sheet_plain(file, folder, reading)
    refuse_foreign(file)
    if ending in SEPARATORS:
        return make_text_plain(file, folder, reading)
    if ending != ".parquet":
        return make_json_plain(file, folder, reading)
    reading.refuse_all_but((), file, "Parquet")
    return PlainFile(file)


def _digest(file: Path, part: str) -> str:
    """Digest a delivered file, or what a part of it is known by."""
    whole = sha256(file)
    return hashlib.sha256(f"{whole} {part}".encode()).hexdigest() if part else whole


def make_stem(name: str) -> str:
    """Make a short name of a file's: without extension, in small letters and digits."""
    plain = re.sub(r"\.[a-z]+(\.gz)?$", "", name.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "table"


def concatenate(deliveries: list[Delivery]) -> pl.LazyFrame:
    """Put the rows of all files together. Raises UserError if one lacks a column of the first."""
    columns = deliveries[0].columns
    for delivery in deliveries:
        shared = len({*delivery.columns} & {*columns})
        if 2 * shared <= min(len(columns), len(delivery.columns)):
            raise UserError(
                f"{deliveries[0].path.name} and {delivery.path.name} are different tables, with "
                f"{shared} columns in common: join them into one, or bring one of them."
            )
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
    refuse_unknown(source)
    return [
        table
        for place, file in enumerate(_find_files(source, scratch))
        for table in (unpack_tables(file, scratch / f"{place}") if is_archive(file) else [file])
    ]


def _find_files(source: str, scratch: Path) -> list[Path]:
    """Find the file, or those of a folder from which a table is read. Raises UserError if none."""
    if source.startswith(CLOUDS):
        from .cloud_storage import download_tables  # noqa: PLC0415  (fsspec is slow to load)

        return download_tables(source, scratch / "objects")
    if source.startswith(URLS):
        return [_fetch_from_web(source, scratch)]
    path = Path(source)
    if not path.is_dir():
        if not path.is_file():
            raise UserError(f"{source}: there is no such file, or no table in it; check the path.")
        return [path]
    inside = sorted(path.iterdir())
    if files := [file for file in inside if file.is_file() and is_readable(file.name)]:
        return files
    if folders := [each.name for each in inside if each.is_dir() and each.name[0] != "."]:
        raise UserError(
            f"{source}: there is no table in it, only folders ({', '.join(folders[:5])}): bring "
            "one of them."
        )
    raise describe_unreadable(source, [file.name for file in inside])


def _fetch_from_web(source: str, scratch: Path) -> Path:
    file = scratch / Path(unquote(urlsplit(source).path)).name
    refuse_foreign(file)
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
