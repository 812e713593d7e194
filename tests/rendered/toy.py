"""A small template with the rules of ours, and what its platform may do to the next release."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

import yaml

from copier_mlops.release import build_exclusions
from support import ROOT, commit

OWNERSHIP = {
    "seeded": ["/problem.yaml", "/data/raw/*", "/src/*/model/features.py"],
    "sample": ["/data/raw/*"],
    "shared": ["/README.md", "/pyproject.toml", "/.gitignore"],
}
CHANGELOG = """## Unreleased

- **Managed files**: some.
- **Answers**: {}
- **By hand**: nothing, or remove {}
"""
WORDS = ["split", "train", "judge", "serve", "watch", "report"]
CODE = (
    "def {0}(rows):\n    if not rows:\n        return []\n    return [{0}(row) for row in rows]\n\n"
)
FIXED = (
    "{{ _copier_conf.answers_file }}.jinja",
    ".gitattributes",
    "data/",
    "problem",
    "src/{{ package }}/model/f",
)


def question(name: str, default: str) -> dict[str, str]:
    refuses = f"{{% if not {name} %}}Say something, for example: {name}{{% endif %}}"
    return {"type": "str", "help": "Which?", "default": default, "validator": refuses}


def first_questions() -> dict[str, dict[str, str]]:
    return {
        "project_name": question("project_name", "Flights"),
        "package": question("package", "{{ project_name | lower }}"),
        "owner": question("owner", "@acme/team"),
    }


def first_files() -> dict[str, bytes]:
    """Files of each owner, with the repetition that real ones have."""
    code = "".join(CODE.format(word) for word in WORDS)
    prose = "".join(f"## {word.title()}\n\n`{word}` works.\n\n" for word in WORDS)
    table = "".join(f'{word} = "{number}"\n' for number, word in enumerate(WORDS))
    texts = {
        ".gitattributes": (ROOT / "template" / ".gitattributes").read_text(encoding="utf-8"),
        ".gitignore.jinja": "# {{ project_name }}\n.venv/\n__pycache__/\n/local/\n*.env\n",
        "{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers | to_nice_yaml }}",
        "README.md.jinja": "# {{ project_name }}\n\nOwned by {{ owner }}.\n\n" + prose,
        "pyproject.toml.jinja": '[project]\nname = "{{ package }}"\n\n[tool.it]\n' + table,
        "src/{{ package }}/stages.py": code,
        "src/{{ package }}/model/train.py": code.replace("rows", "model"),
        "src/{{ package }}/model/features.py": "FEATURES = []\n",
        "tests/test_stages.py.jinja": "from {{ package }} import stages\n\n" + code,
        "docs/runbook.md": prose,
        "problem.yaml.jinja": "name: {{ project_name }}\nowner: {{ owner }}\n",
    }
    sample = {"data/raw/0001.gz": bytes(range(256)) * 4}
    return {name: text.encode() for name, text in texts.items()} | sample


@dataclass
class Platform:
    """The template: its files by their path below template/, its questions, what it has dropped."""

    home: Path
    files: dict[str, bytes] = field(default_factory=first_files)
    questions: dict[str, dict[str, str]] = field(default_factory=first_questions)
    dropped: list[str] = field(default_factory=list)
    releases: int = 0
    lawful: bool = True

    def release(self) -> None:
        """Commit and tag what there is now, with the settings that the rules ask for."""
        self.releases += 1
        rmtree(self.home / "template", ignore_errors=True)
        self.write("template", self.files)
        ownership = OWNERSHIP | {"dropped": self.dropped, "managed": self.managed()}
        real = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
        settings = {key: text for key, text in real.items() if key[0] == "_" and "mess" not in key}
        settings["_skip_if_exists"] = ownership["seeded"]
        settings["_exclude"] = build_exclusions(ownership)
        names = ", ".join(f"`{name}`" for name in [*self.questions, "owner"])
        changelog = CHANGELOG.format(names, " ".join(path.lstrip("/") for path in self.dropped))
        old = {f"{number}.0.0.yml": b"owner: '@acme/team'\n" for number in range(1, self.releases)}
        self.write("", {"copier.yml": as_yaml(self.questions | settings)})
        self.write("", {"hooks/ownership.yml": as_yaml(ownership)})
        self.write("", {"CHANGELOG.md": changelog.encode()})
        self.write("tests/old_answers", old)
        commit(self.home, tag=f"v{self.releases}.0.0")

    def write(self, folder: str, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            path = self.home / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def managed(self) -> list[str]:
        others = [*FIXED[2:], *(f"{path[1:]}." for path in OWNERSHIP["shared"])]
        names = [name for name in self.files if not f"{name}.".startswith(tuple(others))]
        paths = [render_pattern(name) for name in names]
        return ["/.copier-answers.yml" if "_copier" in path else path for path in paths]

    def pick(self, chance: random.Random) -> str:
        return chance.choice(sorted(name for name in self.files if not name.startswith(FIXED)))

    def drop(self, name: str) -> bytes:
        """Take a file out, as the rules say: its path is kept from the broom of updates."""
        self.dropped.append(render_pattern(name))
        return self.files.pop(name)


def render_pattern(name: str) -> str:
    """The pattern of what becomes of a file of the template."""
    return "/" + name.removesuffix(".jinja").replace("{{ package }}", "*")


def as_yaml(value: object) -> bytes:
    return yaml.safe_dump(value, sort_keys=False).encode()


def edit_lines(chance: random.Random, content: bytes, new: list[str]) -> bytes:
    """Put lines in at some place, in the place of none, one or three others."""
    lines = content.splitlines(keepends=True)
    at = chance.randrange(len(lines) + 1)
    if at == len(lines) and lines and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\n"
    lines[at : at + chance.choice([0, 0, 1, 3])] = [f"{line}\n".encode() for line in new]
    return b"".join(lines)


def edit(platform: Platform, chance: random.Random) -> None:
    name = platform.pick(chance)
    news = [f"platform {chance.random()}" for _ in range(chance.choice([1, 1, 4]))]
    platform.files[name] = edit_lines(chance, platform.files[name], news)


def add(platform: Platform, chance: random.Random) -> None:
    """A file that the team may have made, too; never again where one was dropped."""
    folder = chance.choice(["src/{{ package }}/", "docs/", "tests/", ""])
    name = f"{folder}news{chance.randrange(3)}.py"
    if render_pattern(name) not in platform.dropped:
        platform.files[name] = f"# new {chance.random()}\n".encode() + CODE.format("news").encode()


def delete(platform: Platform, chance: random.Random) -> None:
    if (name := platform.pick(chance)).startswith(("src/", "docs/", "tests/", "news")):
        platform.drop(name)


def rename(platform: Platform, chance: random.Random) -> None:
    folder, _, name = platform.pick(chance).rpartition("/")
    if folder:
        new = f"{folder}/moved_{name}"
        platform.files[new] = edit_lines(
            chance, platform.drop(f"{folder}/{name}"), ["platform moved"]
        )


def ask(platform: Platform, chance: random.Random) -> None:
    name = f"extra_{chance.randrange(100)}"
    platform.questions[name] = question(name, "none")
    platform.files["README.md.jinja"] += f"{{{{ {name} }}}}\n".encode()


def rename_question(platform: Platform, chance: random.Random) -> None:
    """The new name takes the old answer by its default."""
    lead = question("lead", "{{ owner | default('@acme/team') }}")
    platform.questions = {
        ("lead" if name == "owner" else name): lead if name == "owner" else asked
        for name, asked in platform.questions.items()
    }
    for name, content in platform.files.items():
        platform.files[name] = content.replace(b"{{ owner }}", b"{{ lead }}")


def tighten(platform: Platform, chance: random.Random) -> None:
    """Every answer that was recorded so far is still accepted."""
    name = "lead" if "lead" in platform.questions else "owner"
    refuses = f"{{% if {name}[0] != '@' %}}An owner has an @, for example: @jo{{% endif %}}"
    platform.questions[name] = platform.questions[name] | {"validator": refuses}


def delete_silently(platform: Platform, chance: random.Random) -> None:
    if (name := platform.pick(chance)).startswith(("src/", "docs/", "tests/", "news")):
        del platform.files[name]
        platform.lawful = False


def add_what_git_ignores(platform: Platform, chance: random.Random) -> None:
    platform.files["local/notes.txt"] = b"The platform's notes.\n"
    platform.lawful = False


Change = Callable[[Platform, random.Random], None]
LAWFUL: list[Change] = [
    edit, edit, edit, add, delete, rename, ask, rename_question, tighten,
]  # fmt: skip
UNLAWFUL: list[Change] = [delete_silently, add_what_git_ignores]
"""What the linter of a release refuses."""
