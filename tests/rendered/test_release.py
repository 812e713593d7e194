"""The linter of a release: this template passes, and every rule stops what breaks it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from copier_mlops.release_rules import check_release
from support import git, run
from toy import Platform

Break = Callable[[Platform], None]


def test_this_template_may_be_released(template: Path) -> None:
    assert check_release(template) == []


@pytest.fixture
def platform(machine: None, tmp_path: Path) -> Platform:
    """A small template with one release, and nothing wrong."""
    platform = Platform(tmp_path / "platform")
    platform.home.mkdir()
    platform.release()
    assert check_release(platform.home) == []
    platform.write("", {OLD: b"owner: '@acme/team'\n", "news.md": b"Of the next release.\n"})
    return platform


def config(change: Callable[[dict], object]) -> Break:
    """Change copier.yml as a person would."""

    def apply(platform: Platform) -> None:
        path = platform.home / "copier.yml"
        settings = yaml.safe_load(path.read_text())
        change(settings)
        path.write_text(yaml.safe_dump(settings, sort_keys=False))

    return apply


def replace(name: str, old: str, new: str) -> Break:
    def apply(platform: Platform) -> None:
        path = platform.home / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return apply


def write(name: str, content: bytes) -> Break:
    return lambda platform: platform.write("template", {name: content})


def remove(name: str) -> Break:
    return lambda platform: (platform.home / name).unlink()


BLOCK = "".join(f"{word}\n" for word in "abcdef").encode()
STAGES = "template/src/{{ package }}/stages.py"
OWNERS = "hooks/ownership.yml"
IGNORE = "template/.gitignore.jinja"
OLD = "tests/old_answers/1.0.0.yml"


def narrow(settings: dict) -> None:
    """A validator that refuses what was the default."""
    only = "{% if owner != '@us' %}No, for example: @us{% endif %}"
    settings["owner"].update(default="@us", validator=only)


def ask(settings: dict) -> None:
    settings["team"] = settings["owner"] | {
        "validator": "{% if not team %}for example: us{% endif %}"
    }


OWNED = "release.ownership"
# Each rule, what breaks it, and what is said.
BROKEN: list[tuple[str, Break, str]] = [
    (
        "release.keys",
        config(lambda c: c["owner"].update(hlep="?")),
        "question owner has a field hlep",
    ),
    ("release.keys", config(lambda c: c.update(_exlude=[])), "Copier has no setting _exlude"),
    (
        "release.keys",
        replace("copier.yml", "owner:\n", "owner: {}\nowner:\n"),
        "owner is there twice",
    ),
    ("release.trust", config(lambda c: c.update(_tasks=["ls"])), "_tasks runs code"),
    ("release.trust", config(lambda c: c.update(_migrations=["ls"])), "_migrations runs code"),
    ("release.default", config(lambda c: c["owner"].pop("default")), "owner has no default"),
    ("release.help", config(lambda c: c["owner"].update(help="owner")), "owner has no help"),
    ("release.example", config(lambda c: c["owner"].pop("validator")), "owner refuses without"),
    (OWNED, write("odd.txt", b"odd\n"), "nobody owns odd.txt: name it as"),
    (OWNED, replace(OWNERS, "shared:\n", "shared:\n- /src/*/stages.py\n"), "has another owner too"),
    (OWNED, replace(OWNERS, "managed:\n", "managed:\n- /no.py\n"), "managed /no.py names no file"),
    (OWNED, remove(STAGES), "src/flights/stages.py of v1.0.0 is gone, and an update would"),
    (OWNED, write("docs/runbook.md", b"\x89PNG\0\n"), "docs/runbook.md is binary, and no update"),
    (OWNED, write("README.md.jinja", BLOCK * 2), "README.md has the 6 lines from 'a' on 2 times"),
    (OWNED, replace(IGNORE, "/local/", "/docs/"), "docs/runbook.md is ignored by .gitignore"),
    ("release.settings", replace(OWNERS, "dropped: []", "dropped: [/a]"), "_exclude lacks '/a'"),
    ("release.settings", config(lambda c: c["_exclude"].append("/a")), "_exclude has '/a'"),
    (
        "release.settings",
        config(lambda c: c["_skip_if_exists"].pop()),
        "_skip_if_exists lacks '/src/",
    ),
    ("release.tightened", config(narrow), "owner refuses '@acme/team', an answer of tests/old_"),
    ("release.old-answers", remove(OLD), "keep there what projects of v1.0.0 may have answered"),
    ("release.changelog", remove("CHANGELOG.md"), "there is no entry: start one"),
    ("release.changelog", replace("CHANGELOG.md", "**By hand**", ""), "does not say **By hand**"),
    ("release.changelog", config(ask), "team is new, and **Answers** does not name `team`"),
]


def test_a_file_that_would_never_come_is_found(platform: Platform) -> None:
    """It was dropped once, and has come back."""
    replace(OWNERS, "dropped: []", "dropped: [/docs/runbook.md]")(platform)
    config(lambda c: c["_exclude"].append("/docs/runbook.md"))(platform)
    messages = [finding.message for finding in check_release(platform.home)]
    assert "docs/runbook.md is dropped and would never come: take it out of dropped." in messages


def test_what_is_dropped_is_left_to_the_team_and_told(platform: Platform) -> None:
    platform.drop("docs/runbook.md")
    platform.release()
    assert check_release(platform.home) == []
    git(platform.home, "tag", "--delete", "v2.0.0")
    replace("CHANGELOG.md", "docs/runbook.md", "it")(platform)
    (finding,) = check_release(platform.home)
    assert "/docs/runbook.md is dropped, and **By hand** does not say" in finding.message


def test_the_command_says_where_and_fails(platform: Platform) -> None:
    config(lambda c: c["owner"].pop("default"))(platform)
    done = run("copier-mlops", "release", platform.home, cwd=platform.home, check=False)
    assert done.returncode == 1
    assert re.match(r"copier.yml:\d+: question owner has no default", done.stdout)


def test_answers_that_are_missing_are_named_once_with_how_to_make_them(platform: Platform) -> None:
    remove(OLD)(platform)
    done = run("copier-mlops", "release", platform.home, cwd=platform.home, check=False)
    assert done.stdout.startswith(f"{OLD}: it is missing: keep there what projects of v1.0.0")
    assert done.stdout.count(OLD) == 1
    made = platform.home.parent / "made"
    (command,) = re.findall(r"uvx (copier copy .+) FOLDER writes", done.stdout)
    run(*command.split(), made, "--defaults", cwd=platform.home)
    shutil.copy(made / ".copier-answers.yml", platform.home / OLD)
    assert check_release(platform.home) == []


def test_a_release_that_is_not_there_is_one_sentence(platform: Platform) -> None:
    done = run("copier-mlops", "release", "--since", "v9", cwd=platform.home, check=False)
    assert (done.returncode, done.stdout) == (
        2,
        "copier-mlops: There is no release v9: it has v1.0.0.\n",
    )


@pytest.mark.parametrize(("rule", "broken", "says"), BROKEN)
def test_a_release_that_breaks_a_rule_is_stopped(
    platform: Platform, rule: str, broken: Break, says: str
) -> None:
    broken(platform)
    findings = check_release(platform.home)
    assert [f for f in findings if f.rule == rule and says in f.message], findings
    assert all(re.fullmatch(r"[^\n]+\.", finding.message) for finding in findings)
