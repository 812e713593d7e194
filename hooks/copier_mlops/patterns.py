"""Patterns of paths as in .gitignore, compiled once: the same few meet thousands of paths."""

from functools import lru_cache
from typing import Any
from unicodedata import normalize

from pathspec import PathSpec


@lru_cache(maxsize=4096)
def compile_patterns(patterns: tuple[str, ...]) -> PathSpec[Any]:
    """Compile patterns, normalised as Copier does it."""
    return PathSpec.from_lines("gitignore", [normalize("NFD", text) for text in patterns])


@lru_cache(maxsize=100_000)
def matches(patterns: tuple[str, ...], path: str) -> bool:
    """Tell whether any of the patterns matches a path."""
    return compile_patterns(patterns).match_file(path)
