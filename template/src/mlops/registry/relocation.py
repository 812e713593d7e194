"""A registry in a project that was copied or moved.

MLflow writes into its database where each run keeps its files, with the whole path. A project
that lies elsewhere by now would look for its models in the folder it came from, and write new ones
there.
"""

import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath

from ..core.errors import UserError

ARTIFACTS = "mlruns"
MOVE = (
    "UPDATE experiments SET artifact_location = :new || substr(artifact_location, :rest) "
    "WHERE instr(artifact_location, :old) = 1",
    "UPDATE runs SET artifact_uri = :new || substr(artifact_uri, :rest) "
    "WHERE instr(artifact_uri, :old) = 1",
    "UPDATE logged_models SET artifact_location = :new || substr(artifact_location, :rest) "
    "WHERE instr(artifact_location, :old) = 1",
    "UPDATE model_versions SET storage_location = :new || substr(storage_location, :rest) "
    "WHERE instr(storage_location, :old) = 1",
)


def follow_project(database: Path) -> None:
    """Let a registry in this folder name this folder, if it names the one it was made in.

    One that lies outside of the project, or that was told to keep its files elsewhere, stays as it
    is. Raises UserError if the files of its runs did not come along.
    """
    here = Path.cwd()
    if not database.exists() or database.resolve().parent != here.resolve():
        return
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            for folder in list_origins(connection):
                if Path(folder).resolve() == here.resolve():
                    continue
                refuse_without_files(connection, database, folder)
                old, new = f"{folder}/{ARTIFACTS}/", f"{here.as_posix()}/{ARTIFACTS}/"
                for statement in MOVE:
                    connection.execute(statement, {"old": old, "new": new, "rest": len(old) + 1})
    except sqlite3.Error as error:
        raise UserError(
            f"{database} cannot be used ({error}): if something else writes there, wait for it; if "
            f"it is not an MLflow database, move it and {ARTIFACTS} away for a new one."
        ) from error


def list_origins(connection: sqlite3.Connection) -> list[str]:
    """List the projects' folders in whose ARTIFACTS the experiments keep their files."""
    rows = connection.execute("SELECT experiment_id, artifact_location FROM experiments").fetchall()
    places = [(str(number), PurePosixPath(place or "")) for number, place in rows]
    return sorted(
        {
            place.parent.parent.as_posix()
            for number, place in places
            if place.is_absolute() and (place.parent.name, place.name) == (ARTIFACTS, number)
        }
    )


def refuse_without_files(connection: sqlite3.Connection, database: Path, folder: str) -> None:
    """Raise UserError if there are runs, and their files are not in this folder."""
    runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    if runs and not Path(ARTIFACTS).is_dir():
        raise UserError(
            f"{database} was made in {folder}, and the files of its runs are not here: copy "
            f"{folder}/{ARTIFACTS} here too, or remove {database} for a new registry."
        )
