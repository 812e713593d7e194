"""Tables in zip archives, unpacked to files."""

import shutil
import zlib
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from ..core.errors import UserError
from ..core.full_disk import is_full_disk
from .foreign_formats import describe_unreadable, is_readable, read_ending

UNREADABLE = (BadZipFile, EOFError, OSError, ValueError, zlib.error, NotImplementedError)
ENCRYPTED = 0x1  # the bit of a member's flags


def is_archive(file: Path) -> bool:
    """Tell by its name whether a file is a zip archive."""
    return read_ending(file.name) == ".zip"


def unpack_tables(archive: Path, folder: Path) -> list[Path]:
    """Unpack the tables of an archive to the folder, in order of their names.

    Raises UserError if there is none, if they lie in several folders, or are locked or damaged.
    """
    try:
        with ZipFile(archive) as members:
            tables = select_tables(archive, members.infolist())
            folder.mkdir(parents=True)
            return [unpack_member(members, table, folder) for table in tables]
    except UNREADABLE as error:
        if is_full_disk(error):
            raise
        foreign = isinstance(error, NotImplementedError)
        reason = "it is packed in another way" if foreign else "it is damaged, or not whole"
        raise UserError(
            f"{archive.name} cannot be unpacked: {reason}; deliver it again, as .zip or .gz."
        ) from error


def select_tables(archive: Path, members: list[ZipInfo]) -> list[ZipInfo]:
    """Select the tables of an archive. Raises UserError if none is there, or in several folders."""
    paths = {
        member: PurePosixPath(member.filename)
        for member in members
        if not (member.is_dir() or member.filename.startswith("__MACOSX/"))
    }
    tables = [member for member, path in paths.items() if is_readable(path.name)]
    if not tables:
        raise describe_unreadable(archive.name, [path.name for path in paths.values()])
    if any(member.flag_bits & ENCRYPTED for member in tables):
        raise UserError(f"{archive.name} is locked by a password: unpack it, and bring the table.")
    folders = sorted({str(paths[member].parent) for member in tables})
    if len(folders) > 1:
        raise UserError(
            f"{archive.name} holds tables in several folders ({', '.join(folders[:5])}): unpack "
            "it, and bring one of them."
        )
    return sorted(tables, key=lambda member: member.filename)


def unpack_member(members: ZipFile, member: ZipInfo, folder: Path) -> Path:
    """Unpack one file, under its own name without folders."""
    path = folder / PurePosixPath(member.filename).name
    with members.open(member) as packed, path.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    return path
