"""A fleet to test with: a template with releases, and as many repositories made from it as asked.

Each pair of release and answers is rendered once, by Copier. The repositories share one store of
objects that `git fast-import` fills, so that making one costs four small files.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from copier import run_copy

from copier_mlops.copier_internals import Worker
from support import commit, files, git, run

RELEASES = ("v1.0.0", "v1.1.0", "v2.0.0")
ANSWERS = (
    {},
    {"project_name": "Churn", "licence": "MIT", "deploy": "none", "dvc_remote": "gcs"},
    {"project_name": "Prices", "deploy": "kubernetes", "scale": "dask", "dvc_remote": "s3"},
    {
        "project_name": "It's late",
        "sample": "empty",
        "mlflow": "server",
        "organisation": "Acme-Air",
    },
)

Files = dict[str, bytes]
Changes = dict[str, bytes | None]


@dataclass(frozen=True)
class Project:
    """What a repository is made of: a release, answers, and what happened to it since."""

    name: str
    release: str
    answers: int
    damage: str | None = None
    clone: bool = False


def releases(template: Path, folder: Path) -> Path:
    """Three releases: a managed file changes, then a shared one and the questions."""
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns(".git"))
    commit(folder, tag=RELEASES[0])
    _append(folder / "template/.dvcignore", "# What 1.1 brings.\n")
    commit(folder, tag=RELEASES[1])
    _append(folder / "template/.gitignore.jinja", "# What 2.0 brings.\n")
    (folder / "template/tests/news.txt").write_text("News of 2.0.\n")
    config = folder / "copier.yml"
    config.write_text(config.read_text().replace("# --- Where it runs", QUESTION))
    return commit(folder, tag=RELEASES[2])


QUESTION = """tier:
  type: str
  help: How much does the company depend on it?
  choices: [gold, silver]
  default: silver

# --- Where it runs"""


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def render_all(template: Path, folder: Path) -> dict[tuple[str, int], Path]:
    """Every release with every set of answers, as Copier renders them."""
    wanted = [(release, number) for release in RELEASES for number in range(len(ANSWERS))]
    targets = [folder / f"{release}-{number}" for release, number in wanted]
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_render, [template] * len(wanted), wanted, targets))
    renders = dict(zip(wanted, targets, strict=True))
    for number in range(len(ANSWERS)):  # the releases ask for the same packages
        first, *others = (renders[release, number] for release in RELEASES)
        run("uv", "lock", "--quiet", cwd=first)
        for other in others:
            shutil.copy(first / "uv.lock", other)
    return renders


def _render(template: Path, what: tuple[str, int], target: Path) -> None:
    """Without a process of git for each file, which only Windows needs."""
    release, number = what
    with patch.object(Worker, "_sync_git_index_executable_bit"):
        run_copy(
            str(template), target, data=ANSWERS[number], defaults=True, quiet=True, vcs_ref=release
        )


class Maker:
    """Makes repositories out of renders."""

    def __init__(self, renders: dict[tuple[str, int], Path], folder: Path) -> None:
        self.renders = {key: files(path) for key, path in renders.items()}
        self.modes = {
            (key, name): "100755" if (path / name).stat().st_mode & 0o100 else "100644"
            for key, path in renders.items()
            for name in self.renders[key]
        }
        self.store = folder / "store.git"
        self.folder = folder / "fleet"
        self.folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--bare", str(self.store))

    def make(self, projects: list[Project], damage: dict[str, "Damage"]) -> None:
        """All of them, in the folder `fleet`."""
        marks = self.store / "marks"
        stream = b"".join(self._stream(projects, damage))
        subprocess.run(
            ["git", "fast-import", "--quiet", f"--export-marks={marks}"],
            cwd=self.store,
            input=stream,
            check=True,
        )
        hashes = dict(line.split() for line in marks.read_text().splitlines())
        for number, project in enumerate(projects, start=len(self.renders) + 1):
            self._repository(project, hashes[f":{number}"])
            if project.damage and (after := damage[project.damage].after):
                after(self.path(project))

    def path(self, project: Project) -> Path:
        return self.folder / (project.name if project.clone else f"{project.name}.git")

    def _stream(self, projects: list[Project], damage: dict[str, "Damage"]) -> Iterator[bytes]:
        """For fast-import: a commit for each render, then for each project one upon its render."""
        base = {key: mark for mark, key in enumerate(self.renders, start=1)}
        for key, mark in base.items():
            yield _commit(mark, f"base-{mark}", None)
            for name, content in self.renders[key].items():
                yield _write(name, content, self.modes[key, name])
        for mark, project in enumerate(projects, start=len(base) + 1):
            key = (project.release, project.answers)
            yield _commit(mark, f"project-{mark}", base[key])
            if project.damage and (change := damage[project.damage].change):
                for name, content in change(self.renders[key]).items():
                    yield _write(name, content) if content is not None else f"D {name}\n".encode()

    def _repository(self, project: Project, commit: str) -> None:
        path = self.path(project)
        folder = path / ".git" if project.clone else path
        settings = (
            f"[core]\n\trepositoryformatversion = 0\n\tbare = {str(not project.clone).lower()}\n"
        )
        origin = f'[remote "origin"]\n\turl = git@github.com:acme/{project.name}.git\n'
        for name, text in {
            "HEAD": "ref: refs/heads/main\n",
            "config": settings + origin,
            "refs/heads/main": f"{commit}\n",
            "objects/info/alternates": f"{self.store / 'objects'}\n",
        }.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        if project.clone:
            git(path, "checkout", "--quiet", "--force", "main")


