"""Whether a version of this template may be released: what an update of it would do to projects."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from pathlib import Path
from typing import Any

import yaml

from .errors import UserError
from .git import Objects, git
from .patterns import compile_patterns
from .questions import list_choices
from .render import Render, Values, Version
from .template import OWNERSHIP, Template

CONFIG = "copier.yml"
CHANGELOG = "CHANGELOG.md"
OLD_ANSWERS = "tests/old_answers"


@dataclass
class Release:
    """What is to be released: the files of `folder` as they lie there, committed or not.

    `since` is the first earlier release to compare with; None: the very first. Raises UserError if
    the template cannot be read at all.
    """

    folder: Path
    since: str | None = None

    @cached_property
    def template(self) -> Template:
        """The template with its earlier releases."""
        return Template(self.folder)

    @cached_property
    def version(self) -> Version:
        """What is to be released, as if it were."""
        with Objects(self.folder) as objects:
            return Version("next release", write_working_tree(self.folder), objects)

    @cached_property
    def config(self) -> dict[str, Any]:
        """Settings of Copier and questions, as copier.yml has them."""
        config: dict[str, Any] = yaml.safe_load(self.text(CONFIG))
        return config

    @cached_property
    def ownership(self) -> dict[str, list[str]]:
        """Patterns of paths by owner."""
        ownership: dict[str, list[str]] = yaml.safe_load(self.text(OWNERSHIP))
        return ownership

    def text(self, name: str) -> str:
        """Read a file of the template. Raises UserError if there is none."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise UserError(f"{self.folder} has no {name}, as every template of ours.") from error

    @cached_property
    def earlier(self) -> list[Version]:
        """The releases that a project may come from, the oldest first.

        Raises UserError if `since` is none of them.
        """
        tags = [tag for tag in self.template.releases if not self.is_this(tag)]
        if self.since and self.since not in tags:
            raise UserError(
                f"There is no release {self.since}: it has {', '.join(tags) or 'none'}."
            )
        start = tags.index(self.since) if self.since else 0
        return [self.template.version(tag) for tag in tags[start:]]

    def is_this(self, tag: str) -> bool:
        """Tell whether the files of a release are the very ones that are looked at."""
        return git("rev-parse", f"{tag}^{{tree}}", cwd=self.folder).strip() == self.version.commit

    @cached_property
    def renders(self) -> list[Render]:
        """A render for every pair of choices that two questions can have."""
        return render_all_pairs(self.version)

    @cached_property
    def paths(self) -> set[str]:
        """The paths that any answers can bring."""
        return {path for render in self.renders for path in render.files}

    def owned(self, owner: str) -> set[str]:
        """List the paths that the patterns of an owner name."""
        return match_paths(self.ownership.get(owner, []), self.paths)

    def content(self, render: Render, path: str) -> bytes:
        """Render one file. Raises UserError if it fails."""
        with Objects(self.folder) as objects:
            return self.version.content(render.files[path].source, render.values, objects)

    def old_answers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield origin and answers that projects may have recorded: examples, earlier choices."""
        for name in sorted(self.version.files):
            if name.startswith(f"{OLD_ANSWERS}/"):
                yield name, yaml.safe_load(self.version.text(name))
        for version in self.earlier:
            for render in render_all_pairs(version):
                yield version.name, list_answers(render)


def match_paths(patterns: list[str], paths: set[str]) -> set[str]:
    """List the paths that any of the patterns matches."""
    return set(compile_patterns(tuple(patterns)).match_files(paths))


def render_all_pairs(version: Version) -> list[Render]:
    """Render every two choices that go together."""
    return [
        render for row in list_answer_pairs(version) for render in render_if_valid(version, row)
    ]


def render_if_valid(version: Version, row: Values) -> Iterator[Render]:
    """Yield a render, unless its answers exclude each other: then Copier would take a default."""
    render = version.render(row)
    if not any(answer.refused for answer in render.answers.values()):
        yield render


def list_answer_pairs(version: Version) -> Iterator[dict[str, Any]]:
    """List every choice of every two questions, the others with their defaults."""
    choices_by_question = {
        name: values
        for name, question in version.questions.data.items()
        if (values := list_choices(question))
    }
    yield {}
    if len(choices_by_question) == 1:
        yield from (
            {name: value} for name, values in choices_by_question.items() for value in values
        )
    for first, second in combinations(choices_by_question, 2):
        for pair in product(choices_by_question[first], choices_by_question[second]):
            yield dict(zip((first, second), pair, strict=True))


def list_answers(render: Render) -> dict[str, Any]:
    """List the answers that Copier would record."""
    return {name: answer.value for name, answer in render.answers.items() if not answer.hidden}


def build_exclusions(ownership: dict[str, list[str]]) -> list[str]:
    """Build Copier's _exclude, as the ownership of files asks for.

    The sample comes with a new project only. No seeded file is in the copy of the old version that
    an update compares with, the only one made with further exclusions: what is not in there is
    never removed. The same goes for what the template no longer has.
    """
    sample = ownership.get("sample", [])
    seeded = [path for path in ownership.get("seeded", []) if path not in sample]
    return [
        *(f"{{% if _copier_operation == 'update' %}}{path}{{% endif %}}" for path in sample),
        *(f"{{% if _copier_conf.exclude %}}{path}{{% endif %}}" for path in seeded),
        *ownership.get("dropped", []),
    ]


def write_working_tree(folder: Path) -> str:
    """Write the files of a repository into git, as they lie there. Returns the hash of the tree."""
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch, "index")
        git("add", "--all", cwd=folder, index=index)
        return git("write-tree", cwd=folder, index=index).strip()
