"""Random lives of a table whose columns change end as those of a list of delivered rows would."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mlops.data.change_log import locate_landed_parts, read_log
from mlops.data.contract import Contract
from mlops.data.ingest import ingest
from mlops.records.changes import delete, restore, update
from mlops.records.evolution import RequestedChanges, evolve
from mlops.records.export import show
from mlops.records.intake import add, compact
from mlops.records.log_audit import verify_log

Row = dict[str, Any]  # as delivered
KINDS = [
    *("add", "update", "update", "delete", "restore", "compact"),
    *("take in", "rename", "default", "widen"),
]


@dataclass
class Life:
    """The rows that are there, in the order they landed, and by which names columns are read."""

    chance: random.Random
    rows: list[Row] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=lambda: {"size": ["size"]})
    defaults: dict[str, int] = field(default_factory=dict)
    states: dict[int, list[Row]] = field(default_factory=dict)
    step: float = 1  # the smallest difference of sizes; one half once they may be broken numbers

    def read(self, row: Row) -> Row:
        """Read a delivered row by the contract: `nr`, `late` and the changing columns."""
        values = {"nr": row["nr"], "late": row["late"]}
        for column, called in self.names.items():
            present = [row[name] for name in called if name in row]
            values[column] = present[0] if present else self.defaults.get(column)
        return values

    def content(self) -> dict[int, Row]:
        return {row["nr"]: self.read(row) for row in self.rows}

    def draw(self, keys: list[int]) -> list[Row]:
        """Draw rows of one delivery: all columns, or some of those that may be lacking."""
        size, *others = self.names
        called = self.chance.choice(self.names[size])
        more = [
            self.chance.choice(self.names[name]) for name in others if self.chance.random() < 0.6
        ]
        return [
            {"nr": key, "late": self.chance.choice(["yes", "no"])}
            | {called: self.chance.randint(0, 30) * self.step}
            | {name: self.chance.randint(0, 9) for name in more}
            for key in keys
        ]


def written(rows: list[Row], number: int) -> str:
    path = Path(f"news{number}.jsonl")
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def live(life: Life, operations: int) -> None:
    life.rows = life.draw(list(range(60)))
    add(written(life.rows, 0), target="late", key="nr")
    life.states[1] = list(life.rows)
    for number in range(1, operations + 1):
        kind = life.chance.choice(KINDS)
        keys = life.chance.sample(range(90), life.chance.randint(1, 10))
        change(life, kind, keys, number)
        life.states[len(read_log())] = list(life.rows)
        shown = [json.loads(line) for line in show(head=0, form="json")]
        here = {
            row["nr"]: {k: v for k, v in row.items() if k in (*life.names, "nr", "late")}
            for row in shown
        }
        expected = {
            key: row | {"late": row["late"] == "yes"} for key, row in life.content().items()
        }
        assert here == expected, (number, kind)
        counted = ingest(locate_landed_parts(), Contract.load())["rows"]
        assert counted == len(life.rows), (number, kind)
        assert "made again from nothing, the content is the same" in verify_log()[0], (number, kind)


def change(life: Life, kind: str, keys: list[int], number: int) -> None:
    """Do something to the table, and to the list of its rows."""
    if kind == "add":
        news = life.draw(keys)
        add(written(news, number))
        life.rows += news
    elif kind == "update":
        news, content = life.draw(keys), life.content()
        update(written(news, number))
        changed = [row for row in news if life.read(row) != content.get(row["nr"])]
        gone = {row["nr"] for row in changed}
        life.rows = [row for row in life.rows if row["nr"] not in gone] + changed
    elif kind == "delete":
        delete([str(key) for key in keys])
        life.rows = [row for row in life.rows if row["nr"] not in keys]
    elif kind == "restore":
        version = life.chance.choice([*life.states])
        restore(version)
        life.rows = list(life.states[version])
    elif kind == "compact":
        compact()
        life.states.clear()
    else:
        change_contract(life, kind, number)


def change_contract(life: Life, kind: str, number: int) -> None:
    """Change the contract, and how the list of rows is read."""
    name = life.chance.choice([*life.names])
    if kind == "take in":
        new = f"new{number}"
        rows = [row | {new: 1} for row in life.draw([200, 201, 202])]
        evolve(written(rows, number), yes=True)
        life.names[new] = [new]
    elif kind == "rename":
        new = f"{name}_{number}"
        evolve(requested=RequestedChanges(rename=[f"{name}={new}"]), yes=True)
        life.names = {
            new if each == name else each: [new, *called] if each == name else called
            for each, called in life.names.items()
        }
        life.defaults = {new if each == name else each: v for each, v in life.defaults.items()}
    elif kind == "default":
        evolve(requested=RequestedChanges(default=[f"{name}={number}"]), yes=True)
        life.defaults[name] = number
    elif life.step == 1:
        size = next(iter(life.names))
        evolve(requested=RequestedChanges(type=[f"{size}=number"]), yes=True)
        life.step = 0.5


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: {max_reject_rate: 0}\ntrain: {candidates: [linear]}\n")


def test_a_table_whose_columns_change_is_what_was_delivered() -> None:
    live(Life(random.Random(3)), operations=25)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(20))
def test_many_tables_whose_columns_change_are_what_was_delivered(seed: int) -> None:
    live(Life(random.Random(seed)), operations=60)
