"""What a project in a folder of a larger repository has at the root of that.

`mlops project root-files` writes it there, under a line that names the file it was written from and
a seal: the SHA-256 of the code that wrote it, of that file, and of the text.
"""

import hashlib
import re
from collections.abc import Iterator

from .findings import Finding
from .rules import make_finding
from .trees import Tree

COMMAND = "uv run mlops project root-files"
WRITER = "src/mlops/project/root_workflow.py"
WRITER_OF_HOOKS = "src/mlops/project/root_hooks.py"
WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
CODEOWNERS = ".github/CODEOWNERS"
HOOKS = ".pre-commit-config.yaml"
FOLDERS = (".github/workflows", ".github", "", "docs")  # of workflows, CODEOWNERS and hooks
ORIGIN = re.compile(
    rf"^# Written by '{COMMAND}' from (?P<source>.+), sha256 (?P<seal>[0-9a-f]{{64}})\n", re.M
)


def find_root_drift(tree: Tree) -> Iterator[Finding]:
    """Find what is missing at the root, what is old or edited, and what nothing is left of."""
    if not tree.folder or not {WRITER, WRITER_OF_HOOKS} <= tree.files.keys():
        return
    sealed = dict(read_sealed(tree))
    for path in tree.files:
        if not (WORKFLOW.fullmatch(path) or path in (CODEOWNERS, HOOKS)):
            continue
        name, text, seal = sealed.pop(path, ("", "", ""))
        if not name:
            problem = f"{path} has no effect in {tree.folder}: only the root's is read"
        elif seal != compute_seal(tree, path, text):
            problem = f"/{name} is not as {path} has it: it was edited, or is older"
        else:
            continue
        yield make_finding("root.changed", f"{problem}; run '{COMMAND}' and commit.", path)
    for path, (name, _, _) in sealed.items():
        message = (
            f"/{name} was written from {path}, which is not there: run '{COMMAND}' and commit."
        )
        yield make_finding("root.changed", message, path)


def read_sealed(tree: Tree) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Read what was written from this project: for its path there, name, text and seal."""
    for folder in FOLDERS:
        for name, content in tree.read_at_root(folder).items():
            text = decode(content)
            for origin in ORIGIN.finditer(text):
                path = origin["source"].removeprefix(tree.folder)
                if path != origin["source"]:
                    body = text[origin.end() :].partition(f"# End of {tree.folder[:-1]}\n")[0]
                    yield path, (f"{folder}/{name}".lstrip("/"), body, origin["seal"])


def compute_seal(tree: Tree, path: str, text: str) -> str:
    """Compute the seal that a text has which was written from `path` of the project."""
    writer = WRITER_OF_HOOKS if path == HOOKS else WRITER
    sealed = [decode(tree.read(writer)), decode(tree.read(path)), text]
    return hashlib.sha256("\0".join(sealed).encode()).hexdigest()


def decode(content: bytes) -> str:
    """Decode a text as Python reads it: lines end in a newline."""
    return content.decode(errors="replace").replace("\r\n", "\n")
