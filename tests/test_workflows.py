"""The workflows of a rendered project, by the linters of the trade and, in parts, executed."""

from pathlib import Path

from actions import act
from conftest import commit


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
