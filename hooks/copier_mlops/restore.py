"""Put files of the template back as the recorded version renders them."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from .answers import read_answers
from .errors import UserError
from .git import EXECUTABLE, Objects
from .git_place import ANSWERS
from .spelling import find_nearest
from .template import Templates
from .trees import FolderTree

SCRATCH = ".copier-mlops"


def restore(repository: Path, paths: Sequence[str], templates: Templates) -> Iterator[str]:
    """Put files back and yield the path of each.

    Raises UserError, before anything is written, if a path is none that may be put back.
    """
    recorded = read_answers(FolderTree(repository))
    template = templates.get(recorded["_src_path"])
    version = template.version(recorded["_commit"])
    render = version.render(recorded)
    for path in paths:
        if path not in render.files or path == ANSWERS:
            near = find_nearest(path, render.files)
            meant = f"; did you mean {near}?" if near else ": check the path."
            raise UserError(f"{path} is no file that {version.name} of the template renders{meant}")
        if template.owner(version, path) == "seeded":
            raise UserError(f"{path} is the team's: restore it from the history with git.")
    with Objects(template.folder) as objects:
        for path in paths:
            expected = render.files[path]
            target = repository / path
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = target.with_name(target.name + SCRATCH)
            scratch.write_bytes(version.content(expected.source, render.values, objects))
            scratch.chmod(0o755 if expected.mode == EXECUTABLE else 0o644)
            os.replace(scratch, target)
            yield path
