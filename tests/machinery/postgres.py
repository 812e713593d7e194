"""A real PostgreSQL for tests, on the loopback, started here and stopped again."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lacking import lacking

PASSWORD = "s3cret pw/@"  # noqa: S105
BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/usr/bin"))


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a fresh server; as root it runs as the user `postgres`, as it must.

    PGPASSWORD is set as long as it runs. A machine without PostgreSQL skips the test.
    """
    if not (BIN / "initdb").exists():
        lacking("no PostgreSQL server is installed (Debian's package postgresql)")
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short, for the socket
    try:
        (folder / "password").write_text(PASSWORD)
        if as_user:
            shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
            shutil.chown(folder / "password", pwd.getpwnam("postgres").pw_uid)
        data = folder / "data"
        initdb = [BIN / "initdb", "-D", data, "-A", "scram-sha-256", "-U", "app", "--no-sync"]
        subprocess.run(
            [*as_user, *initdb, f"--pwfile={folder / 'password'}"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        control = [*as_user, BIN / "pg_ctl", "-D", data]
        start = [*control, "-o", options, "-l", folder / "log", "-w", "start"]
        subprocess.run(start, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv("PGPASSWORD", PASSWORD)
                yield f"postgresql://app@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run(
                [*control, "-m", "immediate", "stop"],
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
            )
    finally:
        shutil.rmtree(folder)
