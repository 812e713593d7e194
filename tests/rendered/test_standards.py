"""copier-mlops check: what is in order raises no alarm, and versions are compared."""

import shutil
from pathlib import Path

import pytest
from copier import run_copy, run_update

from answers import PAIRWISE
from copier_mlops.check import check
from copier_mlops.policy import Policy
from copier_mlops.render import ANSWERS
from copier_mlops.restore import restore
from copier_mlops.template import Templates
from standards import (
    Damage,
    append,
    get_only_finding,
    list_findings,
    replace,
    template_of_its_own,
    write,
)
from support import VERSION, Render, commit, git
from test_render import name_of


@pytest.mark.parametrize("answers", PAIRWISE, ids=name_of)
def test_a_fresh_project_keeps_all_standards(
    render: Render, templates: Templates, tmp_path: Path, answers: dict
) -> None:
    shutil.copytree(render(answers), tmp_path / "project")
    project = commit(tmp_path / "project")
    git(project, "clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    for place, at in ((project, "HEAD"), (project, None), (tmp_path / "bare.git", "HEAD")):
        report = check(place, templates, at=at)
        assert list_findings(report) == []
        assert (report.version, report.newest, report.behind) == (VERSION, VERSION, 0)


def test_a_teams_everyday_work_raises_no_alarm(project: Path, templates: Templates) -> None:
    """Its own code, tests, data, notes and settings, lines of its own in shared files."""
    append(project / "README.md", "\n# Ours\n\n=======\n\nA line of seven equals signs.\n")
    append(project / ".gitignore", "notes/\n")
    append(project / "src/flights/features.py", "\nOURS = 1\n")
    write(
        project / "src/flights/ours.py",
        "import joblib\nimport pickle\n\nprint(pickle.DEFAULT_PROTOCOL)\n",
    )
    write(project / "tests/test_ours.py", "def test_ours() -> None:\n    assert True\n")
    write(project / "data/raw/0002-more.bin", b"\x80\x04 no pickle")
    write(
        project / ".github/workflows/ours.yml",
        f"- uses: acme/action@{'a' * 40} # v1.2.3\n- uses: ./here\n",
    )
    write(project / "fake.py", f"KEY = 'AKIA{'Q' * 16}'  # pragma: allowlist secret\n")
    write(project / "compose.env.example", "URL=postgresql://user:password@localhost/db\n")
    write(project / "datei-ü und blank.txt", "ü\n")
    replace(project / "params.yaml", "max_slice_gap: 0.1 ", "max_slice_gap: 0.2 ")
    replace(project / "problem.yaml", "months: 24", "months: 12")
    for at in (None, "HEAD"):
        assert list_findings(check(commit(project), templates, at=at)) == []


def test_after_an_update_there_is_no_alarm(project: Path, template: Path) -> None:
    """Neither before it, but for being behind, nor after: seeded samples are not missed."""
    platform = template_of_its_own(project, template)
    write(platform / "template/.dvcignore", "# News\n")
    write(platform / "template/tests/news.txt", "News\n")
    commit(platform, tag="v0.2.0")
    before = check(project, Templates())
    assert (before.behind, before.newest) == (1, "v0.2.0")
    assert get_only_finding(before).rule == "version.behind"
    assert "one release behind v0.2.0: run uvx copier update" in get_only_finding(before).message
    assert not before.failed
    run_update(project, defaults=True, overwrite=True, quiet=True)
    after = check(commit(project), Templates())
    assert (list_findings(after), after.behind, after.version) == ([], 0, "v0.2.0")


def test_an_answer_the_newest_release_refuses_is_told_before_the_update(
    project: Path, template: Path
) -> None:
    """Copier would silently put the default in its place."""
    replace(project / ANSWERS, "licence: Proprietary", "licence: MIT")
    stands_in = ["deploy/Dockerfile", "LICENSE", "pyproject.toml"]
    assert list(restore(project, stands_in, Templates())) == stands_in
    platform = template_of_its_own(project, template)
    replace(platform / "copier.yml", "[MIT, Apache-2.0, BSD", "[Apache-2.0, BSD")
    commit(platform, tag="v1.0.0")
    report = check(project, Templates())
    assert list_findings(report) == [("answers.invalid", ANSWERS), ("version.behind", ANSWERS)]
    message = report.findings[0].message
    assert 'licence "MIT" is no longer valid in v1.0.0' in message
    assert 'an update would silently make it "Proprietary"' in message
    assert "update with --data licence=VALUE" in message


def test_a_policy_limits_how_far_one_may_lag(project: Path, template: Path) -> None:
    platform = template_of_its_own(project, template)
    for number in (1, 2, 10):
        commit(platform, tag=f"v1.{number}.0")
    git(platform, "tag", "v2.0.0rc1")
    git(platform, "tag", "nightly")
    allowed = check(project, Templates(), Policy(template={"max_behind": 3}))
    assert (allowed.behind, allowed.newest, allowed.failed) == (3, "v1.10.0", False)
    assert get_only_finding(allowed).rule == "version.behind"
    report = check(project, Templates(), Policy(template={"max_behind": 2}))
    assert report.failed
    assert get_only_finding(report).rule == "version.old"
    assert "3 releases behind v1.10.0, and the policy allows 2" in get_only_finding(report).message


def test_a_project_between_two_releases_is_compared_with_its_commit(
    template: Path, tmp_path: Path
) -> None:
    platform = tmp_path / "platform"
    shutil.copytree(template, platform)
    write(platform / "template/.dvcignore", "# Not released\n")
    commit(platform)
    run_copy(str(platform), tmp_path / "p", vcs_ref="HEAD", defaults=True, quiet=True)
    project = commit(tmp_path / "p")
    commit(platform, tag="v0.2.0")
    report = check(project, Templates())
    assert str(report.version).startswith(f"{VERSION}-1-g")
    assert (list_findings(report), report.behind) == ([("version.behind", ANSWERS)], 1)


BROKEN: dict[str, tuple[Damage, str]] = {
    "is not there": (shutil.rmtree, "There is no folder"),
    "is no repository": (lambda p: shutil.rmtree(p / ".git"), "is no git repository"),
    "has no commit": (
        lambda p: (shutil.rmtree(p / ".git"), git(p, "init", "--quiet")),
        "has no commit yet",
    ),
    "has no head": (lambda p: (p / ".git/HEAD").write_text("x"), "cannot be read: "),
    "lost its objects": (lambda p: shutil.rmtree(p / ".git/objects"), "cannot be read: "),
    "lost a folder": (lambda p: lose(p, "HEAD:src"), "is damaged: git misses object"),
    "lost a file": (lambda p: lose(p, "HEAD:problem.yaml"), "is damaged: git misses object"),
}


def lose(project: Path, name: str) -> None:
    """Take an object out of a repository that packs none."""
    append(project / "problem.yaml", "# ours\n")
    write(project / "src/ours.py", "")
    commit(project)
    lost = git(project, "rev-parse", name).strip()
    path = project / ".git/objects" / lost[:2] / lost[2:]
    path.chmod(0o600)
    path.unlink()


@pytest.mark.parametrize(("damage", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_repository_is_reported(
    project: Path, templates: Templates, damage: Damage, says: str
) -> None:
    damage(project)
    report = check(project, templates)
    assert says in str(report.broken)
    assert "\n" not in str(report.broken)
    assert report.failed


def test_a_repository_inside_of_another_is_not_taken_for_it(
    project: Path, templates: Templates
) -> None:
    report = check(project / "src", templates)
    assert "is no git repository" in str(report.broken)


def test_without_the_template_the_rest_is_still_checked(project: Path, tmp_path: Path) -> None:
    """As on a code host, when the template was copied from a folder of somebody's machine."""
    replace(project / ANSWERS, "_src_path: ", "_src_path: /home/jo/copier-mlops #")
    write(project / "key", "-----BEGIN PRIVATE KEY-----\n")
    report = check(project, Templates(cache=tmp_path), at=None)
    assert list_findings(report) == [("template.unreachable", ANSWERS), ("secret.found", "key")]
    assert "/home/jo/copier-mlops is no repository that this machine has: pass --template" in (
        report.findings[0].message
    )


def test_a_template_that_would_run_code_is_refused(project: Path, template: Path) -> None:
    platform = template_of_its_own(project, template)
    append(platform / "copier.yml", "\n_tasks: [touch ran]\n")
    git(platform, "tag", "--delete", VERSION)
    commit(platform, tag=VERSION)
    report = check(project, Templates())
    assert "copier.yml of the template's v0.1.0 uses _tasks" in str(report.broken)


def test_a_template_is_fetched_once_and_kept_up_to_date(template: Path, tmp_path: Path) -> None:
    platform = tmp_path / "platform.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(template), str(platform))
    address = f"file://{platform}"
    first = Templates(cache=tmp_path / "cache").get(address)
    assert (first.folder.parent, first.releases) == (tmp_path / "cache", [VERSION])
    git(platform, "tag", "v0.2.0", VERSION)
    assert Templates(cache=tmp_path / "cache").get(address).releases == [VERSION, "v0.2.0"]
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 1
