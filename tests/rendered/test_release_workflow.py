"""release.yml of this repository, executed: what CHANGELOG.md names is released, once."""

import os
import shutil
from pathlib import Path

import pytest

from actions import Run, act
from support import ROOT, commit, git

pytestmark = pytest.mark.slow

GH = """\
#!/usr/bin/env bash
# In the place of GitHub's own: knows the releases that were made.
case "$1 $2" in
    "release view") [ -e "$GH_NOTES/$3" ] ;;
    "release create")
        tag=$3 && shift 3
        printf '%s\\n' "$tag" "$@" > "$GH_NOTES/$tag"
        while [ $# -gt 0 ]; do
            case $1 in --notes-file) cp "$2" "$GH_NOTES/text" ;; *.whl) cp "$1" "$GH_NOTES" ;; esac
            shift
        done ;;
esac
"""


class Releases:
    """A clone of this repository, and the releases that GitHub has of it."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.made = folder / "copier-mlops", folder / "releases"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, self.clone, symlinks=True, ignore=ignored)
        commit(self.clone)
        git(self.clone, "branch", "--move", "trunk")
        (folder / "bin").mkdir()
        (folder / "bin/gh").write_text(GH)
        (folder / "bin/gh").chmod(0o700)
        self.made.mkdir()
        self.path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])

    def push(self) -> Run:
        settings = {"PATH": self.path, "GH_NOTES": str(self.made)}
        return act(self.clone, "push", "release.yml", trunk="trunk", env=settings)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.clone / name).read_text(encoding="utf-8")
        assert old in text
        (self.clone / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        commit(self.clone)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path)


def test_a_version_is_released_once(releases: Releases) -> None:
    ran = releases.push()
    assert ran["release"].conclusion == "success", ran.log
    names = {path.name for path in releases.made.iterdir()}
    assert {"v0.1.0", "text"} < names
    assert any(name.startswith("copier_mlops-0.1.0-") for name in names)
    assert (releases.made / "text").read_text().lstrip().startswith("The first version.")
    assert "is attested on GitHub only" in ran.log
    again = releases.push()
    assert "v0.1.0 is released already" in again.log
    assert again["release"].steps.get("Tag and release it", "skipped") == "skipped"


def test_what_has_no_version_yet_is_not_released(releases: Releases) -> None:
    releases.edit("CHANGELOG.md", "## 0.1.0 (", "## Unreleased\n\n- Soon.\n\n## 0.1.0 (")
    ran = releases.push()
    assert ran["release"].conclusion == "success", ran.log
    assert "names no version: nothing is released" in ran.log
    assert not list(releases.made.iterdir())


def test_two_versions_that_differ_block(releases: Releases) -> None:
    releases.edit("CHANGELOG.md", "## 0.1.0 (", "## 0.2.0 (")
    ran = releases.push()
    assert ran["release"].conclusion == "failure"
    assert "CHANGELOG.md says 0.2.0: write the same version here" in ran.log
    assert not list(releases.made.iterdir())
