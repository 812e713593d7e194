"""What a template is made of: files that become files, and what leaves some of them out."""

from dataclasses import dataclass

from .memo import Memo


@dataclass(frozen=True)
class Source:
    """A file of the template: the parts of the path it goes to, and the hash of what it becomes.

    A part that renders to nothing means that the file is not there.
    """

    name: str
    mode: str
    parts: tuple[str, ...]
    blob: Memo[str] | str

    @property
    def is_template(self) -> bool:
        """Whether its content depends on answers."""
        return isinstance(self.blob, Memo)


@dataclass(frozen=True)
class Exclusion:
    """An entry of `_exclude`: its patterns, and the questions whose answers decide about them."""

    text: str
    patterns: Memo[tuple[str, ...]]
    asked: tuple[str, ...]
