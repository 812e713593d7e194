"""The command `copier-mlops`."""

import sys

import typer

from .errors import UserError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__import__("copier_mlops").__doc__
)


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"copier-mlops: {error}", file=sys.stderr)
        raise SystemExit(2) from None
