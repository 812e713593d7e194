"""A packaged model in a project of its own, and the service that answers with it."""

import json
from functools import cache
from pathlib import Path

import polars as pl
from flights.candidates import CANDIDATES
from mlops.core.paths import MODEL, sha256, write_json
from mlops.data.contract import Column
from mlops.model import package
from mlops.serving.models import REGISTRATION
from mlops.serving.options import Options
from mlops.serving.service import Service

from tables import table

ROWS = 300
RULES = {
    "size, in cm.": {"minimum": -9, "maximum": 9},
    "kind": {"categories": ("a", "b", "ç"), "spelling": {"alpha": "a"}},
    "count": {"required": True},
}


def contract_and_rows(task="binary", seed=0):
    """Every kind of column, with a key, rules, and a column that nobody knows in time."""
    rows, contract = table(task, ROWS, seed)
    rows = rows.with_columns(id=pl.int_range(1000, 1000 + ROWS), later=pl.lit(1.0))
    key = Column(name="id", type="integer", role="key", required=True)
    later = Column(name="later", type="number", known_at_decision=False)
    columns = [c.model_copy(update=RULES.get(c.name, {})) for c in contract.columns]
    return contract.model_copy(update={"columns": (key, *columns, later)}), rows


@cache
def packed(task="binary", seed=0):
    """The content of a model of that table."""
    return pack(*contract_and_rows(task, seed))


def pack(contract, rows):
    """The content of a model of a table; the linear one, which is quick to fit."""
    [linear] = [candidate for candidate in CANDIDATES if candidate.name == "linear"]
    settings = {"candidate": linear.name, "parameters": linear.defaults, "keep": 1.0}
    about = {"threshold": 0.4 if contract.task == "binary" else None, "metric": "m", "score": 0.7}
    package.package_choice(rows, rows, settings | about, contract)
    return MODEL.read_bytes()


def register(content, version=3, champion=True):
    MODEL.parent.mkdir(exist_ok=True)
    MODEL.write_bytes(content)
    registration = {"version": version, "sha256": sha256(MODEL), "champion": champion}
    write_json(REGISTRATION, registration)


def service(task="binary", **options):
    """In the present folder, with the model registered there."""
    register(packed(task))
    return Service(Options(**options))


def records(task="binary", rows=50):
    """What a client would send: JSON, without what is not known yet."""
    contract, table = contract_and_rows(task)
    names = ["id", *(column.name for column in contract.inputs)]
    text = table.head(rows).select(names).write_json()
    return [{k: v for k, v in each.items() if v is not None} for each in json.loads(text)]


def journal(folder="."):
    """The journal's two tables."""
    address = f"sqlite:///{Path(folder, 'journal/journal.db').resolve()}"
    queries = ("SELECT * FROM predictions", "SELECT * FROM truths")
    return [pl.read_database_uri(query, address, engine="adbc") for query in queries]
