"""hooks/ownership.yml, Copier's settings and the rendered files say the same."""

import pytest
import yaml
from answers import PAIRWISE
from conftest import ROOT, Render, files
from pathspec import PathSpec

CONFIG = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
OWNERSHIP = yaml.safe_load((ROOT / "hooks" / "ownership.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def paths(render: Render) -> set[str]:
    """Every path that any of the answers can bring."""
    return {name for answers in PAIRWISE for name in files(render(answers))}


def named(owner: str, paths: set[str]) -> set[str]:
    return set(PathSpec.from_lines("gitignore", OWNERSHIP[owner]).match_files(paths))


def test_copier_never_touches_a_seeded_file_again() -> None:
    assert CONFIG["_skip_if_exists"] == OWNERSHIP["seeded"]


def test_copier_brings_the_sample_to_new_projects_only() -> None:
    on_update = [
        f"{{% if _copier_operation == 'update' %}}{path}{{% endif %}}"
        for path in OWNERSHIP["sample"]
    ]
    assert CONFIG["_exclude"] == on_update
    assert set(OWNERSHIP["sample"]) <= set(OWNERSHIP["seeded"])


def test_every_path_has_one_owner(paths: set[str]) -> None:
    seeded, shared, managed = (named(owner, paths) for owner in ("seeded", "shared", "managed"))
    assert not paths - seeded - shared - managed, "name the owner in hooks/ownership.yml"
    assert not seeded & shared
    assert not shared & managed
    theirs = ("src/", "deploy/k8s/", "deploy/allowed_signers")
    among = {path for path in seeded & managed if not path.startswith(theirs)}
    assert not among, "only the team's modules, environments and keys lie among the platform's"


@pytest.mark.parametrize("owner", ["seeded", "sample", "shared", "managed"])
def test_every_pattern_names_a_file(paths: set[str], owner: str) -> None:
    for pattern in OWNERSHIP[owner]:
        assert list(PathSpec.from_lines("gitignore", [pattern]).match_files(paths)), pattern


def test_no_answer_runs_code() -> None:
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(CONFIG)
