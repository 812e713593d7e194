"""What the standards keep in memory is bounded, and what is let go is read again."""

from pathlib import Path

import pytest

from copier_mlops import memo
from copier_mlops.git import Objects, hash_blob
from copier_mlops.git_trees import TreeCache
from copier_mlops.memo import Memo
from copier_mlops.safe_yaml import YAML_ERRORS, parse_yaml, parse_yaml_nodes
from support import commit

FOLDERS = ["a/b/c", "a/d", "e/b/c", "f"]


def test_a_full_cache_of_trees_loses_no_file(tmp_path: Path) -> None:
    """Folders of one level may be read before and after it was emptied."""
    for number, folder in enumerate(FOLDERS):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "name").write_text(f"{number}\n")
    commit(tmp_path)
    trees = TreeCache(most=3)
    for _ in range(2):
        with Objects(tmp_path, trees) as objects:
            files = objects.files("HEAD")
        assert {path: entry.blob for path, entry in files.items()} == {
            f"{folder}/name": hash_blob(f"{number}\n".encode())
            for number, folder in enumerate(FOLDERS)
        }


def test_a_memo_computes_once_for_the_values_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "MOST_KEPT", 2)
    computed: list[dict[str, int]] = []

    def add(values: dict[str, int]) -> int:
        computed.append(values)
        return sum(values.values())

    total = Memo(["b", "a"], add)
    assert [total({"a": 1, "b": 2, "c": other}) for other in range(3)] == [3, 3, 3]
    assert computed == [{"a": 1, "b": 2}]
    assert [total({"a": number}) for number in (1, 2, 1)] == [1, 2, 1]
    assert len(computed) == 4


def test_yaml_gives_plain_values_and_lines_and_runs_nothing() -> None:
    content = b"a: 1\nb:\n  c: 2026-01-31\n"
    assert list(parse_yaml(content)) == ["a", "b"]
    node = parse_yaml_nodes(content)
    assert node is not None
    assert node.end_mark.line == 3
    for text in (b"a: [", b"\xff\xfe\x00", b"a: !!python/object/apply:os.getcwd []"):
        with pytest.raises(YAML_ERRORS):
            parse_yaml(text)
