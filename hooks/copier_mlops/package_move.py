"""The team's package under a new name: its files move, and what imports it follows.

To Copier the files of the old name are gone and those of the new name are new: what the team wrote
would stay in a folder that nothing reads.
"""

import re
from pathlib import Path
from shutil import rmtree

from .git import git

BYTECODE = "__pycache__"


def move_package(project: Path, before: str, after: str) -> list[str]:
    """Move the files of `src/before` over the fresh ones of `src/after`; returns where they are.

    Imports of the package in the team's code and tests get the new name. Nothing happens if both
    names are the same.
    """
    if before in ("", after) or not after:
        return []
    tracked = git("ls-files", "-z", "--", f"src/{before}", "tests", cwd=project).split("\0")
    moved = []
    for name in filter(None, tracked):
        source, target = project / name, project / rename(name, before, after)
        if not source.is_file():
            continue
        if source != target:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            remove_empty_folders(project, name)
            moved.append(rename(name, before, after))
        if target.suffix == ".py":
            target.write_bytes(rename_imports(target.read_bytes(), before, after))
    return moved


def rename(path: str, before: str, after: str) -> str:
    """Give a path in the package's old folder its place in the new one."""
    inside = f"src/{before}/"
    return f"src/{after}/{path.removeprefix(inside)}" if path.startswith(inside) else path


def rename_imports(code: bytes, before: str, after: str) -> bytes:
    """Rename a package where it is imported; a plain import keeps the name that the code uses."""
    old, new = re.escape(before.encode()), after.encode()
    code = re.sub(rb"(?m)^(\s*from )" + old + rb"(?=[. ])", rb"\g<1>" + new, code)
    code = re.sub(rb"(?m)^(\s*import )" + old + rb"(?=[\w.]* as )", rb"\g<1>" + new, code)
    whole = rb"\g<1>" + new + b" as " + before.encode()
    return re.sub(rb"(?m)^(\s*import )" + old + rb"(?=\s*$)", whole, code)


def remove_empty_folders(project: Path, name: str) -> None:
    """Remove the folders around a file that is gone, if they hold nothing but bytecode."""
    folder = (project / name).parent
    while folder != project and all(path.name == BYTECODE for path in folder.iterdir()):
        rmtree(folder)
        folder = folder.parent
