"""A fleet beside rendering each repository anew, its growth, and what the template costs Copier."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from .measuring import Measurement, run, show
from .projects import ROOT

sys.path.append(str(ROOT / "tests/rendered"))
from fleets import DAMAGE, Maker, many, releases, render_all
from support import commit, files, git

COMPARED = 10
"""Repositories that are rendered anew."""

STOCK = """
import subprocess, sys, tempfile
from pathlib import Path
import yaml
from copier import run_copy

def git(*words, cwd, text=None):
    done = subprocess.run(["git", *words], cwd=cwd, input=text, capture_output=True, text=True)
    return done.stdout

for repository in sys.argv[1:]:
    answers = yaml.safe_load(git("show", "HEAD:.copier-answers.yml", cwd=repository))
    with tempfile.TemporaryDirectory() as folder:
        run_copy(answers["_src_path"], folder, data=answers, vcs_ref=answers["_commit"],
                 defaults=True, quiet=True)
        paths = [path for path in Path(folder).rglob("*") if path.is_file()]
        names = [str(path.relative_to(folder)) for path in paths]
        hashes = git("hash-object", "--stdin-paths", cwd=folder, text="\\n".join(names)).split()
    kept = {line.split("\\t")[1]: line.split()[2]
            for line in git("ls-tree", "-r", "HEAD", cwd=repository).splitlines()}
    different = [name for name, hash in zip(names, hashes) if kept.get(name) != hash]
    assert not different, different
"""
"""Render and compare, as a script without this package would; one process for all of them."""

WHO = {
    f"GIT_{role}_{what}": text
    for role in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "Tester"), ("EMAIL", "tester@acme.example"))
}


def main() -> None:
    os.environ.update(WHO)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        measure(Path(folder))


def measure(folder: Path) -> None:
    git(folder, "clone", "--quiet", str(ROOT), "template")
    platform = releases(folder / "template", folder / "platform")
    maker = Maker(render_all(platform, folder / "renders"), folder)
    projects = many(10_000)
    maker.make(projects, DAMAGE)
    thousand, rest = folder / "1000.txt", folder / "10000.txt"
    thousand.write_text("".join(f"{maker.path(project)}\n" for project in projects[:1000]))
    rest.write_text("".join(f"{maker.path(project)}\n" for project in projects))
    sound = [project for project in projects[:100] if not project.damage][:COMPARED]
    stock = run("stock", [sys.executable, "-c", STOCK, *map(str, map(maker.path, sound))], folder)
    few, all_ = survey(thousand, folder), survey(rest, folder)
    show(
        "A repository, compared with its template (ms are seconds of a thousand)",
        [each("fleet", few, 1), each("stock render and compare", stock, 1000 / COMPARED)],
    )
    show("Repositories", [few, all_])
    copies(platform, maker, folder)


def survey(places: Path, folder: Path) -> Measurement:
    """Findings end the command with 1, which is not a failure here."""
    command = f"copier-mlops fleet {places} --output {folder / places.stem} || [ $? = 1 ]"
    return run(places.stem, ["sh", "-c", command], folder)


def each(name: str, measured: Measurement, times: float) -> Measurement:
    return Measurement(name, measured.seconds * times, measured.peak_mb, cpu=measured.cpu * times)


def copies(platform: Path, maker: Maker, folder: Path) -> None:
    """The template beside one that has its output as plain files."""
    rendered = maker.renders["v2.0.0", 0]
    plain = folder / "plain"
    for name, content in rendered.items():
        (plain / "template" / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / "template" / name).write_bytes(content)
    (plain / "template/.copier-answers.yml").unlink()
    (plain / "copier.yml").write_text("_subdirectory: template\n")
    commit(plain, tag="v1.0.0")
    show(
        f"copier copy, {len(files(plain))} files",
        [copy("plain files", plain, folder), copy("the template", platform, folder)],
    )


def copy(name: str, template: Path, folder: Path) -> Measurement:
    """The fastest of three."""
    runs = []
    for _ in range(3):
        target = folder / "copied"
        shutil.rmtree(target, ignore_errors=True)
        command = ["copier", "copy", "--quiet", "--defaults", str(template), str(target)]
        runs.append(run(name, command, folder))
    return min(runs, key=lambda one: one.seconds)


if __name__ == "__main__":
    main()
