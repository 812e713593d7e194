"""What the tests of standards share: how to damage a project, and how to read what was found."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from copier_mlops.findings import Finding, Report
from copier_mlops.render import ANSWERS
from support import commit

Damage = Callable[[Path], object]


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def lock_stages(project: Path) -> dict[str, Any]:
    """What DVC writes of the stages of dvc.yaml after a run."""
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return {
        name: {
            "cmd": stage["cmd"],
            "deps": [{"path": path} for path in stage.get("deps", [])],
            "outs": [
                {"path": next(iter(out)) if isinstance(out, dict) else out}
                for kind in ("outs", "metrics", "plots")
                for out in stage.get(kind, [])
            ],
        }
        for name, stage in stages.items()
    }


def list_findings(report: Report) -> list[tuple[str, str | None]]:
    assert report.broken is None
    return [(each.rule, each.path) for each in report.findings if each.rule != "lock.missing"]


def get_only_finding(report: Report) -> Finding:
    """The one finding there is."""
    assert len(list_findings(report)) == 1, list_findings(report)
    return next(each for each in report.findings if each.rule != "lock.missing")


def template_of_its_own(project: Path, template: Path) -> Path:
    """A copy of the template to release from, which the project then says it was made from."""
    platform = project.parent / "platform"
    shutil.copytree(template, platform)
    replace(project / ANSWERS, f"_src_path: {template}\n", f"_src_path: {platform}\n")
    commit(project)
    return platform
