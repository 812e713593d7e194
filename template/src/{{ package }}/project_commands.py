"""The group `project`: what is demanded here, and what a change does to it."""

import typer

from .data_commands import say

app = typer.Typer(no_args_is_help=True, help="All of it: what is demanded, and what a change does.")


@app.command()
def requirements() -> None:
    """What is demanded: the line that says so, who answers for it, and the test that breaks it."""
    from .requirements import told
    from .settings import Params, Problem

    say(told(Problem.read(), Params.read()))