def _commit(mark: int, branch: str, parent: int | None) -> bytes:
    who = "committer Tester <tester@acme.example> 1700000000 +0000"
    after = f"from :{parent}\n" if parent else ""
    return f"commit refs/heads/{branch}\nmark :{mark}\n{who}\ndata 6\nChange\n{after}".encode()


def _write(name: str, content: bytes, mode: str = "100644") -> bytes:
    return b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), name.encode(), len(content), content)


@dataclass(frozen=True)
class Damage:
    """Something that goes wrong in a repository, and the rule that must notice.

    `change` alters files before they are committed, `after` the repository itself; `also` are rules
    that it breaks besides; `answers` are those it needs. `rule` None: the repository cannot be
    read, and the reason has `says`.
    """

    rule: str | None
    change: Callable[[Files], Changes] | None = None
    after: Callable[[Path], None] | None = None
    says: str = ""
    also: tuple[str, ...] = ()
    answers: int | None = None


def _find_path(names: Files, end: str) -> str:
    """The path that ends so, whatever the package is called."""
    return next(name for name in names if name.endswith(end))


def _edit(name: str, old: bytes, new: bytes) -> Callable[[Files], Changes]:
    def change(names: Files) -> Changes:
        path = _find_path(names, name)
        assert old in names[path], f"{name} has no {old!r} to damage"
        return {path: names[path].replace(old, new, 1)}

    return change


def _add(name: str, content: bytes) -> Callable[[Files], Changes]:
    return lambda names: {name: content}


def _remove(name: str) -> Callable[[Files], Changes]:
    return lambda names: {_find_path(names, name): None}


def _append_to(name: str, content: bytes) -> Callable[[Files], Changes]:
    def change(names: Files) -> Changes:
        path = _find_path(names, name)
        return {path: names[path] + content}

    return change


def _crlf(names: Files) -> Changes:
    path = _find_path(names, "/core/problem.py")
    return {path: names[path].replace(b"\n", b"\r\n")}


def _rename(names: Files) -> Changes:
    path = _find_path(names, "/model/train.py")
    return {path: None, path.replace("train", "training"): names[path]}


def _empty(path: Path) -> None:
    shutil.rmtree(path)
    path.mkdir()


CONFLICT = b"<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"
WORKFLOW = b"""name: own
on: push
permissions: {}
jobs:
  own:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@v4
"""
WAIVERS = b"""waivers:
  - rule: managed.changed
    reason: agreed with the platform team
    owner: "@acme/data-science"
    expires: %s
"""
KEY = (
    b"-----BEGIN RSA "
    + b"PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA "
    + b"PRIVATE KEY-----\n"
)

UNTOLD = ("secret.found",)
"""Without a version, made-up passwords in the template's own tests are not known as such."""

