"""A project that starts with a bundled sample, as the template renders it."""

import hashlib
from pathlib import Path

from mlops.data.change_log import EMPTY, Change, write_log


def bundled(file: Path) -> None:
    """Note the file as the sample in the log."""
    change = Change(
        version=1,
        when="2014-01-01T00:00:00+00:00",
        who="the template",
        operation="sample",
        source="a package",
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        file=file.name,
        rows=1,
        contract="",
        before=EMPTY,
        after=EMPTY,
    )
    write_log([change])
