"""No update loses a line: random releases of a template that keeps our rules, on random work."""

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from copier import run_copy, run_update
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from plumbum import local

from copier_mlops.release_rules import check_release
from copier_mlops.update import update
from support import commit, files
from team import NO_UTF8, SEEDED, WORK, Team, Work, lines_of_the_team
from toy import LAWFUL, UNLAWFUL, Change, Platform

# Settings of a person's git under which Copier loses nothing either.
HARMLESS = [
    "",
    "[core]\n\tautocrlf = true\n\tsafecrlf = true",
    "[core]\n\tautocrlf = input\n\teol = crlf\n\tquotePath = false",
    "[status]\n\tshowUntrackedFiles = no",
    "[diff]\n\talgorithm = histogram\n\trenames = copies\n\tnoprefix = true\n\tcontext = 0",
    "[merge]\n\tconflictStyle = zdiff3\n[color]\n\tui = always",
    "[commit]\n\tgpgSign = true\n[diff]\n\texternal = false\n[core]\n\tpager = false",
    '[core]\n\tattributesFile = {}/ours\n[merge "ours"]\n\tdriver = true',
]
# Under these it drops edits, and exits with 0.
HOSTILE = [
    "[apply]\n\twhitespace = error",
    "[apply]\n\twhitespace = fix",
    "[core]\n\tattributesFile = {}/binary",
    "[core]\n\texcludesFile = {}/rejects",
]
Update = Callable[[Path], None]
Strategy = st.SearchStrategy[Any]
ATTRIBUTES = {"ours": "* merge=ours\n", "binary": "* -diff\n", "rejects": "*.rej\n"}


@dataclass(frozen=True)
class Round:
    """What the team did, and what the platform released meanwhile."""

    work: list[Work]
    release: list[Change]
    seed: int


def rounds(work: list[Work], changes: list[Change]) -> st.SearchStrategy[list[Round]]:
    one = st.builds(
        Round,
        st.lists(st.sampled_from(work), max_size=6) if work else st.just([]),
        st.lists(st.sampled_from(changes), min_size=1, max_size=5),
        st.integers(0, 2**32),
    )
    return st.lists(one, min_size=1, max_size=2)


def run_trials(number: int, part: int, trial: Callable[..., None], *given_: Strategy) -> None:
    """So many trials, of a part always the same ones; the first that fails is shown as it is."""
    few = settings(
        max_examples=number,
        derandomize=False,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=[Phase.generate],
    )
    few(seed(part)(given(*given_)(trial)))()


@contextmanager
def start_project() -> Iterator[tuple[Platform, Team]]:
    """A platform with a first release, and a team with a project made from it."""
    with tempfile.TemporaryDirectory() as scratch:
        platform, team = Platform(Path(scratch, "platform")), Team(Path(scratch, "project"))
        platform.home.mkdir()
        platform.release()
        run_copy(str(platform.home), team.home, defaults=True, quiet=True)
        commit(team.home)
        for name, text in ATTRIBUTES.items():
            Path(scratch, name).write_text(text)
        yield platform, team


@contextmanager
def git_set_to(text: str, folder: Path) -> Iterator[None]:
    """A person's own settings of git, for Copier and for us."""
    path = folder / "gitconfig"
    path.write_text(text.format(folder))
    before = os.environ["GIT_CONFIG_GLOBAL"]
    os.environ["GIT_CONFIG_GLOBAL"] = str(path)
    try:
        with local.env(GIT_CONFIG_GLOBAL=str(path), GIT_CONFIG_NOSYSTEM="1"):
            yield
    finally:
        os.environ["GIT_CONFIG_GLOBAL"] = before


def live(platform: Platform, team: Team, one: Round) -> None:
    """Work, and a release; the linter lets it pass, unless it is one that it must not."""
    chance = random.Random(one.seed)
    for work in one.work:
        work(team, chance)
    commit(team.home)
    for change in one.release:
        change(platform, chance)
    platform.release()
    if platform.lawful:
        assert check_release(platform.home, since=f"v{platform.releases - 1}.0.0") == []


def update_plainly(project: Path) -> None:
    run_update(project, defaults=True, overwrite=True, quiet=True)


def nothing_is_lost(work: list[Round], setting: str, how: Update) -> None:
    with start_project() as (platform, team):
        for one in work:
            live(platform, team, one)
            keeps_all(team, setting, how)
            commit(team.home)
        once = files(team.home)
        keeps_all(team, setting, how)
        if how is update_plainly:  # Copier does not read text that is no UTF-8 the same way twice
            assert files(team.home) == once


def keeps_all(team: Team, setting: str, how: Update) -> None:
    """An update after which each line is there, and each seeded file as it was."""
    before, seeded = lines_of_the_team(team.home), seeded_files(team.home)
    with git_set_to(setting, team.home.parent):
        how(team.home)
    assert not before - lines_of_the_team(team.home) - find_rejected(team.home, before)
    assert seeded_files(team.home).items() >= seeded.items()


def seeded_files(project: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(project).items() if name.startswith(SEEDED)}


def find_rejected(project: Path, lines: set[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Those that are in the reject beside their file; what is no text is there as a whole."""
    rejects = {name: text for name, text in files(project).items() if name.endswith(".rej")}
    return {
        (name, line)
        for name, line in lines
        if line in (reject := rejects.get(f"{name}.rej", b"")) or b"GIT binary patch" in reject
    }


def what_is_new_arrives(releases: list[Round]) -> None:
    with start_project() as (platform, team):
        for one in releases:
            live(platform, team, one)
            update_plainly(team.home)
            commit(team.home)
        fresh = team.home.with_name("fresh")
        run_copy(str(platform.home), fresh, defaults=True, quiet=True)
        left = {path.lstrip("/").replace("*", "flights") for path in platform.dropped}
        updated, new = files(team.home), files(fresh)
        assert set(updated) - set(new) <= left
        assert {name: updated[name] for name in new} == new


def update_guarded(project: Path) -> None:
    """With our own command, which saves what Copier would drop."""
    update(project, ["--defaults", "--quiet"])


LIVES = rounds(WORK, LAWFUL)
ROUGH_LIVES = rounds([*WORK, *NO_UTF8], [*LAWFUL, *UNLAWFUL])
PARTS = [0, *(pytest.param(part, marks=pytest.mark.deep) for part in range(1, 43))]


@pytest.mark.parametrize("part", PARTS)
def test_an_update_loses_no_line(part: int) -> None:
    run_trials(12, part, nothing_is_lost, LIVES, st.sampled_from(HARMLESS), st.just(update_plainly))


@pytest.mark.parametrize("part", PARTS)
def test_our_command_loses_no_line_whatever_git_is_set_to(part: int) -> None:
    settings_ = st.sampled_from(HARMLESS + HOSTILE)
    run_trials(5, part, nothing_is_lost, ROUGH_LIVES, settings_, st.just(update_guarded))


@pytest.mark.parametrize("part", PARTS)
def test_an_untouched_project_becomes_a_fresh_one(part: int) -> None:
    run_trials(3, part, what_is_new_arrives, rounds([], LAWFUL))
