"""What somebody may have meant who wrote a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """Find a path that ends in the word, else the name most like it; None: there is none."""
    names = sorted(known)
    inside = [name for name in names if name.endswith(f"/{word}")]
    return next(iter(inside or get_close_matches(word, names, n=1)), None)
