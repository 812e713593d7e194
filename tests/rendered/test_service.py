"""The running service under strain: all that a fuzzer thinks of, and load as of half an hour."""

import http.client
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from support import Render, run
from test_serving import records, service

pytestmark = pytest.mark.slow

# The service reads more than its document promises ("12" for 12, " JFK " for JFK, as in files), so
# that it need not refuse what the document does not name.
FUZZ = ["--mode", "all", "--checks", "all", "--exclude-checks", "negative_data_rejection"]
FUZZ += ["--phases", "examples,coverage,fuzzing", "--seed", "1", "--max-examples", "150"]
# A thousand records are allowed, and so may be more bytes than are: 413 says so.
FUZZ_SETTINGS = """\
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 413, 429, "5xx"]
"""
CLIENTS, REQUESTS, WARM = 8, 300_000, 30_000
GROWTH = 1.1  # times the memory after warming up: the allocator's slack, and SQLite's pages


@pytest.fixture(scope="module")
def project(set_up: Render) -> Path:
    project = set_up({})
    run("uv", "run", "dvc", "repro", cwd=project)
    return project


def journal(folder: Path) -> dict[str, str]:
    return {"JOURNAL_URL": f"sqlite:///{folder}/journal.db"}


@pytest.mark.parametrize("key", ["", "open-sesame"])
def test_a_fuzzer_finds_no_failure_and_nothing_undocumented(
    project: Path, tmp_path: Path, key: str
) -> None:
    keys = {"API_KEY": key, "ADMIN_KEY": key} if key else {}
    header = ["--header", f"X-API-Key: {key}"] if key else []
    (tmp_path / "schemathesis.toml").write_text(FUZZ_SETTINGS)
    with service(project, **journal(tmp_path), **keys) as address:
        fuzz = ["schemathesis", "run", f"{address}/openapi.json", *FUZZ, *header]
        run(*fuzz, "--no-color", cwd=tmp_path)
        assert urlopen(f"{address}/readyz").status == 200  # noqa: S310


class Client:
    """One connection that is kept, and what came of all that was sent over it."""

    def __init__(self, address: str, good: list[bytes]) -> None:
        place = urlsplit(address).netloc
        self.connection, self.good = http.client.HTTPConnection(place, timeout=60), good
        self.ids: list[str] = []
        self.truths = 0
        self.unexpected: Counter[tuple[str, int]] = Counter()

    def ask(self, path: str, body: bytes | None, expected: int) -> bytes:
        self.connection.request("GET" if body is None else "POST", path, body)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != expected:
            self.unexpected[path, answer.status] += 1
        return content

    def predict(self, body: bytes) -> None:
        names = re.findall(rb'"id":"([0-9a-f]{32})"', self.ask("/predict", body, 200))
        self.ids += [each.decode() for each in names]

    def work(self, requests: int) -> None:
        """Mostly one record; one in ten something else, most of that bad."""
        turns = self.turns()
        for _ in range(requests):
            next(turns)

    def turns(self) -> Iterator[None]:
        several = b"[" + b",".join(self.good[:10]) + b"]"
        wrong = self.good[0].replace(b'"origin"', b'"orgin"')
        while True:
            for body in self.good[:45]:
                yield self.predict(body)
            yield self.predict(several)
            truth = json.dumps({"id": self.ids[-1], "truth": "true"}).encode()
            self.truths += 1
            for path, body, expected in (
                ("/feedback", truth, 202),
                ("/predict", wrong, 422),
                ("/predict", b'{"carrier": ', 422),
                ("/nowhere", None, 404),
            ):
                self.ask(path, body, expected)
                yield


def sum_metric(address: str, name: str) -> float:
    """The sum of a metric over its labels."""
    page = urlopen(f"{address}/metrics").read().decode()  # noqa: S310
    lines = re.findall(rf"^{re.escape(name)}(?:{{.*}})? (\S+)$", page, re.MULTILINE)
    return sum(float(number) for number in lines)


@pytest.mark.deep
def test_half_an_hour_s_load_leaves_nothing_behind(project: Path, tmp_path: Path) -> None:
    """300,000 requests: memory stays, and the journal holds exactly what was answered."""
    good = [json.dumps(record).encode() for record in records(project, 200)]
    with service(project, UNEXPECTED="score", **journal(tmp_path)) as address:
        clients = [Client(address, good) for _ in range(CLIENTS)]
        memory = []
        with ThreadPoolExecutor(CLIENTS) as pool:
            for requests in (WARM, REQUESTS - WARM):
                list(pool.map(Client.work, clients, [requests // CLIENTS] * CLIENTS))
                memory.append(sum_metric(address, "process_resident_memory_bytes"))
        while sum_metric(address, "journal_pending"):
            pass
        assert sum_metric(address, 'journal_rows_total{outcome="lost"}') == 0
    print(f"memory in MB: {memory[0] / 1e6:.0f} warm, {memory[1] / 1e6:.0f} at the end")
    assert sum((client.unexpected for client in clients), Counter()) == {}
    assert memory[1] <= memory[0] * GROWTH, memory
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM predictions")]
        [[truths]] = connection.execute("SELECT count(*) FROM truths")
    assert sorted(ids) == sorted(id_ for client in clients for id_ in client.ids)
    assert truths == sum(client.truths for client in clients)
