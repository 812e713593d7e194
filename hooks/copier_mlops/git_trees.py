"""Tree objects of git: what the folders of commits hold, read once for all repositories."""

import os

TreeItem = tuple[str, str, str]  # mode, name, hash


class TreeCache:
    """What tree objects hold, by their hash: mode, name and hash of each item.

    Equal hashes mean equal content, so one cache serves all repositories, and the folders that
    those of a fleet have in common are read once. It is emptied when it holds `most` of them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: dict[str, list[TreeItem]] = {}

    def get(self, tree: str) -> list[TreeItem] | None:
        """Return what a tree holds; None: it is not kept."""
        return self._items.get(tree)

    def add(self, tree: str, items: list[TreeItem]) -> None:
        """Keep what a tree holds."""
        if len(self._items) >= self._most:
            self._items.clear()
        self._items[tree] = items


ALL_TREES = TreeCache(most=100_000)


def parse_tree(content: bytes) -> list[TreeItem]:
    """Parse a tree object into mode, name and hash of what it holds."""
    items = []
    at = 0
    while at < len(content):
        blank = content.index(b" ", at)
        end = content.index(b"\0", blank)
        mode, name = content[at:blank].decode(), os.fsdecode(content[blank + 1 : end])
        items.append((mode, name, content[end + 1 : end + 21].hex()))
        at = end + 21
    return items
