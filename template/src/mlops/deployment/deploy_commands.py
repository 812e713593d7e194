"""The group `deploy`: a release in service."""

from typing import Annotated

import typer

from ..core.rooms import has_room, load
from ..data_commands import say

app = typer.Typer(no_args_is_help=True)
Environment = Annotated[str, typer.Option(help="Where: production, staging or another.")]
Host = Annotated[
    str, typer.Option(help="Docker's host (ssh://user@host), or kubectl's context; default: ours.")
]


@app.callback()
def access(context: typer.Context) -> None:
    """Where: a release in service."""
    from .access import access

    context.with_resource(access())


@app.command(epilog="Example: deploy up registry.example/service@sha256:... --environment staging")
def up(
    image: Annotated[str, typer.Argument(help="By tag or digest.")],
    environment: Environment = "production",
    host: Host = "",
) -> None:
    """Bring an image into service without a request that fails; one that is unfit is taken away."""
    from .target import target

    say(target().up(image, environment, host))


@app.command(epilog="Example: deploy check http://127.0.0.1:8000")
def check(url: str) -> None:
    """Does a service give the known answers of this project's model, as fast as was promised?"""
    from .check import check

    say(check(url))


@app.command(epilog="Example: deploy watch http://127.0.0.1:8000 --for 30m")
def watch(
    url: str,
    duration: Annotated[str, typer.Option("--for", help="How long: 90s, 10m, 1h.")] = "10m",
    environment: Environment = "production",
    host: Host = "",
) -> None:
    """Does a release keep the objectives of problem.yaml? Ends with 1 as soon as it does not."""
    from ..core.params import duration as checked
    from .rollout import watch
    from .target import target

    try:
        checked(duration)
    except ValueError as error:
        raise typer.BadParameter(f"'{duration}': {error}") from error
    say(watch(url, duration, target().inside(environment, host)))


@app.command(epilog="Example: deploy rollback --environment staging")
def rollback(environment: Environment = "production", host: Host = "") -> None:
    """Bring back the release before the one in service, without a request that fails."""
    from .target import target

    say(target().rollback(environment, host))


@app.command(epilog="Example: deploy status --environment staging")
def status(environment: Environment = "production", host: Host = "") -> None:
    """What is in service: image, model, commit and since when; and what was done, by whom."""
    from .target import target

    say(target().status(environment, host))


if has_room("deployment/kubernetes"):

    @app.command(epilog="Example: deploy size --rate 200")
    def size(
        rate: Annotated[
            int, typer.Option(help="Requests a second that a replica is to answer.", min=1)
        ] = 100,
    ) -> None:
        """Measure what the service takes under load, and request it from Kubernetes."""
        say(load("deployment.kubernetes.sizing").size(rate))


@app.command(epilog="Example: deploy build --tag ghcr.io/acme/flights --push")
def build(
    tag: Annotated[
        str | None, typer.Option(help="REPOSITORY[:NAME]; NAME is the commit if not said.")
    ] = None,
    push: Annotated[bool, typer.Option("--push", help="To the repository.")] = False,
    options: Annotated[
        list[str] | None, typer.Argument(help="For 'docker build', after '--'.")
    ] = None,
) -> None:
    """Build the image of this commit and its registered model. Writes dist/release.json."""
    from .image import build

    say(build(tag, push, options or []))


@app.command()
def sbom() -> None:
    """List all that is in the release, model and data too. Writes dist/sbom.cdx.json."""
    from .sbom import write

    say(write())


@app.command()
def sign() -> None:
    """Sign the release with the key in SIGNING_KEY. Writes dist/release.json.sig."""
    from .signing import sign

    say(sign())


@app.command()
def verify() -> None:
    """Is the release as someone in deploy/allowed_signers signed it? Prints its image last."""
    from .signing import verify

    say(verify())


@app.command(epilog="Example: deploy ready --environment staging")
def ready(environment: Environment = "production") -> None:
    """Are the secrets and variables there that a delivery needs? Names each that is missing."""
    from .access import ready

    say(ready(environment))


@app.command()
def setup() -> None:
    """Name what continuous delivery and monitoring on GitHub still need, in order, as gh tells."""
    from .code_host import setup

    lines, ready = setup()
    say(lines)
    if not ready:
        raise typer.Exit(1)


@app.command()
def approval(environment: Environment = "production") -> None:
    """Does GitHub ask the business owner in problem.yaml before a release goes into service?"""
    from .approval import approval

    say(approval(environment))
