"""The template that this project was made from, as .copier-answers.yml names it."""

import re
from pathlib import Path

import yaml

from ..core.errors import UserError

ANSWERS = Path(".copier-answers.yml")
SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
SCP = re.compile(r"(?P<user>[\w.-]+@[\w.-]+):(?P<path>[^/].*)")
AFTER_A_RELEASE = re.compile(r".+-\d+-g([0-9a-f]+)")


def find_template() -> str:
    """Return address and version in one, as uv and pip take them: git+ADDRESS@VERSION.

    Raises UserError if the template lies in a folder that this machine does not have.
    """
    place, version = read_origin()
    described = AFTER_A_RELEASE.fullmatch(version)
    return f"git+{expand_address(place)}@{described[1] if described else version}"


def read_origin() -> tuple[str, str]:
    """Read the template's place and version. Raises UserError if the answers do not name them."""
    try:
        answers = yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))
        return str(answers["_src_path"]), str(answers["_commit"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise UserError(
            f"{ANSWERS} does not name the template and its version: "
            f"restore it with git checkout HEAD -- {ANSWERS}."
        ) from error


def expand_address(place: str) -> str:
    """Write a template's address in full, with its scheme.

    Raises UserError for a folder that this machine does not have.
    """
    place = place.removeprefix("git+")
    for short, full in SHORT.items():
        if place.startswith(short):
            return f"{full}{place.removeprefix(short).removesuffix('.git')}.git"
    if "://" in place:
        return place
    if scp := SCP.fullmatch(place):
        return f"ssh://{scp['user']}/{scp['path']}"
    folder = Path(place).expanduser()
    if not folder.exists():
        raise UserError(
            f"This project was made from a template in {place}, a folder that this machine does "
            f"not have: push the template to your code host, and write its address as _src_path "
            f"into {ANSWERS}."
        )
    return folder.resolve().as_uri()
