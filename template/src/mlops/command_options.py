"""Options that several commands share, gathered in one argument."""

from collections.abc import Callable
from functools import update_wrapper
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from .records.reading_options import Reading

READING = {
    "encoding": Annotated[str | None, typer.Option(help="Of a text file, if not UTF-8.")],
    "sheet": Annotated[str | None, typer.Option(help="Of a workbook with several.")],
    "skip": Annotated[int | None, typer.Option(help="Lines or rows above the header.", min=0)],
    "comment": Annotated[str | None, typer.Option(help="What lines begin with that are no rows.")],
    "records": Annotated[str | None, typer.Option(help="Where in JSON they lie: data.items")],
}


def with_reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Reading`, which come to it as its argument `reading`."""

    def run(**arguments: Any) -> None:
        reading = Reading(**{name: arguments.pop(name) for name in READING})
        command(**arguments, reading=reading)

    options = [
        Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation)
        for name, annotation in READING.items()
    ]
    parameters: list[Parameter] = []
    for name, parameter in signature(command).parameters.items():
        parameters += options if name == "reading" else [parameter]
    update_wrapper(run, command)
    run.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": None}
    run.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
    return run
