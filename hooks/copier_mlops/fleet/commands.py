"""`copier-mlops fleet`: compare, show, write."""

# ruff: noqa: PLC0415 - imported where they are needed, so that light commands start fast

import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

Tool = Literal["renovate", "multi-gitter"]
PLACES = "Clones, bare repositories, folders of them, or text files with one path a line."
OUTPUT = "A folder for one page about all, JSON, SARIF, JUnit and the history of runs."
PREDICT = "Try the update of each that is behind in a scratch copy, and say what will conflict."
FIX = "Print the command of this tool that opens the pull requests. Nothing is opened."
TEMPLATE = "Compare with this template, an address or a folder, whatever a repository says."
POLICY = "The organisation's; otherwise that of the template's newest release."
WORKERS = "Processes that work; otherwise one a processor."


def fleet(
    places: Annotated[list[Path], typer.Argument(help=PLACES)],
    *,
    output: Annotated[Path | None, typer.Option(metavar="FOLDER", help=OUTPUT)] = None,
    predict: Annotated[bool, typer.Option("--predict", help=PREDICT)] = False,
    fix: Annotated[Tool | None, typer.Option(help=FIX)] = None,
    template: Annotated[str | None, typer.Option(metavar="ADDRESS", help=TEMPLATE)] = None,
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help=POLICY)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help=WORKERS)] = None,
) -> None:
    """Which of many repositories are behind, drifted, or break a standard? Exit code 1: any error.

    Example: copier-mlops fleet ~/clones --output reports
    """
    from rich.console import Console
    from rich.progress import track

    from ..policy import Policy
    from ..template import Templates
    from .output import Output
    from .repositories import find_repositories
    from .summary import Row, Summary
    from .survey import Survey
    from .terminal import show_fix, show_survey
    from .workers import run_each

    begun = time.perf_counter()
    if template:
        Templates(template).get(template)
    survey = Survey(template, Policy.load(policy) if policy else None, predict)
    repositories = find_repositories(places, besides=output)
    rows: list[Row] = []
    when = datetime.now(UTC).isoformat(timespec="seconds")
    with Output(output, when) if output else nullcontext() as output_files:
        for result in track(
            run_each(survey, repositories, survey.lost, size=1 if predict else 8, workers=workers),
            "Trying updates" if predict else "Comparing",
            total=len(repositories),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        ):
            rows.append(Row.of(result.repository.name, result.report, result.prediction))
            if output_files:
                output_files.add(rows[-1], result.report)
        summary = Summary.of(rows)
        seconds = time.perf_counter() - begun
        page = output_files.finish(summary, rows, seconds) if output_files else None
    show_survey(rows, summary)
    if fix:
        show_fix(fix, rows)
    if page:
        print(f"Open {page}")
    raise SystemExit(1 if summary.failed else 0)
