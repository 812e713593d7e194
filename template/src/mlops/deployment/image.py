"""`deploy build`: the image of the service, once for all environments."""

from datetime import UTC, datetime
from typing import cast

from ..core.errors import UserError
from ..core.git_command import git
from ..core.paths import GATE_REPORT, MODEL, REGISTRATION, read_json
from ..core.team import read_package_name
from ..registry.champion import find_champion_override
from ..registry.registry import Registration, find_model_file
from ..registry.tracking import MADE_BY_THE_RUN
from .docker import docker, inspect_image
from .release import RELEASE, Release


def build_release(tag: str | None, push: bool, options: list[str]) -> list[str]:
    """Build the image of this commit and of the registered model, and write down the release.

    `options` go to `docker build`. Returns lines to print. Raises UserError for a commit or model
    that nobody could find again, and for a model that must not go out.
    """
    refuse_uncommitted()
    registration = read_registration()
    commit = git("rev-parse", "HEAD")
    name = complete_tag(tag, commit) if tag else f"localhost/{read_package_name()}:latest"
    if push and not tag:
        raise UserError("'--push' needs to know where to: add '--tag REPOSITORY'.")
    docker(
        "build",
        "--file=deploy/Dockerfile",
        f"--tag={name}",
        f"--build-arg=REVISION={commit}",
        f"--build-arg=SOURCE_DATE_EPOCH={git('log', '-1', '--format=%ct')}",
        *options,
        ".",
        aloud=True,
    )
    image = push_image(name) if push else str(inspect_image(name)["Id"])
    Release(
        image=image,
        commit=commit,
        model_version=registration["version"],
        model_sha256=registration["sha256"],
        data_version=registration["data_version"],
        built=datetime.now(UTC).isoformat(timespec="seconds"),
    ).write()
    return [f"{name}: model version {registration['version']}, written to {RELEASE}", image]


def refuse_uncommitted() -> None:
    """Raise UserError if a file differs from the commit, but for those that the pipeline makes."""
    changed = git("status", "--porcelain", "--", ".", *MADE_BY_THE_RUN)
    if changed:
        first = changed.splitlines()[0].split(maxsplit=1)[1]
        raise UserError(
            f"{first} differs from the commit, and an image is built from a commit: commit the "
            "change or undo it."
        )


def read_registration() -> Registration:
    """Read the registration of the pipeline's model. Raises UserError if it must not go out."""
    number, _ = find_model_file()
    if number is None:
        raise UserError(
            f"{MODEL} is not registered, nobody could find it again: 'uv run dvc repro' does it."
        )
    gates = read_json(GATE_REPORT)["gates"]
    failed = [gate["name"] for gate in gates if not gate["passed"]]
    if failed:
        raise UserError(
            f"Version {number} of the model must not be released: a gate blocks it "
            f"({', '.join(failed)}): see reports/index.html for what to do."
        )
    if find_champion_override():
        why = read_json(REGISTRATION).get("why", "it was rolled back")
        raise UserError(
            f"Version {number} is not the champion: {why}. To release it anyway, first run "
            f"'model promote {number}'."
        )
    return cast(Registration, read_json(REGISTRATION))


def complete_tag(tag: str, commit: str) -> str:
    """Write a tag as Docker takes it; one without a name for the version gets the commit's."""
    tag = tag.lower()
    return tag if ":" in tag.rpartition("/")[2] else f"{tag}:{commit[:12]}"


def push_image(name: str) -> str:
    """Push the image; returns it by the digest that the registry gave it."""
    docker("push", "--quiet", name, aloud=True)
    repository = name.rpartition(":")[0]
    digests = inspect_image(name)["RepoDigests"]
    return next(str(digest) for digest in digests if digest.startswith(f"{repository}@"))
