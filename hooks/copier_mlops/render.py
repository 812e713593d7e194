"""One version of a template, rendered in memory as Copier would render it on disk."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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

CONFIG = ("copier.yml", "copier.yaml")
CONDITION = re.compile(r"{%-?\s*if\s+(.*?)\s*-?%}(?P<name>.*?){%-?\s*endif\s*-?%}")
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
class Source:
    """A file of the template: the parts of the path it goes to, and the hash of what it becomes.

    A part that renders to nothing means that the file is not there. `anyway` are the parts without
    conditions, and `asked` the questions that decide about those.
    """

    name: str
    mode: str
    parts: tuple[str, ...]
    anyway: tuple[str, ...]
    asked: tuple[str, ...]
    blob: Memo[str] | str

    @property
    def is_template(self) -> bool:
        return isinstance(self.blob, Memo)


@dataclass(frozen=True)
class Render:
    """What a project consists of, by path, and the answers that it was made with.

    `absent` are paths of files that the answers leave out, and the questions that decided so;
    `withheld` those that Copier is told to exclude.
    """

    files: dict[str, Rendered]
    absent: dict[str, tuple[str, ...]]
    withheld: frozenset[str]
    answers: dict[str, Answer]
    values: dict[str, Any]


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
        self._patterns = self._make_patterns()
        self.sources = list(self._make_sources(objects))
        texts = {part for source in self.sources for part in source.parts + source.anyway}
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
            patterns = self._patterns(values)
            parts = {text: part(values) for text, part in self._parts.items()}
        files, absent, withheld = {}, {}, set()
        for source in self.sources:
            path = self._path(source, parts)
            if not path:
                absent["/".join(parts[part] for part in source.anyway)] = source.asked
            elif matches(patterns, path):
                withheld.add(path)
            else:
                files[path] = Rendered(source.mode, self._hash(source, values), source.name)
        absent = {path: asked for path, asked in absent.items() if path not in files}
        return Render(files, absent, frozenset(withheld), answers, values)

    def content(self, source: str, values: Values, objects: Objects) -> bytes:
        """What a file of the template becomes. `objects` are those of the template."""
        if source in self._texts and source.endswith(self._suffix):
            with self._saying(source):
                return self._environment.get_template(source).render(values).encode()
        return objects.read(self.files[source].blob)[1]

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

    def _make_patterns(self) -> Memo[tuple[str, ...]]:
        root = self._config.get("subdirectory", "")
        texts = self._config.get("exclude", [] if root else DEFAULT_EXCLUDE)
        return Memo(
            names_of(self._environment, list(texts)),
            lambda own: tuple(
                line for text in texts for line in self._string(text, own).splitlines()
            ),
        )

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
            anyway = tuple(CONDITION.sub(r"\g<name>", part) for part in parts)
            yield Source(name, entry.mode, parts, anyway, self._asked(parts), blob)

    def _asked(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """The questions that decide whether a file of these parts is there."""
        tests = [test for part in parts for test, _ in CONDITION.findall(part)]
        names = names_of(self._environment, [f"{{{{ {test} }}}}" for test in tests])
        asked = (name for test in names for name in self.questions.asked_for(test))
        return tuple(sorted(set(asked)))

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
