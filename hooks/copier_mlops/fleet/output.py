"""The folder of results: written while repositories come in, put in place when all are there."""

import json
import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

from ..errors import UserError
from ..findings import Report
from ..formats import add_junit_suite, as_sarif
from .history import HISTORY, RESULT, Run, find_changes, read_last_states, read_runs
from .page import render_page
from .summary import Row, Summary

PAGE, JUNIT, SARIF = "index.html", "junit.xml", "sarif"


class Output:
    """The results of one run, in a `with` block; without `finish` the folder stays as it was.

    Raises UserError if the folder cannot be written, or holds results that no run has written.
    """

    def __init__(self, folder: Path, when: str) -> None:
        self._folder = folder
        self._when = when
        self._tool = version("copier-mlops")
        self._files = ExitStack()
        self._count = 0

    def __enter__(self) -> Self:
        self._runs, self._before = read_runs(self._folder), read_last_states(self._folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._part = Path(tempfile.mkdtemp(prefix=".run-", dir=self._folder))
        except OSError as error:
            raise UserError(
                f"{self._folder}: results cannot be written there ({error.strerror}); "
                "name another folder with --output."
            ) from error
        self._files.callback(shutil.rmtree, self._part)
        self._json, self._junit = (
            self._files.enter_context((self._part / name).open("w", encoding="utf-8"))
            for name in (RESULT, JUNIT)
        )
        self._json.write('{"repositories": [')
        self._junit.write(
            '<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="copier-mlops">\n'
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._files.close()

    def add(self, row: Row, report: Report) -> None:
        """Write the results of one repository."""
        named = replace(report, repository=row.name)
        separator = "," if self._count else ""
        self._json.write(f"{separator}\n{json.dumps(make_record(row, report))}")
        suites = ElementTree.Element("testsuites")
        add_junit_suite(suites, named)
        self._junit.write(ElementTree.tostring(suites[0], "unicode") + "\n")
        file = self._part / SARIF / f"{row.name}.sarif"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(as_sarif([named]), encoding="utf-8")
        self._count += 1

    def finish(self, summary: Summary, rows: list[Row], seconds: float) -> Path:
        """Put everything in place. Returns the page."""
        run = Run.of(self._when, summary)
        closing = {"when": self._when, "tool": self._tool, "summary": summary.as_dict()}
        self._json.write(f"\n], {json.dumps(closing)[1:]}\n")
        self._junit.write("</testsuites>\n")
        for file in (self._json, self._junit):
            file.close()
        text = render_page(
            summary=summary,
            rows=rows,
            runs=[*self._runs, run],
            came=find_changes(self._before, rows),
            tool=self._tool,
            seconds=seconds,
        )
        (self._part / PAGE).write_text(text, encoding="utf-8")
        lines = [one.line() for one in [*self._runs, run]]
        (self._part / HISTORY).write_text("".join(lines), encoding="utf-8")
        for made in self._part.iterdir():
            if made.is_dir():
                shutil.rmtree(self._folder / made.name, ignore_errors=True)
            os.replace(made, self._folder / made.name)
        return self._folder / PAGE


def make_record(row: Row, report: Report) -> dict[str, Any]:
    """Make the object of a repository in fleet.json."""
    prediction = asdict(row.prediction) if row.prediction else None
    return {
        **report.as_dict(),
        "name": row.name,
        "path": row.path,
        "states": row.states,
        "prediction": prediction,
    }
