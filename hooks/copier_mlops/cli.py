"""The command `copier-mlops`."""

# ruff: noqa: PLC0415 - imported where they are needed, so that light commands start fast

import sys
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from .errors import UserError
from .fleet.commands import fleet
from .template_commands import release, update

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Standards of repositories made from a template: of one, or of a fleet.",
)
app.command()(update)
app.command()(release)

Format = StrEnum("Format", ["text", "json", "sarif", "junit"])
RepositoryFolder = Annotated[Path, typer.Argument(help="The repository: a clone, or a bare one.")]
TemplateAddress = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="ADDRESS",
        help="Of the template, or the folder of a clone. Default: what .copier-answers.yml says.",
    ),
]


@app.callback()
def group() -> None:
    """Each command is a module's; more than one makes it a group."""


@app.command()
def check(
    repository: RepositoryFolder = Path(),
    template: TemplateAddress = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="The organisation's, YAML. Default: hooks/policy.yml of the newest release."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="COMMIT", help="Look at this commit, not at the files in the folder."),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="How to say it.")] = Format.text,
) -> None:
    """Is one repository as its template and its organisation ask? Exit code 1: no.

    Example: copier-mlops check . --policy policy.yml
    """
    from .check import check as check_one
    from .formats import FORMATS
    from .policy import Policy
    from .template import Templates

    own_policy = Policy.load(policy) if policy else None
    bare = not (repository / ".git").exists() and (repository / "HEAD").is_file()
    commit = at or ("HEAD" if bare else None)
    templates = Templates(template)
    if template:
        templates.get(template)
    report = check_one(repository.resolve(), templates, own_policy, commit)
    print(FORMATS[output]([report]))
    if report.broken:
        raise SystemExit(2)
    if report.failed:
        raise SystemExit(1)


@app.command()
def restore(
    paths: Annotated[list[str], typer.Argument(help="Files of the template, from the folder up.")],
    repository: Annotated[Path, typer.Option("--in", help="The clone they lie in.")] = Path(),
    template: TemplateAddress = None,
) -> None:
    """Put files back as the recorded version of the template renders them.

    Example: copier-mlops restore deploy/Dockerfile
    """
    from .restore import restore as restore_files
    from .template import Templates

    for path in restore_files(repository, paths, Templates(template)):
        print(f"{path} is as the template has it")


app.command()(fleet)


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # names of files may be any bytes
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app()
    except UserError as error:
        print(f"copier-mlops: {error}", file=sys.stderr)
        raise SystemExit(2) from None
