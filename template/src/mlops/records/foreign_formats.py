"""Formats that are not read: what such a file is, and how its table is brought in all the same."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ..core.errors import UserError
from ..data.sources import FORMATS

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
READABLE = (*FORMATS, *WORKBOOKS, ".zip")

IMAGE = "is an image, and this project learns from tables: measure or embed the images first"
SOUND = "is a recording, and this project learns from tables: measure or embed it first"
DOCUMENT = "is a document, not a table: put its table into a CSV file or a workbook"
OBJECT = "holds Python objects, which can run code when they are loaded: save the table as Parquet"
ARRAY = "holds arrays, not a table: save the table as Parquet"
STATISTICS = (
    "is a file of a statistics package, which is not read: save the table as CSV or Parquet"
)
COLUMNAR = "is a table in a format that is not read: save it as Parquet"
ARCHIVE = "is an archive that is not read: unpack it, or pack the table as .zip or .gz"
DATABASE = "is a database: name it and its table, as in sqlite:///shop.db?orders"
ENGINE = "is a database that is not read: save the table as CSV or Parquet"
PAGE = "is markup, not a table: save its table as CSV"
TEXT = "may be a table in text: name it .csv (or .tsv, if tabs stand between the cells)"

ENDINGS = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"), IMAGE),
    **dict.fromkeys((".svg", ".heic", ".dcm", ".nii"), IMAGE),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".ogg", ".mp4", ".avi", ".mov"), SOUND),
    **dict.fromkeys((".pdf", ".doc", ".docx", ".odt", ".rtf", ".ppt", ".pptx", ".md"), DOCUMENT),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), OBJECT),
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".npy", ".npz", ".mat", ".nc", ".zarr"), ARRAY),
    **dict.fromkeys((".rds", ".rda", ".rdata", ".sav", ".por", ".dta", ".xpt"), STATISTICS),
    **dict.fromkeys((".sas7bdat", ".arff"), STATISTICS),
    **dict.fromkeys((".feather", ".arrow", ".ipc", ".orc", ".avro"), COLUMNAR),
    **dict.fromkeys((".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst"), ARCHIVE),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), DATABASE),
    **dict.fromkeys((".mdb", ".accdb", ".duckdb", ".sql"), ENGINE),
    **dict.fromkeys((".html", ".htm", ".xml", ".yaml", ".yml"), PAGE),
    **dict.fromkeys((".txt", ".dat", ".data", ".tab", ".psv"), TEXT),
}
BEGINNINGS = {
    b"\x89PNG": IMAGE,
    b"\xff\xd8\xff": IMAGE,
    b"GIF8": IMAGE,
    b"%PDF": DOCUMENT,
    b"{\\rtf": DOCUMENT,
    b"\x89HDF": ARRAY,
    b"\x93NUMPY": ARRAY,
    b"\x80\x04\x95": OBJECT,
    b"\x80\x05\x95": OBJECT,
    b"ARROW1": COLUMNAR,
    b"ORC": COLUMNAR,
    b"Obj\x01": COLUMNAR,
    b"7z\xbc\xaf": ARCHIVE,
    b"Rar!": ARCHIVE,
    b"SQLite format 3": DATABASE,
    b"<!DOCTYPE": PAGE,
    b"<!doctype": PAGE,
    b"<html": PAGE,
    b"<?xml": PAGE,
    b"PAR1": "is Parquet: name it .parquet",
    b"PK\x03\x04": "is a zip archive or a workbook: name it .zip or .xlsx",
    b"\xd0\xcf\x11\xe0": "is a workbook or document of an old Office: name it .xls if it is one",
    b"\x1f\x8b": "is packed with gzip: let its name end in .gz",
}


def read_ending(name: str) -> str:
    """Return the ending of a file's name, in small letters and without .gz."""
    return Path(name.lower().removesuffix(".gz")).suffix


def strip_packing(name: str) -> str:
    """Leave .gz out of a file's name."""
    return re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)


def is_readable(name: str) -> bool:
    """Tell by a file's name whether a table is read from it."""
    return read_ending(name) in READABLE and not name.startswith(".")


def refuse_foreign(file: Path) -> None:
    """Raise UserError saying what a file is that is not read, by its name."""
    if kind := ENDINGS.get(read_ending(file.name)):
        raise UserError(f"{file.name} {kind}.")
    if read_ending(file.name) not in READABLE:
        raise UserError(
            f"{file.name}: the file name must end in {', '.join(READABLE)}, each also with .gz; "
            "save the table as one of them."
        )


def refuse_disguised(file: Path, head: bytes) -> None:
    """Raise UserError if the first bytes of a text file show that it is something else."""
    for beginning, kind in BEGINNINGS.items():
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(beginning):
            raise UserError(f"{file.name} {kind}.")


def describe_unreadable(place: str, names: Iterable[str]) -> UserError:
    """Say of a folder or an archive without a table what it holds instead."""
    kinds = Counter(read_ending(name) for name in names if not name.startswith("."))
    if not kinds:
        return UserError(f"{place}: there is no table in it; check the path.")
    (ending, many), *_ = kinds.most_common(1)
    kind = ENDINGS.get(ending, "is no table that is read").partition(":")[0]
    return UserError(
        f"{place}: there is no table in it; it holds {many:,} {ending or 'other'} file(s), each of "
        f"which {kind}. Bring a file that ends in {', '.join(READABLE)}."
    )
