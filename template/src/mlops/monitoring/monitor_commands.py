"""The group `monitor`: the model in production."""

from pathlib import Path
from typing import Annotated

import typer

from ..command_options import with_reading_options
from ..data_commands import Query, Source, say
from ..records.reading_options import AS_IT_IS, Reading

app = typer.Typer(no_args_is_help=True, help="Afterwards: the model in production.")

Url = Annotated[str, typer.Option(help="Address of the service.")]
LOCAL = "http://127.0.0.1:8000"


@app.command(epilog="Example: monitor report --since 30d")
def report(
    since: Annotated[
        str | None, typer.Option(help="How long ago (7d, 12h), or a day; default: params.yaml.")
    ] = None,
) -> None:
    """How good is the model in production? Have inputs drifted? Writes reports/monitoring.html."""
    from .monitoring_page import write_report

    say(write_report(since))


@app.command(epilog="Example: monitor replay later.csv --minutes 2")
@with_reading_options
def replay(  # noqa: PLR0917
    source: Source,
    url: Url = LOCAL,
    minutes: Annotated[float, typer.Option(help="Minutes in which to send everything.", min=0)] = 5,
    truth_after: Annotated[
        float, typer.Option(help="Seconds until the ground truth of a record is sent.", min=0)
    ] = 30,
    query: Query = None,
    reading: Reading = AS_IT_IS,
) -> None:
    """Send a table to the service as traffic, at the pace of its time column."""
    from .replay import replay

    seconds = minutes * 60
    say(replay(source, url, seconds=seconds, truth_after=truth_after, query=query, reading=reading))


@app.command(epilog="Example: monitor watch --once")
def watch(
    url: Url = LOCAL,
    once: Annotated[bool, typer.Option("--once", help="Look once, for a scheduled job.")] = False,
    host: Annotated[
        str, typer.Option(help="The address its metrics are served on; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(help="The port its metrics are served on, for Prometheus.", min=0, max=65535),
    ] = 9101,
) -> None:
    """Watch the model in production; retrain and replace it where the rules call for it."""
    from .client import Client
    from .retraining import run_loop
    from .takeover import Takeover

    run_loop(Takeover(Client(url)), once=once, host=host, port=port)


@app.command()
def story() -> None:
    """What `monitor watch` saw and did, step by step."""
    from .story import read_steps

    say(
        [step.format_line() for step in read_steps()]
        or ["nothing has happened yet: run 'monitor watch'"]
    )


@app.command(epilog='Example: monitor accept --because "a second airport is served since May"')
def accept(
    because: Annotated[str, typer.Option(help="How you know that what came in is right.")],
) -> None:
    """Let the retraining learn from data that has drifted: it is right, and no fault."""
    from .story import accept

    accept(because)


@app.command(epilog="Example: DOCKER_HOST=ssh://deploy@host.example monitor pull")
def pull(
    environment: Annotated[str, typer.Option(help="Environment of the deployment.")] = "production",
) -> None:
    """Copy the journal here, from the host on which the service runs with Docker Compose."""
    from .journal_pull import pull_journal

    say(pull_journal(environment))


@app.command()
def issue() -> None:
    """Keep one issue on GitHub with what `monitor report` found, by the command `gh`."""
    from .issue import update_issue

    say(update_issue())


@app.command(epilog="Example: monitor renew --text text.md")
def renew(
    text: Annotated[Path, typer.Option(help="File to write the text of the pull request to.")],
) -> None:
    """Retrain where the rules call for it; the result stays in the files, for a pull request."""
    from .retrain_pull_request import PullRequest
    from .retraining import run_loop

    run_loop(PullRequest(text), once=True)
