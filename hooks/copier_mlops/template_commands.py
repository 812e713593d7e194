"""The commands for those who update a project, and for those who release the template."""

# ruff: noqa: PLC0415 - imported where they are needed, so that light commands start fast

from pathlib import Path
from typing import Annotated

import typer

from .errors import UserError

ProjectFolder = Annotated[Path, typer.Argument(help="The project's folder.")]
TemplateFolder = Annotated[Path, typer.Argument(help="The template's folder.")]


def require_folder(file: Path | None) -> Path | None:
    """Return the file. Raises BadParameter if it cannot be written, before anything is done."""
    if file and not file.absolute().parent.is_dir():
        raise typer.BadParameter(f"{file.parent} is no folder: make it, or name another file.")
    if file and file.is_dir():
        raise typer.BadParameter(f"{file} is a folder: name a file.")
    return file


def update(
    project: ProjectFolder = Path(),
    to: Annotated[str | None, typer.Option(help="The release; without it, the newest.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="An answer to change, NAME=VALUE.")] = None,
    ask: Annotated[bool, typer.Option(help="Ask every question again.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take an update back that was stopped half-way.")
    ] = False,
    *,
    text: Annotated[
        Path | None,
        typer.Option(
            callback=require_folder, help="For a workflow: where to write what a pull request says."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            callback=require_folder,
            help="For a workflow: add outcome=current, updated or conflicts to it.",
        ),
    ] = None,
) -> None:
    """Update a project from its template; whatever Copier would drop is saved in .rej files.

    Exit code 1: both sides changed the same lines, and a person has to choose. With --output that
    is an outcome like the others, and nothing is done where there is no newer version.

    Example: copier-mlops update --data licence=MIT
    """
    from .answers import read_answers
    from .template import Templates
    from .trees import FolderTree
    from .unfinished_update import undo_update
    from .update import find_unsolved
    from .update import update as run
    from .update_proposal import add_outcome, has_newer_version, make_proposal
    from .update_request import build_copier_options

    if undo:
        print(undo_update(project))
        return
    before = read_answers(FolderTree(project))
    if output and not has_newer_version(project):
        add_outcome(output, "current")
        print(f"{before['_commit']} is the newest version of the template")
        return
    templates = Templates()
    options = build_copier_options(project, to, data or [], ask, templates)
    updated = run(project, options, templates)
    left = find_unsolved(project)
    proposal = make_proposal(
        before, read_answers(FolderTree(project)), [finding.message for finding in left]
    )
    if text:
        text.write_text(proposal.text, encoding="utf-8")
    if output:
        add_outcome(output, proposal.outcome)
        print(proposal.text)
        return
    for name in updated.removed:
        print(f"{name} stays removed, as the team has it")
    for name in updated.moved:
        print(f"{name} is the team's, in the folder of the new name")
    rejects = [f"{name}.rej" for name in updated.saved]
    left = [finding for finding in left if finding.path not in rejects]
    for finding in left:
        print(finding.message)
    if rejects:
        raise UserError(
            f"Copier dropped lines of yours: take what is still needed from {', '.join(rejects)}, "
            "then remove what is left of it."
        )
    if left:
        print("The update is made, but for this: solve it before you commit.")
        raise SystemExit(1)


def release(
    template: TemplateFolder = Path(),
    since: Annotated[
        str | None, typer.Option(help="The first earlier release to compare with.")
    ] = None,
) -> None:
    """Check that a release of the template takes nothing away from any project.

    Example: copier-mlops release --since v1.0.0
    """
    from .release_rules import check_release

    findings = check_release(template, since)
    for finding in findings:
        place = f"{finding.path}:{finding.line}" if finding.line else finding.path
        print(f"{place}: {finding.message} [{finding.rule}]")
    if findings:
        raise SystemExit(1)
    print("This template may be released.")
