"""The image of a rendered project, built by the commands of its README."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import have_image
from support import ROOT, run
from test_readme import blocks, shell

IMAGE = "localhost/flights-test"


def commands(project: Path) -> tuple[str, str, str, str]:
    """Of the README: build, run, make passwords, start the stack."""
    image, stack = [b for b in blocks(project / "deploy/README.md") if "docker " in b]
    image = image.replace("localhost/flights", IMAGE)
    build, start = image.split("docker run")
    passwords, up = stack.split("docker compose")
    # Behind a firewall, only the host's own network may reach the registries.
    build = build.replace("docker build", "docker build --quiet --network host")
    return build, f"docker run{start}", passwords, f"docker compose{up}"


@contextmanager
def build_image(project: Path) -> Iterator[str]:
    """The id of the image, which is called IMAGE as long as this lasts."""
    recipe = (project / "deploy/Dockerfile").read_text(encoding="utf-8")
    [base] = re.findall(r"^ARG PYTHON=(.*)$", recipe, re.MULTILINE)
    have_image(base)
    try:
        yield shell(commands(project)[0], project).split()[-1]
    finally:
        run("docker", "image", "rm", "--force", IMAGE, cwd=ROOT)
