"""What stands before the application, with many clients at once and with slow ones."""

import asyncio

import httpx2
import pytest
from mlops.serving.app import create

import served


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def ask(work, **options):
    """Run `work(client)` against a service, without a network between."""

    async def asked():
        service = served.service(**options)
        transport = httpx2.ASGITransport(create(service))
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
            result = await work(client)
        service.close()
        return result

    return asyncio.run(asked())


def test_what_is_too_much_at_once_is_turned_away_and_the_rest_is_answered():
    [record] = served.records(rows=1)

    async def all_at_once(client):
        asked = (client.post("/predict", json=record) for _ in range(30))
        answers = await asyncio.gather(*asked)
        later = await client.post("/predict", json=record)
        healthy = await asyncio.gather(*(client.get("/healthz") for _ in range(30)))
        return answers, later, healthy

    answers, later, healthy = ask(all_at_once, max_waiting=10)
    counts = dict.fromkeys((200, 503), 0)
    for answer in answers:
        counts[answer.status_code] += 1
    assert counts == {200: 10, 503: 20}
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert busy.headers["Retry-After"] == "1"
    assert later.status_code == 200
    assert {answer.status_code for answer in healthy} == {200}


def test_a_request_that_comes_too_slowly_is_ended():
    async def slowly():
        yield b'{"count":'
        await asyncio.sleep(60)

    async def one(client):
        return await client.post("/predict", content=slowly())

    answer = ask(one, max_seconds=1)
    assert (answer.status_code, answer.json()["detail"][:16]) == (408, "the request took")


def test_a_durable_journal_that_is_down_is_told_to_the_client(tmp_path):
    (tmp_path / "journal").write_text("")

    async def one(client):
        return await client.post("/predict", json=served.records(rows=1))

    answer = ask(one, journal_durable=True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_a_journal_that_is_down_does_not_take_the_service_down(tmp_path):
    (tmp_path / "journal").write_text("")

    async def one(client):
        return await client.post("/predict", json=served.records(rows=1))

    assert ask(one).status_code == 200
