"""docs/adopting.md, each command of it: an old repository takes the template in."""

from pathlib import Path

import pytest

from support import ROOT, commit, files, git, run
from test_readme import blocks, shell

OLD = {
    "README.md": "# Flights of old\n\nCall Jo when it breaks.\n",
    "pyproject.toml": '[project]\nname = "flights"\nversion = "7"\n',
    "src/flights/rules.py": "LATE = 15\n",
    "train.pkl.py": "MODEL = 'by hand'\n",
    "model.pkl": "A pickle of old\n",
}
RENDER, MERGE, CONCLUDE, CHECK, FORK = blocks(ROOT / "docs" / "adopting.md")


def write_commands(block: str, address: Path) -> str:
    """As a person would type it, with the programs that these tests have."""
    text = block.replace("uvx --from git+ADDRESS copier-mlops", "copier-mlops")
    text = text.replace("uvx copier copy", "copier copy --defaults")
    text = text.replace("uv run mlops setup", "uv lock --quiet")  # which it begins with
    return text.replace("uvx copier", "copier").replace("ADDRESS", str(address))


@pytest.fixture(scope="module")
def adopted(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An old repository, in the middle of the merge."""
    old = tmp_path_factory.mktemp("adopting") / "old"
    for name, text in OLD.items():
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).write_text(text)
    commit(old, "Years of work")
    shell(write_commands(RENDER, template), old)
    merged = run("sh", "-ec", write_commands(MERGE, template), cwd=old, check=False)
    assert merged.returncode != 0
    assert "CONFLICT (add/add): Merge conflict in README.md" in merged.stdout
    return old


def test_nothing_of_the_old_is_lost_and_conflicts_are_shown(adopted: Path) -> None:
    listed = set(git(adopted, "diff", "--name-only", "--diff-filter=U").split())
    assert listed == {"README.md", "pyproject.toml"}
    for name, text in OLD.items():
        assert set(text.splitlines()) <= set((adopted / name).read_text().splitlines()), name
    given = files(adopted.parent / "given")
    now = files(adopted)
    assert {name: now[name] for name in given if name not in listed} == {
        name: text for name, text in given.items() if name not in listed
    }


def test_standards_are_measured_from_the_first_day(adopted: Path, template: Path) -> None:
    done = run("sh", "-ec", write_commands(CHECK, template), cwd=adopted, check=False)
    assert done.returncode == 1
    assert "update.conflict: README.md:1 holds an unsolved conflict" in done.stdout
    assert "file.unreadable: pyproject.toml: cannot be read" in done.stdout
    assert "pickle.file: model.pkl: is a pickle" in done.stdout
    assert "policy.broken" not in done.stdout


def test_updates_come_from_then_on_and_from_a_fork_too(adopted: Path, template: Path) -> None:
    for name in ("README.md", "pyproject.toml"):
        git(adopted, "checkout", "--ours", name)
    shell(write_commands(CONCLUDE, template), adopted)
    assert git(adopted, "ls-files", "uv.lock")
    fork = adopted.parent / "fork"
    git(template, "clone", "--quiet", str(template), str(fork))
    (fork / "template" / "tests" / "house.txt").write_text("Of our house\n")
    commit(fork, tag="v0.1.1")
    answers = adopted / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace(f"_src_path: {template}", f"_src_path: {fork}"))
    shell(
        write_commands(FORK, template).replace("copier update", "copier update --defaults"), adopted
    )
    assert (adopted / "tests" / "house.txt").read_text() == "Of our house\n"
    assert f"_src_path: {fork}" in answers.read_text()
    assert (adopted / "README.md").read_text() == OLD["README.md"]
    assert not run("git", "diff", "--check", cwd=adopted).stdout
