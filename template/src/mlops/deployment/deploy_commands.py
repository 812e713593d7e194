"""The group `deploy`: a release in service."""

from collections.abc import Mapping
from typing import Annotated

import typer

from ..core.optional_parts import has_part, load_module
from ..data_commands import say

app = typer.Typer(no_args_is_help=True)
Environment = Annotated[str, typer.Option(help="Where: production, staging or another.")]
Host = Annotated[
    str,
    typer.Option(
        help="Docker's host (ssh://user@host), or kubectl's context; default: the current one."
    ),
]


@app.callback()
def group(context: typer.Context) -> None:
    """Where: put releases into production, and take them back."""
    from .access import command_variables

    context.obj = context.with_resource(command_variables())


@app.command(epilog="Example: deploy up registry.example/service@sha256:... --environment staging")
def up(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="By tag or digest.")],
    environment: Environment = "production",
    host: Host = "",
) -> None:
    """Put an image into production without failing a request; one that is unfit is removed."""
    from .target import Place, load_target

    say(load_target().deploy(image, Place(environment, host, context.obj)))


@app.command(epilog="Example: deploy check http://127.0.0.1:8000")
def check(context: typer.Context, url: str) -> None:
    """Does a service answer as this project's model does, and as fast as problem.yaml promises?"""
    from .readiness import check_service

    say(check_service(url, read_key(context.obj)))


@app.command(epilog="Example: deploy watch http://127.0.0.1:8000 --for 30m")
def watch(
    context: typer.Context,
    url: str,
    duration: Annotated[str, typer.Option("--for", help="How long: 90s, 10m, 1h.")] = "10m",
    environment: Environment = "production",
    host: Host = "",
) -> None:
    """Does a release keep the objectives of problem.yaml? Exit code 1 as soon as it does not."""
    from ..core.params import check_duration
    from .rollout import watch_release
    from .target import Place, load_target

    try:
        check_duration(duration)
    except ValueError as error:
        raise typer.BadParameter(f"'{duration}': {error}") from error
    run = load_target().open_release(Place(environment, host, context.obj))
    say(watch_release(url, duration, run, read_key(context.obj)))


@app.command(epilog="Example: deploy rollback --environment staging")
def rollback(
    context: typer.Context, environment: Environment = "production", host: Host = ""
) -> None:
    """Go back to the previous release, without failing a request."""
    from .target import Place, load_target

    say(load_target().roll_back(Place(environment, host, context.obj)))


@app.command(epilog="Example: deploy status --environment staging")
def status(
    context: typer.Context, environment: Environment = "production", host: Host = ""
) -> None:
    """What is in production: image, model, commit, since when; and who deployed what."""
    from .target import Place, load_target

    say(load_target().describe(Place(environment, host, context.obj)))


if has_part("deployment/kubernetes"):

    @app.command(epilog="Example: deploy size --rate 200")
    def size(
        rate: Annotated[
            int, typer.Option(help="Requests a second that a replica is to answer.", min=1)
        ] = 100,
    ) -> None:
        """Measure what the service takes under load, and request it from Kubernetes."""
        say(load_module("deployment.kubernetes.sizing").size_replica(rate))


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
    from .image import build_release

    say(build_release(tag, push, options or []))


@app.command()
def sbom() -> None:
    """List everything in the release, model and data included. Writes dist/sbom.cdx.json."""
    from .bill_of_materials import write_bill

    say(write_bill())


@app.command()
def sign() -> None:
    """Sign the release with the key in SIGNING_KEY. Writes dist/release.json.sig."""
    from .signing import sign_release

    say(sign_release())


@app.command()
def verify() -> None:
    """Is the release signed by somebody in deploy/allowed_signers? Prints its image last."""
    from .signing import verify_release

    say(verify_release())


@app.command(epilog="Example: deploy ready --environment staging")
def ready(environment: Environment = "production") -> None:
    """Are all secrets and variables set that a delivery needs? Names each that is missing."""
    from .access import check_needs

    say(check_needs(environment))


@app.command()
def setup() -> None:
    """List what continuous delivery and monitoring on GitHub still need, in order, by asking gh."""
    from .code_host import check_repository

    lines, ready = check_repository()
    say(lines)
    if not ready:
        raise typer.Exit(1)


@app.command()
def approval(environment: Environment = "production") -> None:
    """Does GitHub ask the business owner in problem.yaml before a release goes into service?"""
    from .approval import check_approval

    say(check_approval(environment))


def read_key(variables: Mapping[str, str]) -> str:
    """Return the service's API key; "" where it asks for none."""
    return variables.get("API_KEY", "")