DAMAGE = {
    "a managed file has another line": Damage(
        "managed.changed", _append_to("/model/train.py", b"\nX = 1\n")
    ),
    "a managed file lost a line": Damage("managed.changed", _edit(".dvcignore", b"\n", b"")),
    "a managed file has CRLF": Damage("managed.changed", _crlf),
    "a managed file is empty": Damage(
        "managed.changed", lambda names: {_find_path(names, "/cli.py"): b""}
    ),
    "a managed file is gone": Damage("managed.missing", _remove("/model/train.py")),
    "a managed file was renamed": Damage("managed.missing", _rename),
    "a conflict was committed": Damage("update.conflict", _append_to("README.md", CONFLICT)),
    "a reject was left": Damage("update.reject", _add("pyproject.toml.rej", b"@@ -1 +1 @@\n")),
    "a backup was left": Damage("update.reject", _add("pyproject.toml.orig", b"[project]\n")),
    "the answers are gone": Damage("answers.missing", _remove(".copier-answers.yml"), also=UNTOLD),
    "an answer is invalid": Damage(
        "answers.invalid",
        _edit(".copier-answers.yml", b"data_engineer: ", b"data_engineer: nobody # "),
    ),
    "an answer was edited": Damage(
        "answers.contradict",
        _edit(".copier-answers.yml", b"deploy: compose", b"deploy: none"),
        also=("managed.changed", "shared.missing"),
        answers=0,
    ),
    "the version is unknown": Damage(
        "version.unknown",
        _edit(".copier-answers.yml", b"_commit: v", b"_commit: v99."),
        also=UNTOLD,
    ),
    "the params are no YAML": Damage(
        "file.unreadable", _edit("params.yaml", b"gates:", b"gates: [")
    ),
    "the problem is gone": Damage("required.missing", _remove("problem.yaml")),
    "the decision is blank": Damage(
        "problem.incomplete", _edit("problem.yaml", b'decision: "', b'decision: "" # "')
    ),
    "an owner is missing": Damage(
        "owners.missing", _edit("problem.yaml", b"  ml_engineer: ", b"  ml_engineer: null # ")
    ),
    "owners disagree": Damage(
        "owners.disagree",
        _edit("problem.yaml", b"  ml_engineer: ", b'  ml_engineer: "@acme/others" # '),
    ),
    "a gate is weaker": Damage(
        "gates.weakened", _edit("params.yaml", b"max_parity_gap: 0.001", b"max_parity_gap: 0.9")
    ),
    "an action is not pinned": Damage(
        "actions.unpinned", _add(".github/workflows/own.yml", WORKFLOW)
    ),
    "a key is in a file": Damage("secret.found", _add("notebooks/key.pem", KEY)),
    "a pickle is stored": Damage("pickle.file", _add("models/model.pkl", b"\x80\x04N.")),
    "code loads a pickle": Damage(
        "pickle.code",
        _add("notebooks/load.py", b"import pickle\n\npickle.load(open('m', 'rb'))\n"),
    ),
    "a lock file is stale": Damage(
        "lock.stale",
        _edit("pyproject.toml", b"dependencies = [", b'dependencies = [\n  "humanize",'),
    ),
    "a waiver has expired": Damage(
        "waiver.expired", _add(".standards.yml", WAIVERS % b"2020-01-31")
    ),
    "a waiver lasts for ever": Damage(
        "waiver.refused", _add(".standards.yml", WAIVERS % b"9020-01-31")
    ),
    "there is no commit": Damage(
        None, after=lambda path: (path / "refs/heads/main").unlink(), says="commit"
    ),
    "the commit is not there": Damage(
        None,
        after=lambda path: (path / "refs/heads/main").write_text(f"{'1' * 40}\n"),
        says="commit",
    ),
    "the objects are gone": Damage(
        None, after=lambda path: (path / "objects/info/alternates").unlink(), says=""
    ),
    "it is an empty folder": Damage(None, after=_empty, says="no git repository"),
    "its HEAD is nonsense": Damage(
        None, after=lambda path: (path / "HEAD").write_text("x\n"), says=""
    ),
}
"""What goes wrong in a fleet: a rule notices, or it is said that nothing can be read."""

EDITED = Damage(
    "conflict to come",
    lambda names: {".gitignore": names[".gitignore"] + b"# What the team ignores.\n"},
)
"""No damage, but where the newest release has another line."""


def many(count: int) -> list[Project]:
    """One in ten is damaged, each way in turn; one in fifty is a clone with a work tree."""
    ways = list(DAMAGE)
    projects = []
    for number in range(count):
        damage = ways[number // 10 % len(ways)] if number % 10 == 0 else None
        answers = number // len(RELEASES) % len(ANSWERS)
        if damage and DAMAGE[damage].answers is not None:
            answers = DAMAGE[damage].answers
        release = RELEASES[number % len(RELEASES)]
        projects.append(Project(f"project-{number:05}", release, answers, damage, number % 50 == 1))
    return projects
