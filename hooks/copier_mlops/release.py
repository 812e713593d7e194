"""Whether a version of this template may be released: what an update of it would do to projects."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from pathlib import Path
from typing import Any

import yaml

from .errors import UserError
from .findings import Finding
from .git import Objects, git
from .patterns import compiled
from .questions import choices
from .render import Render, Values, Version
from .template import OWNERSHIP, Template

CONFIG = "copier.yml"
CHANGELOG = "CHANGELOG.md"
OLD_ANSWERS = "tests/old_answers"
Rule = Callable[["Release"], Iterator[Finding]]


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
        return Template(self.folder)

    @cached_property
    def version(self) -> Version:
        """What is to be released, as if it were."""
        with Objects(self.folder) as objects:
            return Version("next release", working_tree(self.folder), objects)

    @cached_property
    def config(self) -> dict[str, Any]:
        return yaml.safe_load(self.text(CONFIG))

    @cached_property
    def ownership(self) -> dict[str, list[str]]:
        return yaml.safe_load(self.text(OWNERSHIP))

    def text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise UserError(f"{self.folder} has no {name}, as every template of ours.") from error

    @cached_property
    def earlier(self) -> list[Version]:
        """The releases that a project may come from, the oldest first."""
        tags = [tag for tag in self.template.releases if not self.is_this(tag)]
        if self.since and self.since not in tags:
            raise UserError(
                f"There is no release {self.since}: it has {', '.join(tags) or 'none'}."
            )
        start = tags.index(self.since) if self.since else 0
        return [self.template.version(tag) for tag in tags[start:]]

    def is_this(self, tag: str) -> bool:
        """Whether the files of a release are the very ones that are looked at."""
        return git("rev-parse", f"{tag}^{{tree}}", cwd=self.folder).strip() == self.version.commit

    @cached_property
    def renders(self) -> list[Render]:
        """For every pair of choices that two questions can have."""
        return renders_of(self.version)

    @cached_property
    def paths(self) -> set[str]:
        """Every path that any answers can bring."""
        return {path for render in self.renders for path in render.files}

    def owned(self, owner: str) -> set[str]:
        """The paths that the patterns of an owner name."""
        return matched(self.ownership.get(owner, []), self.paths)

    def content(self, render: Render, path: str) -> bytes:
        with Objects(self.folder) as objects:
            return self.version.content(render.files[path].source, render.values, objects)

    def old_answers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What projects may have recorded: kept examples, and what earlier releases offered."""
        for name in sorted(self.version.files):
            if name.startswith(f"{OLD_ANSWERS}/"):
                yield name, yaml.safe_load(self.version.text(name))
        for version in self.earlier:
            for render in renders_of(version):
                yield version.name, recorded(render)


def matched(patterns: list[str], paths: set[str]) -> set[str]:
    return set(compiled(tuple(patterns)).match_files(paths))


def renders_of(version: Version) -> list[Render]:
    """For every two choices that go together."""
    return [render for row in rows(version) for render in possible(version, row)]


def possible(version: Version, row: Values) -> Iterator[Render]:
    """Two answers may exclude each other: then Copier would take a default instead."""
    render = version.render(row)
    if not any(answer.refused for answer in render.answers.values()):
        yield render


def rows(version: Version) -> Iterator[dict[str, Any]]:
    """Every choice of every two questions, the others with their defaults."""
    offered = {
        name: values
        for name, question in version.questions.data.items()
        if (values := choices(question))
    }
    yield {}
    if len(offered) == 1:
        yield from ({name: value} for name, values in offered.items() for value in values)
    for first, second in combinations(offered, 2):
        for pair in product(offered[first], offered[second]):
            yield dict(zip((first, second), pair, strict=True))


def recorded(render: Render) -> dict[str, Any]:
    return {name: answer.value for name, answer in render.answers.items() if not answer.hidden}


def exclusions(ownership: dict[str, list[str]]) -> list[str]:
    """Copier's _exclude, as the ownership of files asks for.

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


def working_tree(folder: Path) -> str:
    """The files of a repository as they lie there, as a tree that git knows."""
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch, "index")
        git("add", "--all", cwd=folder, index=index)
        return git("write-tree", cwd=folder, index=index).strip()
