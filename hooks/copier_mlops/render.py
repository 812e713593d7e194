"""One version of a template, rendered in memory as Copier would render it on disk."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

import yaml
from copier._jinja_ext import SandboxedEnvironment
from copier._template import DEFAULT_EXCLUDE, DEFAULT_TEMPLATES_SUFFIX, filter_config
from copier._types import MISSING
from jinja2 import TemplateError

from .environment import copiers_environment, swift
from .errors import UserError
from .git import LINK, Objects, blob_hash
from .memo import Memo, names_in, names_of
from .patterns import matches
from .questions import Answer, Questions
from .sources import Exclusion, Source

CONFIG = ("copier.yml", "copier.yaml")
YIELD = re.compile(r"{%-?\s*yield\b")
ANSWERS = ".copier-answers.yml"
UNSUPPORTED = ("jinja_extensions", "tasks", "external_data", "secret_questions")
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Rendered:
    """A file as it must be; `source` names it in the template."""

    mode: str
    blob: str
    source: str


@dataclass(frozen=True)
class Render:
    """What a project consists of, by path, and the answers that it was made with.

    `absent` are paths of files that the answers leave out, and the questions that decided so,
    `conditions` the patterns by which they do; `withheld` are those that Copier is told to exclude
    whatever is answered.
    """

    files: dict[str, Rendered]
    absent: dict[str, tuple[str, ...]]
    withheld: frozenset[str]
    answers: dict[str, Answer]
    values: dict[str, Any]
    conditions: frozenset[str] = frozenset()


class Version:
    """A commit of a template. Raises UserError if it is none that can be rendered in memory."""

    def __init__(self, name: str, commit: str, objects: Objects) -> None:
        self.name = name
        self.commit = commit
        self.files = objects.files(commit)
        self._repository = objects.repository
        self._objects: Objects | None = objects
        self._texts: dict[str, str] = {}
        self._config, questions = filter_config(self._settings())
        self._suffix = self._config.get("templates_suffix", DEFAULT_TEMPLATES_SUFFIX)
        self._environment = self._make_environment()
        with self._saying("copier.yml"):
            self.questions = Questions(questions, self._environment)
        self._exclusions = self._make_exclusions()
        self.sources = list(self._make_sources(objects))
        texts = {part for source in self.sources for part in source.parts}
        self._parts = {text: self._part(text) for text in texts}
        self._objects = None  # it is closed soon

    def render(self, recorded: Values, operation: str = "copy") -> Render:
        """Raises UserError if Copier could not render it with these answers either."""
        with self._saying("copier.yml"):
            answers = self.questions.answer(recorded)
        values = {**recorded, **{name: answer.value for name, answer in answers.items()}}
        values = {name: value for name, value in values.items() if value is not MISSING}
        values |= {
            "_copier_conf": {"answers_file": PurePosixPath(ANSWERS), "exclude": ()},
            "_copier_operation": operation,
            "_copier_answers": remembered(recorded, answers),
        }
        with self._saying("copier.yml"):
            each = [(exclusion.patterns(values), exclusion.asked) for exclusion in self._exclusions]
            parts = {text: part(values) for text, part in self._parts.items()}
        patterns = tuple(chain.from_iterable(lines for lines, _ in each))
        files, absent, withheld = {}, {}, set()
        for source in self.sources:
            path = self._path(source, parts)
            if not path:
                continue
            if not matches(patterns, path):
                files[path] = Rendered(source.mode, self._hash(source, values), source.name)
                continue
            asked = next((asked for lines, asked in each if asked and matches(lines, path)), None)
            if asked:
                absent[path] = asked
            else:
                withheld.add(path)
        conditions = frozenset(line for lines, asked in each if asked for line in lines if line)
        return Render(files, absent, frozenset(withheld), answers, values, conditions)

    def content(self, source: str, values: Values, objects: Objects) -> bytes:
        """What a file of the template becomes. `objects` are those of the template."""
        if source in self._texts and source.endswith(self._suffix):
            with self._saying(source):
                return self._environment.get_template(source).render(values).encode()
        return objects.read(self.files[source].blob)[1]

    @property
    def conditional_exclusions(self) -> list[str]:
        """The entries of `_exclude` that depend on answers."""
        return [exclusion.text for exclusion in self._exclusions if exclusion.asked]

    def text(self, name: str) -> str:
        """A text of the template's repository."""
        if name not in self._texts:
            blob = self.files[name].blob
            if self._objects:
                self._texts[name] = self._objects.read(blob)[1].decode()
            else:
                with Objects(self._repository) as objects:
                    self._texts[name] = objects.read(blob)[1].decode()
        return self._texts[name]

    def _settings(self) -> dict[str, Any]:
        name = next((name for name in CONFIG if name in self.files), None)
        if name is None:
            raise UserError(f"{self.name} of the template has no copier.yml: it is no template.")
        try:
            found = yaml.safe_load(self.text(name))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            said = " ".join(str(error).split())
            raise UserError(
                f"{name} of the template's {self.name} cannot be read: {said}."
            ) from error
        if not isinstance(found, dict):
            raise UserError(f"{name} of the template's {self.name} holds no questions.")
        refused = [f"_{setting}" for setting in UNSUPPORTED if found.get(f"_{setting}")]
        if refused:
            raise UserError(
                f"{name} of the template's {self.name} uses {', '.join(refused)}, so what it "
                "renders is not known without running it; this check reads templates without."
            )
        return found

    def _make_environment(self) -> SandboxedEnvironment:
        def load(name: str) -> str | None:
            return self.text(name) if name in self.files else None

        return copiers_environment(self._config.get("envops", {}), load)

    def _make_exclusions(self) -> list[Exclusion]:
        root = self._config.get("subdirectory", "")
        texts = self._config.get("exclude", [] if root else DEFAULT_EXCLUDE)
        return [self._exclusion(text) for text in texts]

    def _exclusion(self, text: str) -> Exclusion:
        names = names_of(self._environment, text)
        asked = {question for name in names for question in self.questions.asked_for(name)}
        lines = Memo(names, lambda own: tuple(self._string(text, own).splitlines()))
        return Exclusion(text, lines, tuple(sorted(asked)))

    def _make_sources(self, objects: Objects) -> Iterator[Source]:
        root = PurePosixPath(self._config.get("subdirectory", ""))
        inside = [name for name in self.files if PurePosixPath(name).is_relative_to(root)]
        templates = [name for name in inside if name.endswith(self._suffix)]
        self._read_ahead(templates, objects)
        for name in inside:
            entry = self.files[name]
            if entry.mode == LINK:
                raise UserError(f"{name} of the template's {self.name} is a link: use a file.")
            if f"{name}{self._suffix}" in self.files:
                continue  # the template of that name comes instead
            path = PurePosixPath(name).relative_to(root)
            blob = self._memo(name) if name in templates else entry.blob
            parts = (path.with_suffix("") if name in templates else path).parts
            yield Source(name, entry.mode, parts, blob)

    def _read_ahead(self, names: list[str], objects: Objects) -> None:
        contents = objects.read_all(self.files[name].blob for name in names)
        for name, (_, content) in zip(names, contents, strict=True):
            self._texts[name] = content.decode()

    def _part(self, text: str) -> Memo[str]:
        with self._saying(text):
            if YIELD.search(text):
                raise UserError("one path for many files (yield) is not read here")
            return Memo(names_of(self._environment, text), lambda own: self._string(text, own))

    def _path(self, source: Source, parts: Mapping[str, str]) -> str:
        """Where it goes; "": nowhere."""
        rendered = [parts[part] for part in source.parts]
        path = "/".join(rendered) if all(rendered) else ""
        hidden = not source.is_template and f"{path}{self._suffix}" in self.files
        return "" if hidden else path

    def _memo(self, name: str) -> Memo[str]:
        with self._saying(name):
            template = swift(self._environment.get_template(name))
            names = names_in(self._environment, self._texts[name])
        return Memo(names, lambda own: blob_hash(template.render(own).encode()))

    def _hash(self, source: Source, values: Values) -> str:
        if isinstance(source.blob, str):
            return source.blob
        with self._saying(source.name):
            return source.blob(values)

    def _string(self, text: str, own: dict[str, Any]) -> str:
        return self._environment.from_string(text).render(own)

    @contextmanager
    def _saying(self, name: str) -> Iterator[None]:
        """Errors of Jinja and of questions say where they are."""
        try:
            yield
        except (TemplateError, UserError) as error:
            said = " ".join(str(error).split()).rstrip(".")
            raise UserError(
                f"{name} of the template's {self.name} does not render: {said}."
            ) from error


def remembered(recorded: Values, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """What Copier writes into its answers file."""
    own = {name: recorded[name] for name in ("_commit", "_src_path") if name in recorded}
    asked = {name: answer.value for name, answer in answers.items() if not answer.hidden}
    return own | asked
