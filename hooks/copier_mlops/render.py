"""One version of a template, rendered in memory as Copier would render it on disk."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

import yaml
from jinja2 import TemplateError

from .copier_internals import (
    DEFAULT_EXCLUDE,
    DEFAULT_TEMPLATES_SUFFIX,
    MISSING,
    SandboxedEnvironment,
    filter_config,
)
from .errors import UserError, fold_lines
from .git import LINK, Objects, hash_blob
from .git_place import ANSWERS
from .jinja_environment import flatten_globals, make_environment
from .memo import Memo, find_names, find_setting_names
from .patterns import matches
from .questions import Answer, Questions
from .sources import Exclusion, Source

CONFIG = ("copier.yml", "copier.yaml")
YIELD = re.compile(r"{%-?\s*yield\b")
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
        self._texts: dict[str, str] = {}
        self._config, questions = filter_config(self._read_settings(objects))
        self._suffix = self._config.get("templates_suffix", DEFAULT_TEMPLATES_SUFFIX)
        self._environment = self._make_environment()
        with self._locate_errors("copier.yml"):
            self.questions = Questions(questions, self._environment)
        self._exclusions = self._make_exclusions()
        self.sources = list(self._make_sources(objects))
        texts = {part for source in self.sources for part in source.parts}
        self._parts = {text: self._memoize_part(text) for text in texts}

    def render(self, recorded: Values, operation: str = "copy") -> Render:
        """Render a project in memory, with `recorded` answers where they are valid.

        `operation` is copy or update. Raises UserError if Copier could not render it either.
        """
        with self._locate_errors("copier.yml"):
            answers = self.questions.answer(recorded)
        values = {**recorded, **{name: answer.value for name, answer in answers.items()}}
        values = {name: value for name, value in values.items() if value is not MISSING}
        values |= {
            "_copier_conf": {"answers_file": PurePosixPath(ANSWERS), "exclude": ()},
            "_copier_operation": operation,
            "_copier_answers": list_remembered_answers(recorded, answers),
        }
        with self._locate_errors("copier.yml"):
            exclusions = [
                (exclusion.patterns(values), exclusion.asked) for exclusion in self._exclusions
            ]
            parts = {text: part(values) for text, part in self._parts.items()}
        patterns = tuple(chain.from_iterable(lines for lines, _ in exclusions))
        files, absent, withheld = {}, {}, set()
        for source in self.sources:
            path = self._join_path(source, parts)
            if not path:
                continue
            if not matches(patterns, path):
                files[path] = Rendered(source.mode, self._compute_hash(source, values), source.name)
                continue
            asked = next(
                (asked for lines, asked in exclusions if asked and matches(lines, path)), None
            )
            if asked:
                absent[path] = asked
            else:
                withheld.add(path)
        conditions = frozenset(
            line for lines, asked in exclusions if asked for line in lines if line
        )
        return Render(files, absent, frozenset(withheld), answers, values, conditions)

    def content(self, source: str, values: Values, objects: Objects) -> bytes:
        """Render a file of the template, whose `objects` are open. Raises UserError if it fails."""
        if source in self._texts and source.endswith(self._suffix):
            with self._locate_errors(source):
                return self._environment.get_template(source).render(values).encode()
        return objects.read(self.files[source].blob)[1]

    @property
    def conditional_exclusions(self) -> list[str]:
        """The entries of `_exclude`, as they are written, that depend on answers."""
        return [exclusion.text for exclusion in self._exclusions if exclusion.asked]

    def text(self, name: str) -> str:
        """Read a text of the template's repository. Raises KeyError if there is no such file."""
        if name not in self._texts:
            with Objects(self._repository) as objects:
                self._read_texts([name], objects)
        return self._texts[name]

    def _read_settings(self, objects: Objects) -> dict[str, Any]:
        name = next((name for name in CONFIG if name in self.files), None)
        if name is None:
            raise UserError(f"{self.name} of the template has no copier.yml: it is no template.")
        try:
            self._read_texts([name], objects)
            settings = yaml.safe_load(self._texts[name])
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            reason = fold_lines(error)
            raise UserError(
                f"{name} of the template's {self.name} cannot be read: {reason}."
            ) from error
        if not isinstance(settings, dict):
            raise UserError(f"{name} of the template's {self.name} holds no questions.")
        refused = [f"_{setting}" for setting in UNSUPPORTED if settings.get(f"_{setting}")]
        if refused:
            raise UserError(
                f"{name} of the template's {self.name} uses {', '.join(refused)}, so what it "
                "renders is not known without running it; this check reads templates without."
            )
        return settings

    def _make_environment(self) -> SandboxedEnvironment:
        def load(name: str) -> str | None:
            return self.text(name) if name in self.files else None

        return make_environment(self._config.get("envops", {}), load)

    def _make_exclusions(self) -> list[Exclusion]:
        root = self._config.get("subdirectory", "")
        texts = self._config.get("exclude", [] if root else DEFAULT_EXCLUDE)
        return [self._make_exclusion(text) for text in texts]

    def _make_exclusion(self, text: str) -> Exclusion:
        names = find_setting_names(self._environment, text)
        asked = {
            question for name in names for question in self.questions.list_deciding_questions(name)
        }
        lines = Memo(names, lambda own: tuple(self._render_text(text, own).splitlines()))
        return Exclusion(text, lines, tuple(sorted(asked)))

    def _make_sources(self, objects: Objects) -> Iterator[Source]:
        root = PurePosixPath(self._config.get("subdirectory", ""))
        inside = [name for name in self.files if PurePosixPath(name).is_relative_to(root)]
        templates = [name for name in inside if name.endswith(self._suffix)]
        self._read_texts(templates, objects)
        for name in inside:
            entry = self.files[name]
            if entry.mode == LINK:
                raise UserError(f"{name} of the template's {self.name} is a link: use a file.")
            if f"{name}{self._suffix}" in self.files:
                continue  # the template of that name comes instead
            path = PurePosixPath(name).relative_to(root)
            blob = self._memoize_hash(name) if name in templates else entry.blob
            parts = (path.with_suffix("") if name in templates else path).parts
            yield Source(name, entry.mode, parts, blob)

    def _read_texts(self, names: list[str], objects: Objects) -> None:
        contents = objects.read_all(self.files[name].blob for name in names)
        for name, (_, content) in zip(names, contents, strict=True):
            self._texts[name] = content.decode()

    def _memoize_part(self, text: str) -> Memo[str]:
        with self._locate_errors(text):
            if YIELD.search(text):
                raise UserError("one path for many files (yield) is not read here")
            return Memo(
                find_setting_names(self._environment, text),
                lambda own: self._render_text(text, own),
            )

    def _join_path(self, source: Source, parts: Mapping[str, str]) -> str:
        """Join the path that a file goes to; "": it is left out."""
        rendered = [parts[part] for part in source.parts]
        path = "/".join(rendered) if all(rendered) else ""
        hidden = not source.is_template and f"{path}{self._suffix}" in self.files
        return "" if hidden else path

    def _memoize_hash(self, name: str) -> Memo[str]:
        with self._locate_errors(name):
            template = flatten_globals(self._environment.get_template(name))
            names = find_names(self._environment, self._texts[name])
        return Memo(names, lambda own: hash_blob(template.render(own).encode()))

    def _compute_hash(self, source: Source, values: Values) -> str:
        if isinstance(source.blob, str):
            return source.blob
        with self._locate_errors(source.name):
            return source.blob(values)

    def _render_text(self, text: str, own_values: dict[str, Any]) -> str:
        return self._environment.from_string(text).render(own_values)

    @contextmanager
    def _locate_errors(self, name: str) -> Iterator[None]:
        """Raise errors of Jinja and of questions as UserError that says where they are."""
        try:
            yield
        except (TemplateError, UserError) as error:
            reason = fold_lines(error).rstrip(".")
            raise UserError(
                f"{name} of the template's {self.name} does not render: {reason}."
            ) from error


def list_remembered_answers(recorded: Values, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """List what Copier writes into its answers file."""
    own = {name: recorded[name] for name in ("_commit", "_src_path") if name in recorded}
    asked = {name: answer.value for name, answer in answers.items() if not answer.hidden}
    return own | asked
