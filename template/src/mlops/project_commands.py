"""The group `project`: what is demanded here, and what a change does to it."""

from pathlib import Path
from typing import Annotated

import typer

from .core.errors import BlockedError, UserError
from .data_commands import say

app = typer.Typer(
    no_args_is_help=True, help="The project as a whole: its requirements, and what a change does."
)


@app.command()
def requirements() -> None:
    """List the requirements: the line that sets each, its owner, and the test that breaks it."""
    from .core.params import Params
    from .core.problem import Problem
    from .gates.requirement_table import format_requirements

    say(format_requirements(Problem.read(), Params.read()))


@app.command()
def template(
    output: Annotated[
        Path | None,
        typer.Option(help="For a workflow: add template=ADDRESS to this file, or else warn."),
    ] = None,
) -> None:
    """Print address and version of the project's template, to run its commands with.

    Example: uvx --from "$(uv run mlops project template)" copier-mlops check
    """
    from .project.origin import find_template

    if output is None:
        say([find_template()])
        return
    try:
        address = find_template()
    except UserError as error:
        say([f"::warning title=The template is not here::{error}"])
        return
    with output.open("a", encoding="utf-8") as file:
        file.write(f"template={address}\n")


@app.command()
def check() -> None:
    """Are the team's files valid: problem.yaml, params.yaml, prices.yaml, contract.yaml?"""
    from .project.setup import check_team_files

    say(check_team_files())


@app.command()
def lock(
    tidy: Annotated[
        bool, typer.Option("--tidy", help="Take out of dvc.lock what dvc.yaml no longer has.")
    ] = False,
) -> None:
    """Is dvc.lock up to date with the code, the settings and the data?"""
    from .project.pipeline_lock import check_lock, tidy_lock

    say(tidy_lock() if tidy else check_lock())


@app.command(epilog="Example: project review --base origin/main")
def review(
    base: Annotated[str, typer.Option(help="The branch, tag or commit before the change.")],
    summary: Annotated[Path | None, typer.Option(help="A Markdown file to add it to.")] = None,
) -> None:
    """Review what this working tree changes, after `dvc repro`. Fails if a gate fails, or if the
    previous model was better or worth more, beyond chance."""
    from .review.review_page import review

    lines, failed = review(base, summary)
    say(lines)
    if failed:
        raise BlockedError("\n".join([f"{len(failed)} finding(s) block the change:", *failed]))


@app.command()
def root_files() -> None:
    """In a larger repository: write what GitHub and pre-commit read at its root.

    Run it after each change of the project's own. In a repository of the project's own there is
    nothing to write.
    """
    from .core.repository_place import find_place
    from .project.root_files import describe_what_is_left, write_root_files

    place = find_place()
    written = write_root_files(place) if place.folder else []
    left = describe_what_is_left(place) if place.folder else []
    say([*(f"wrote {place.root / path}" for path in written), *left] or ["nothing to do"])


@app.command()
def owners() -> None:
    """Does CODEOWNERS name the same owners as problem.yaml?"""
    from .project.code_owners import check_code_owners

    say(check_code_owners())
