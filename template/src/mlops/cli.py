"""Everything to do with this project; the groups follow the lifecycle of a model."""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .command_options import with_reading_options
from .core.errors import UserError
from .core.full_disk import is_full_disk
from .core.optional_parts import has_part, load_module
from .data_commands import Query, Source, say
from .data_commands import app as data_commands
from .project_commands import app as project_commands
from .records.reading_options import AS_IT_IS, Reading

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=__doc__,
)
problem_commands = typer.Typer(no_args_is_help=True, help="Why: the decision and what it is worth.")
model_commands = typer.Typer(no_args_is_help=True, help="How: the versions of the model.")
app.add_typer(project_commands, name="project")
app.add_typer(problem_commands, name="problem")
app.add_typer(data_commands, name="data")
app.add_typer(model_commands, name="model")


@app.command()
def setup(
    in_repository: Annotated[
        bool | None,
        typer.Option(
            "--in-repository/--own-repository",
            help="In a folder of a larger git repository: make the project a part of it, or give "
            "the project a repository of its own.",
        ),
    ] = None,
) -> None:
    """Make this folder a git repository with hooks and a first commit."""
    from .project.setup import set_up_project

    say(set_up_project(in_repository))


@app.command(hidden=True)
def stage(name: str) -> None:
    """Run one stage of dvc.yaml (use `dvc repro`, which calls this)."""
    from .core.stages import run_stage

    run_stage(name)


@problem_commands.command("check")
def problem_check() -> None:
    """Is problem.yaml complete enough for a release?"""
    from .core.problem import Problem
    from .data.contract import CONTRACT, Contract

    task = Contract.load().task if CONTRACT.exists() else "binary"
    missing = Problem.read().list_missing(task)
    if missing:
        raise UserError(f"problem.yaml: fill in {', '.join(missing)}; a release needs them.")
    say(["problem.yaml is complete"])


@problem_commands.command("estimate")
def problem_estimate() -> None:
    """Is it worth building? Go or no-go, from `estimate` and `value` in problem.yaml alone."""
    from .business.estimate import describe_estimate
    from .core.problem import Problem

    say(describe_estimate(Problem.read()))


@model_commands.command("list")
def model_list() -> None:
    """The versions in the registry, newest first."""
    from .registry.version_table import format_versions

    say(format_versions())


@model_commands.command("compare", epilog="Example: model compare 3 4")
def model_compare(first: int, second: int) -> None:
    """Two versions side by side."""
    from .registry.version_table import compare_versions

    say(compare_versions(first, second))


@model_commands.command("promote", epilog='Example: model promote 4 --because "Fair to all ages"')
def model_promote(
    version: Annotated[int | None, typer.Argument(help="Default: the challenger.")] = None,
    because: Annotated[
        str | None,
        typer.Option(help="Why; needed if it lost to the champion or was not compared with it."),
    ] = None,
) -> None:
    """Make a version the champion; refused if it did not pass its other gates."""
    from .registry import promotion

    say(promotion.promote(version, because))


@model_commands.command("rollback")
def model_rollback() -> None:
    """Make the previous champion the champion again."""
    from .registry import promotion

    say(promotion.rollback())


@app.command(epilog="Example: predict new-orders.csv decisions.csv")
@with_reading_options
def predict(
    source: Source,
    target: Annotated[str, typer.Argument(help="Where to write: .csv, .jsonl or .parquet.")],
    version: Annotated[
        int | None, typer.Option(help="Version of the model; default: the newest.")
    ] = None,
    query: Query = None,
    reading: Reading = AS_IT_IS,
) -> None:
    """Score a table row by row, of any size; a run that was stopped continues where it was."""
    from .scoring.batch import predict as score

    say(score(source, Path(target), version, query=query, reading=reading))


business_commands = typer.Typer(no_args_is_help=True, help="Does it pay: value against cost.")
app.add_typer(business_commands, name="business")


@business_commands.command("report")
def business_report() -> None:
    """What it was worth, what it costs, what to decide next. Writes reports/business.html."""
    from .business.business_page import write_report

    say(write_report())


if has_part("serving"):  # a project that is not deployed has none

    @app.command(epilog="Example: serve --port 8080")
    def serve(
        host: Annotated[
            str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")
        ] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
    ) -> None:
        """Serve the champion over HTTP; /docs shows how to call it."""
        from .registry.champion import find_champion_override

        answer = load_module("serving.server").serve
        answer(host=host, port=port, **find_champion_override())

    app.add_typer(load_module("deployment.deploy_commands").app, name="deploy")
    app.add_typer(load_module("monitoring.monitor_commands").app, name="monitor")


def bypass_proxy_for_this_machine() -> None:
    """Have no proxy asked for a service, a registry or a database on this machine."""
    for name in ("no_proxy", "NO_PROXY"):
        hosts = filter(None, os.environ.get(name, "").split(","))
        os.environ[name] = ",".join(dict.fromkeys([*hosts, *THIS_MACHINE]))


def main() -> None:
    """Run a command; what a person can mend is one sentence on stderr and exit code 1."""
    bypass_proxy_for_this_machine()
    try:
        app()
    except UserError as error:
        sys.exit(f"error: {error}")
    except FileNotFoundError as error:
        what = error.filename or " ".join(str(error).split())
        sys.exit(f"error: {what} is not there: check the path, or make it with 'uv run dvc repro'.")
    except PermissionError as error:
        sys.exit(
            f"error: no permission for {error.filename}: change its permissions and try again."
        )
    except KeyboardInterrupt:
        sys.exit("stopped; nothing half-written was left.")
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EROFS:
            sys.exit(
                f"error: {error.filename or 'the disk'} can only be read: nothing was changed."
            )
        if not is_full_disk(error):
            raise
        sys.exit("error: the disk is full: free some space and try again; nothing was changed.")
