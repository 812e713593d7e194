"""From wherever a table is to sound files in a scratch folder: nothing of the project changes."""

import codecs
import gzip
import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ..errors import UserError
from . import databases
from .inspection import Facts, inspect
from .sources import FORMATS, extension, opened

URLS = ("http://", "https://", "file://")
ENDINGS = tuple(form + packed for form in FORMATS for packed in ("", ".gz"))
PATIENCE = 60  # seconds without an answer


@dataclass(frozen=True)
class Delivery:
    """A file in the scratch folder that was looked through; `shown` is what its owner calls it."""

    path: Path
    shown: str
    facts: Facts


def deliver(
    source: str, scratch: Path, query: str | None = None, encoding: str | None = None
) -> list[Delivery]:
    """Fetch a file, folder, URL or database table. Raises UserError for the first fault."""
    if source.startswith(databases.SCHEMES):
        return [_from_database(source, query, scratch)]
    if query:
        raise UserError("--query goes with a database, such as sqlite:///shop.db.")
    if source.startswith(URLS):
        files = [_downloaded(source, scratch)]
    elif Path(source).is_dir():
        files = [(path, str(path)) for path in _in_folder(Path(source))]
    elif not Path(source).exists():
        raise UserError(f"{source}: there is no such file or folder; check the path.")
    else:
        files = [(Path(source), source)]
    return [_prepared(path, shown, scratch, encoding) for path, shown in files]


def stem(source: str, query: str | None = None) -> str:
    """What to call the table: letters and digits of the source's own name."""
    if source.startswith(databases.SCHEMES):
        name = "query" if query else _address(source)[1]
    else:
        path = urlsplit(source).path if source.startswith(URLS) else source
        name = Path(unquote(path)).resolve().name
        endings = "|".join(re.escape(form) for form in FORMATS)
        name = re.sub(rf"({endings})?(\.gz)?$", "", name, flags=re.IGNORECASE)
    return re.sub(r"\W+|_+", "-", name.lower(), flags=re.ASCII).strip("-")[:60] or "table"


def _from_database(source: str, query: str | None, scratch: Path) -> Delivery:
    uri, table = _address(source)
    if not (query or table):
        raise UserError(
            f"{databases.shown(uri)}: name the table at its end, ?orders, or a --query."
        )
    path = scratch / "table.parquet"
    databases.land_query(uri, query or table, path)
    shown = f"{databases.shown(uri)} ({query or table})"
    return Delivery(path, shown, inspect(path, shown))


def _address(source: str) -> tuple[str, str]:
    """The database's own address and the table: from ?table=orders or just ?orders."""
    uri, _, rest = source.partition("?")
    options = parse_qsl(rest, keep_blank_values=True)
    table = next((value or key for key, value in options if key == "table" or not value), "")
    kept = [(key, value) for key, value in options if key != "table" and value]
    return uri + (f"?{urlencode(kept)}" if kept else ""), table


def _downloaded(url: str, scratch: Path) -> tuple[Path, str]:
    shown = databases.shown(url)
    path = scratch / "download" / Path(unquote(urlsplit(url).path)).name
    extension(path, shown)
    path.parent.mkdir()
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer, path.open("wb") as stream:  # noqa: S310
            shutil.copyfileobj(answer, stream)
            promised = int(answer.headers.get("Content-Length") or stream.tell())
            if stream.tell() != promised:
                raise UserError(f"{shown}: the download broke off; try again.")
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise UserError(f"{shown}: it cannot be fetched ({reason}); check the address.") from error
    return path, shown


def _in_folder(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.name.lower().endswith(ENDINGS))
    if not files:
        raise UserError(f"{folder}: the folder holds no file ending in {', '.join(FORMATS)}.")
    return files


def _prepared(path: Path, shown: str, scratch: Path, encoding: str | None) -> Delivery:
    """A copy in the scratch folder, in UTF-8 and without blank lines, that was looked through."""
    ending = extension(path, shown) + (".gz" if path.name.lower().endswith(".gz") else "")
    copy = scratch / f"{len(list(scratch.iterdir())):04}{ending}"
    try:
        if encoding and extension(path) != ".parquet":
            _rewrite(copy, _recoded(path, shown, encoding))
        else:
            shutil.copyfile(path, copy)
    except PermissionError as error:
        raise UserError(f"{shown}: no permission to read it; ask its owner for access.") from error
    facts = inspect(copy, shown)
    if facts.blank_lines:
        tight = copy.with_name(f"tight-{copy.name}")
        _rewrite(tight, _without_blank_lines(copy))
        os.replace(tight, copy)
    return Delivery(copy, shown, facts)


def _rewrite(target: Path, chunks: Iterator[bytes]) -> None:
    """Write the bytes, gzipped if the name says so; the same bytes give the same file."""
    with target.open("wb") as stream:
        if target.name.endswith(".gz"):
            with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed:
                packed.writelines(chunks)
        else:
            stream.writelines(chunks)


def _recoded(path: Path, shown: str, encoding: str) -> Iterator[bytes]:
    try:
        reader = codecs.getreader(encoding)
    except LookupError as error:
        raise UserError(
            f"--encoding: '{encoding}' is not known; name one like cp1252, latin-1 or utf-16."
        ) from error
    with reader(opened(path)) as stream:
        try:
            while text := stream.read(1 << 20):
                yield text.encode("utf-8")
        except UnicodeError as error:
            raise UserError(f"{shown}: it is not in {encoding} ({error}); name another.") from error


def _without_blank_lines(path: Path) -> Iterator[bytes]:
    quoted = False
    with opened(path) as stream:
        for line in stream:
            if quoted or line.strip(b"\r\n"):
                yield line
            quoted ^= line.count(b'"') % 2 == 1
