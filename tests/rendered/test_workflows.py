"""The workflows of a rendered project, read by the linters of the trade; test_ci.py runs them."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from actions import act
from answers import PAIRWISE
from support import Render, commit, files, run

PINNED = re.compile(r"uses: (?:[\w.-]+/)+[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$|uses: \./[\w./-]+$")
SCHEMAS = {
    ".github/workflows/": "vendor.github-workflows",
    ".github/actions/": "vendor.github-actions",
    ".github/dependabot.yml": "vendor.dependabot",
    "renovate.json": "vendor.renovate",
}
ZIZMOR = ".github/zizmor.yml"


@pytest.fixture(scope="module")
def variants(render: Render) -> list[dict[str, str]]:
    """What the answers make of the files that a code host reads, each different set once."""
    texts = []
    for answers in PAIRWISE:
        rendered = files(render(answers))
        read = {
            name: content.decode()
            for name, content in rendered.items()
            if name.startswith((*SCHEMAS, ZIZMOR))
        }
        if read not in texts:
            texts.append(read)
    return texts


@pytest.fixture(scope="module")
def workflows(variants: list[dict[str, str]]) -> dict[str, str]:
    """Every text once; two of one path have different keys."""
    texts = {(name, text) for variant in variants for name, text in variant.items()}
    return {f"{name} {number}": text for number, (name, text) in enumerate(sorted(texts))}


def test_the_linters_have_nothing_to_say(variants: list[dict[str, str]], tmp_path: Path) -> None:
    for variant in variants:
        project = tmp_path / "project"
        shutil.rmtree(project, ignore_errors=True)
        for name, text in variant.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)
        commit(project)
        run("zizmor", "--offline", "--pedantic", "--quiet", ".github", cwd=project)
        assert shutil.which("shellcheck"), "actionlint looks at scripts by shellcheck"
        run("actionlint", *sorted(project.glob(".github/workflows/*.yml")), cwd=project)
        for place, schema in SCHEMAS.items():
            read = [name for name in variant if name.startswith(place)]
            if read:
                run("check-jsonschema", f"--builtin-schema={schema}", *read, cwd=project)


def test_every_action_is_pinned(workflows: dict[str, str]) -> None:
    for name, text in workflows.items():
        for line in text.splitlines():
            if "uses: " in line:
                assert PINNED.search(line), f"{name}: {line.strip()}"


def test_the_harness_tells_what_became_of_each_job(tmp_path: Path) -> None:
    project = tmp_path / "project"
    workflows = project / ".github/workflows"
    workflows.mkdir(parents=True)
    (workflows / "ci.yml").write_text(HARNESS)
    (project / "told.txt").write_text("committed\n")
    commit(project)
    (project / "told.txt").write_text("not committed\n")

    ran = act(project, "pull_request", store=tmp_path / "store", secrets={"WORD": "hush"})

    assert ran.conclusions == {"makes": "success", "fails": "failure", "waits": "skipped"}
    assert ran.summary == "# committed\n"
    assert "not committed" not in ran.log
    assert "hush" not in ran.log
    assert ran["fails"].steps["Read"] == "success"
    assert "made by 1 against main in acme/project" in ran["fails"].log
    assert (project / "told.txt").read_text() == "not committed\n"
    again = act(project, "push", job="makes", store=tmp_path / "store")
    assert again.conclusions == {"makes": "success", "fails": "skipped", "waits": "skipped"}
    assert "restored: true" in again.log


WHERE = ".github/workflows/"


def test_nothing_is_allowed_but_what_a_job_says(workflows: dict[str, str]) -> None:
    for name, text in workflows.items():
        if name.startswith(WHERE):
            read = yaml.safe_load(text)
            assert read["permissions"] == {}, name
            assert "concurrency" in read, name
            for job, what in read["jobs"].items():
                assert "timeout-minutes" in what, f"{name}: {job}"


def test_no_action_has_two_versions(workflows: dict[str, str]) -> None:
    pins = {pin for text in workflows.values() for pin in re.findall(r"uses: (\w.*)$", text, re.M)}
    assert len(pins) == len({pin.partition("@")[0] for pin in pins})


HARNESS = """\
on: [push, pull_request]
jobs:
  makes:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
      - uses: actions/cache/restore@55cc8345863c7cc4c66a329aec7e433d2d1c52a9
        id: cache
        with: {key: "k-${{ hashFiles('told.txt') }}", path: out}
      - run: |
          echo "restored: ${{ steps.cache.outputs.cache-hit }}, ${{ secrets.WORD }}"
          mkdir -p out/deep
          echo "made by ${{ github.event.number }} against ${{ github.base_ref }}" > out/deep/a.txt
          echo "# $(cat told.txt)" >> "$GITHUB_STEP_SUMMARY"
      - uses: actions/cache/save@55cc8345863c7cc4c66a329aec7e433d2d1c52a9
        with: {key: "k-${{ hashFiles('told.txt') }}", path: out}
      - uses: actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a
        with: {name: made, path: out/}
  fails:
    needs: makes
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c
        with: {name: made}
      - name: Read
        run: echo "$(cat deep/a.txt) in $GITHUB_REPOSITORY"
      - run: exit 3
  waits:
    needs: fails
    runs-on: ubuntu-24.04
    steps: [{run: echo never}]
"""
