"""From an empty folder to a champion; and a pipeline with nothing to do, beside a bare one."""

import shutil
import tempfile
from pathlib import Path

import yaml

from .measuring import Measurement, run, show
from .projects import ROOT, rendered


def first_run() -> Measurement:
    """Render, install, set up and run the default project, with a warm package cache."""
    target = Path(tempfile.mkdtemp(prefix="benchmark-")) / "flights"
    steps = [
        f'copier copy --quiet --defaults --vcs-ref HEAD "{ROOT}" "{target}"',
        f'cd "{target}"',
        "uv run flights setup",
        "uv run dvc repro",
    ]
    return run("empty folder to champion", ["sh", "-c", " && ".join(steps)], ROOT)


def bare_pipeline(like: Path) -> Path:
    """A DVC project of as many stages, each of which copies one small file."""
    stages = list(yaml.safe_load((like / "dvc.yaml").read_text())["stages"])
    bare = Path(tempfile.mkdtemp(prefix="benchmark-")) / "bare"
    bare.mkdir()
    (bare / "0.txt").write_text("start\n")
    pipeline = {
        name: {"cmd": f"cp {n}.txt {n + 1}.txt", "deps": [f"{n}.txt"], "outs": [f"{n + 1}.txt"]}
        for n, name in enumerate(stages)
    }
    (bare / "dvc.yaml").write_text(yaml.safe_dump({"stages": pipeline}, sort_keys=False))
    shutil.copytree(like / ".dvc", bare / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
    run("init", ["git", "init", "--quiet"], bare)
    return bare


def main() -> None:
    show("The default project", [first_run()])
    project = rendered({})
    bare = bare_pipeline(project)
    dvc = [str(project / ".venv/bin/dvc"), "repro"]
    command = ["uv", "run", "dvc", "repro"]
    run("fill", dvc, bare)
    run("fill", command, project)
    show(
        "Nothing to do",
        [run("bare DVC pipeline", dvc, bare), run("the default project", command, project)],
    )


if __name__ == "__main__":
    main()
