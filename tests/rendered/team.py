"""The work of a team on its project, at random. Every line that it writes is known again."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support import files
from toy import CODE, edit_lines

SEEDED = ("problem.yaml", "data/raw/", "src/flights/model/features.py")
MARK = b"team-"
Work = Callable[["Team", random.Random], None]


@dataclass
class Team:
    home: Path
    written: int = 0

    def line(self, end: str = "") -> str:
        self.written += 1
        return f"{MARK.decode()}{self.written} wrote this{end}"

    def pick(self, chance: random.Random) -> Path:
        """A text that an update may merge."""
        texts = [
            name
            for name, content in files(self.home).items()
            if not name.startswith((".copier-answers", ".gitattributes", "data/", "local/"))
            and is_utf8(content)
        ]
        return self.home / chance.choice(texts)


def is_utf8(content: bytes) -> bool:
    return b"\0" not in content and content.decode(errors="replace").encode() == content


def lines_of_the_team(project: Path) -> set[tuple[str, bytes]]:
    """Each with the path that it is in."""
    return {
        (name, line.rstrip(b"\r"))
        for name, content in files(project).items()
        for line in content.split(b"\n")
        if MARK in line
    }


def edit(team: Team, chance: random.Random, end: str = "") -> None:
    path = team.pick(chance)
    new = [team.line(end) for _ in range(chance.choice([1, 1, 3]))]
    path.write_bytes(edit_lines(chance, path.read_bytes(), new))


def leave_blanks(team: Team, chance: random.Random) -> None:
    edit(team, chance, chance.choice(["  ", "\t", " "]))


def add(team: Team, chance: random.Random) -> None:
    folder = chance.choice(["src/flights/", "docs/", "tests/", "", "own/"])
    path = team.home / folder / chance.choice(["news0.py", "news1.py", "ours.py"])
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{team.line()}\n{CODE.format('ours')}")


def delete(team: Team, chance: random.Random) -> None:
    team.pick(chance).unlink()


def move(team: Team, chance: random.Random) -> None:
    path = team.pick(chance)
    moved = path.with_name(f"ours_{path.name}")
    moved.write_bytes(edit_lines(chance, path.read_bytes(), [team.line()]))
    path.unlink()


def add_binary(team: Team, chance: random.Random) -> None:
    (team.home / "picture.bin").write_bytes(chance.randbytes(300) + b"\0\n")


def end_lines_as_windows_does(team: Team, chance: random.Random) -> None:
    path = team.pick(chance)
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def end_without_newline(team: Team, chance: random.Random) -> None:
    path = team.pick(chance)
    path.write_bytes(path.read_bytes().rstrip(b"\r\n") + b"\n" + team.line().encode())


def change_seeded(team: Team, chance: random.Random) -> None:
    names = [name for name in files(team.home) if name.startswith(SEEDED)]
    path = team.home / chance.choice(names)
    path.write_bytes(path.read_bytes() + team.line().encode() + b"\n")


def keep_out_of_git(team: Team, chance: random.Random) -> None:
    (team.home / "local").mkdir(exist_ok=True)
    (team.home / "local" / "notes.txt").write_text(f"{team.line()}\n")


def make_executable(team: Team, chance: random.Random) -> None:
    team.pick(chance).chmod(0o755)


def write_latin(team: Team, chance: random.Random) -> None:
    path = team.pick(chance)
    path.write_bytes(path.read_bytes() + f"Café {team.line()}\n".encode("latin-1"))


def write_nul(team: Team, chance: random.Random) -> None:
    path = team.pick(chance)
    path.write_bytes(path.read_bytes() + f"{team.line()}\0\n".encode())


WORK: list[Work] = [
    edit, edit, edit, edit, leave_blanks, add, delete, move, add_binary, end_lines_as_windows_does,
    end_without_newline, change_seeded, keep_out_of_git, make_executable,
]  # fmt: skip
NO_UTF8: list[Work] = [write_latin, write_nul]
"""What Copier alone loses: it drops bytes that are no UTF-8, and edits of what looks binary."""
