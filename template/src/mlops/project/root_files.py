"""What GitHub and git read at the root of a larger repository, for a project in a folder of it.

Each workflow of the project, and its part of CODEOWNERS and of the configuration of pre-commit, is
written there from the project's own.
A line says from which file, with a seal over that file, this code and the text itself, so that
`copier-mlops check` can tell whether it is missing, old or edited.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from ..core.errors import UserError
from ..core.paths import replacing
from ..core.repository_place import Place
from . import root_hooks, root_workflow
from .code_owners import CODEOWNERS

WORKFLOWS = Path(".github/workflows")
HOOKS = Path(".pre-commit-config.yaml")
COMMAND = "uv run mlops project root-files"
ORIGIN = re.compile(
    rf"# Written by '{COMMAND}' from (?P<source>.+), sha256 (?P<seal>[0-9a-f]{{64}})"
)
# Where GitHub looks for it, in this order.
OWNERS_OF_ALL = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
PLAIN = re.compile(r"[\w./-]+", re.ASCII)


def write_root_files(place: Place) -> list[str]:
    """Write what is not as it should be; returns the paths that were written or removed.

    Paths are from the root. Raises UserError if the folder has a name that GitHub takes for a
    pattern, or a file of somebody else lies where a workflow has to.
    """
    if not PLAIN.fullmatch(place.folder):
        raise UserError(
            f"'{place.folder}' has characters that path filters of GitHub take for a pattern: "
            "rename the folder with letters, digits, '.', '_' and '-'."
        )
    texts = dict([*make_workflows(place), *make_code_owners(place), *make_hooks(place)])
    changed = [path for path, text in texts.items() if read_text(place.root / path) != text]
    for path in changed:
        with replacing(place.root / path) as scratch:
            scratch.write_text(texts[path], encoding="utf-8")
    left = [path for path in list_written(place) if path not in texts]
    for path in left:
        (place.root / path).unlink()
    return [*changed, *left]


def read_text(path: Path) -> str:
    """Read a file; of one that is not there, nothing."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def make_workflows(place: Place) -> Iterator[tuple[str, str]]:
    """Make path and text of each workflow. Raises UserError for a path that is somebody else's."""
    for file in sorted(WORKFLOWS.glob("*.y*ml")):
        source, target = f"{place.folder}/{file.as_posix()}", name_root_workflow(place, file)
        there = read_text(place.root / target)
        if there and find_source(there) != source:
            raise UserError(
                f"{place.root / target} was not written from {source}: rename it, or the folder of "
                f"the project, and run '{COMMAND}' again."
            )
        text = file.read_text(encoding="utf-8")
        yield (
            target,
            seal_text(root_workflow.move_workflow(text, source, place, target), source, file),
        )


def name_root_workflow(place: Place, file: Path) -> str:
    """Name the workflow at the root: .github/workflows/flights-ci.yml."""
    return (WORKFLOWS / f"{place.label}-{file.name}").as_posix()


def list_written(place: Place) -> list[str]:
    """List the workflows at the root that were written from this project, by their own words."""
    ours = f"{place.folder}/{WORKFLOWS.as_posix()}/"
    return [
        file.relative_to(place.root).as_posix()
        for file in sorted((place.root / WORKFLOWS).glob(f"{place.label}-*.y*ml"))
        if (find_source(read_text(file)) or "").startswith(ours)
    ]


def find_source(text: str) -> str | None:
    """Find from which file a text was written; None: from none, somebody wrote it."""
    origin = ORIGIN.match(text)
    return origin["source"] if origin else None


def seal_text(text: str, source: str, file: Path, writer: ModuleType = root_workflow) -> str:
    """Put the line before a text that says where it is from, with the seal over all of it."""
    code = Path(str(writer.__file__)).read_text(encoding="utf-8")
    sealed = "\0".join([code, file.read_text(encoding="utf-8"), text])
    seal = hashlib.sha256(sealed.encode()).hexdigest()
    return f"{name_origin(source)} {seal}\n{text}"


def name_origin(source: str) -> str:
    """Name where a text is from, as its first line does before the seal."""
    return f"# Written by '{COMMAND}' from {source}, sha256"


def make_code_owners(place: Place) -> Iterator[tuple[str, str]]:
    """Make the repository's CODEOWNERS, with this project's part at its end or in its place."""
    target = next(
        (path for path in OWNERS_OF_ALL if (place.root / path).exists()), OWNERS_OF_ALL[0]
    )
    source = f"{place.folder}/{CODEOWNERS.as_posix()}"
    lines = CODEOWNERS.read_text(encoding="utf-8").splitlines()
    part = seal_text("".join(move_owners(line, place) for line in lines), source, CODEOWNERS)
    there = read_text(place.root / target)
    yield target, put_part(part, source, there, place, target)


def make_hooks(place: Place) -> Iterator[tuple[str, str]]:
    """Make the repository's configuration of pre-commit, with this project's part in it.

    One that somebody else wrote is left alone until it says where the part goes. Raises UserError
    if one of the two is no configuration.
    """
    there, source = read_text(place.root / HOOKS), f"{place.folder}/{HOOKS}"
    if not HOOKS.exists() or describe_what_is_left(place):
        return
    text = HOOKS.read_text(encoding="utf-8")
    if root_hooks.is_shared(there):
        head = root_hooks.make_head(there, text, source)
        there = head + root_hooks.HEAD.sub("", there)
    moved = root_hooks.move_hooks(text, source, place, root_hooks.find_indent(there))
    part = seal_text(moved, source, HOOKS, root_hooks)
    whole = put_part(part, source, there, place, HOOKS.as_posix())
    root_hooks.load_configuration(whole, str(place.root / HOOKS))
    yield HOOKS.as_posix(), whole


def describe_what_is_left(place: Place) -> list[str]:
    """Describe what is not written, since it is somebody else's and has no place for the part."""
    there, source = read_text(place.root / HOOKS), f"{place.folder}/{HOOKS}"
    if root_hooks.is_shared(there) or name_origin(source) in there:
        return []
    return [
        f"left {place.root / HOOKS} as it is, since somebody else wrote it: add the lines "
        f'"{name_origin(source)}" and "# End of {place.folder}" where its repos end, and run '
        f"'{COMMAND}' again, which writes the hooks of this project between the two"
    ]


def put_part(part: str, source: str, there: str, place: Place, target: str) -> str:
    """Put the part of this project at the end of a text that is there, or in its place.

    Raises UserError if the part that is there has no end.
    """
    end = f"# End of {place.folder}\n"
    before, found, after = there.partition(name_origin(source))
    if not found:
        return f"{there.rstrip()}\n\n{part}{end}".lstrip()
    _, ended, after = after.partition(end)
    if not ended:
        raise UserError(
            f"{place.root / target} lacks the line '{end.rstrip()}': add it after the last line of "
            f"this project, and run '{COMMAND}' again."
        )
    return f"{before}{part}{end}{after}"


def move_owners(line: str, place: Place) -> str:
    """Put the folder before the path of a line of CODEOWNERS; "*" is all that is in it."""
    path, *owners = line.split() or [""]
    if not path or path.startswith("#"):
        return f"{line}\n"
    inside = "" if path == "*" else path[1:] if path.startswith("/") else f"**/{path}"
    return f"{' '.join([f'/{place.folder}/{inside}', *owners])}\n"
