"""`deploy build`: the image of the service, once for all environments."""

from datetime import UTC, datetime
from typing import Any

from ..core.errors import UserError
from ..core.git_command import git
from ..core.paths import GATE_REPORT, MODEL, read_json
from ..core.team import package_name
from ..registry.champion import in_its_place
from ..registry.registry import REGISTRATION, model_file
from ..registry.tracking import MADE_BY_THE_RUN
from .docker import docker, inspected
from .release import RELEASE, Release


def build(tag: str | None, push: bool, options: list[str]) -> list[str]:
    """Build the image of this commit and of the registered model, and write down the release.

    `options` go to `docker build`. Returns lines to print. Raises UserError for a commit or model
    that nobody could find again, and for a model that must not go out.
    """
    refuse_uncommitted()
    registered = fit_for_release()
    commit = git("rev-parse", "HEAD")
    name = full(tag, commit) if tag else f"localhost/{package_name()}:latest"
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
    image = pushed(name) if push else str(inspected(name)["Id"])
    Release(
        image=image,
        commit=commit,
        model_version=registered["version"],
        model_sha256=registered["sha256"],
        data_version=registered["data_version"],
        built=datetime.now(UTC).isoformat(timespec="seconds"),
    ).write()
    return [f"{name}: model version {registered['version']}, written to {RELEASE}", image]


def refuse_uncommitted() -> None:
    """Raises UserError if a file differs from the commit, but for those that the pipeline makes."""
    changed = git("status", "--porcelain", "--", ".", *MADE_BY_THE_RUN)
    if changed:
        first = changed.splitlines()[0].split(maxsplit=1)[1]
        raise UserError(
            f"{first} differs from the commit, and an image is of a commit: commit or undo it."
        )


def fit_for_release() -> dict[str, Any]:
    """What the registry told of the pipeline's model. Raises UserError unless it may go out."""
    number, _ = model_file()
    if number is None:
        raise UserError(
            f"{MODEL} is not registered, nobody could find it again: 'uv run dvc repro' does it."
        )
    gates = read_json(GATE_REPORT)["gates"]
    failed = [gate["name"] for gate in gates if not gate["passed"]]
    if failed:
        raise UserError(
            f"Version {number} of the model must not go out, a gate blocks it "
            f"({', '.join(failed)}): see reports/index.html for what to do."
        )
    if in_its_place():
        raise UserError(
            f"Version {number} is not the champion, it was taken back: 'model promote {number}' if "
            "it is to go out all the same."
        )
    return dict(read_json(REGISTRATION))


def full(tag: str, commit: str) -> str:
    """`tag` as Docker takes it; one without a name for the version gets the commit's."""
    tag = tag.lower()
    return tag if ":" in tag.rpartition("/")[2] else f"{tag}:{commit[:12]}"


def pushed(name: str) -> str:
    """Push the image; returns it by the digest that the registry gave it."""
    docker("push", "--quiet", name, aloud=True)
    repository = name.rpartition(":")[0]
    digests = inspected(name)["RepoDigests"]
    return next(str(digest) for digest in digests if digest.startswith(f"{repository}@"))
