"""What stands before the application, with many clients at once and with slow ones."""

import asyncio
import json

import httpx2
import pytest
from mlops.serving.app import create
from mlops.serving.guard import PART, send_in_parts

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


def test_only_what_came_whole_is_measured_and_by_when_it_was_there():
    async def slowly():
        yield json.dumps(served.records(rows=1)).encode()
        await asyncio.sleep(0.5)

    async def never():
        yield b"["
        await asyncio.sleep(60)

    async def both(client):
        assert (await client.post("/predict", content=slowly())).status_code == 200
        assert (await client.post("/predict", content=never())).status_code == 408
        return (await client.get("/metrics")).text

    page = ask(both, max_seconds=1)
    assert 'requests_total{path="/predict",status="408"} 1.0' in page
    assert 'request_seconds_count{path="/predict"} 1.0' in page
    assert 'request_seconds_bucket{le="0.25",path="/predict"} 1.0' in page


def test_unfinished_bodies_take_no_place_and_the_largest_goes_first():
    [record] = served.records(rows=1)

    async def unfinished(size):
        yield b"[" + b" " * size
        await asyncio.sleep(60)

    async def beside(client):
        small = [client.post("/predict", content=unfinished(9)) for _ in range(40)]
        large = [client.post("/predict", content=unfinished(900)) for _ in range(40)]
        waiting = [asyncio.create_task(each) for each in (*small, *large)]
        await asyncio.sleep(0.2)
        honest = [(await client.post("/predict", json=record)).status_code for _ in range(20)]
        return honest, [(await each).status_code for each in waiting]

    honest, others = ask(beside, max_waiting=4, max_bytes=1000, max_total_bytes=5000, max_seconds=1)
    assert set(honest) == {200}
    assert set(others[:40]) == {408}
    assert others[40:].count(503) >= 35


def test_one_that_had_to_go_is_refused_though_more_of_it_has_come():
    """All of their parts come at once: the largest is turned away while others still read it."""

    async def parts():
        for _ in range(9):
            yield b" " * 100
            await asyncio.sleep(0)

    async def crowded(client):
        asked = (client.post("/predict", content=parts()) for _ in range(40))
        return await asyncio.gather(*asked), (await client.get("/metrics")).text

    answers, page = ask(crowded, max_bytes=1000, max_total_bytes=2000)
    assert {each.status_code for each in answers} == {422, 503}
    assert "requests_held_bytes 0.0" in page


def test_bytes_that_are_worked_on_leave_no_room_for_more():
    sent = served.records(rows=100)

    async def all_at_once(client):
        asked = (client.post("/predict", json=sent) for _ in range(12))
        answers = await asyncio.gather(*asked)
        return answers, await client.post("/predict", json=sent), await client.get("/metrics")

    size = len(json.dumps(sent)) + 1000
    answers, later, page = ask(all_at_once, max_bytes=size, max_total_bytes=4 * size)
    statuses = [each.status_code for each in answers]
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 4
    assert later.status_code == 200
    assert "requests_held_bytes 0.0" in page.text


def test_a_large_answer_is_sent_in_parts():
    sent, sizes = [], []

    async def send(message):
        sizes.append(len(message["body"]))
        sent.append(message)

    for size in (0, 1, PART, PART + 1, 3 * PART):
        content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        sent.clear()
        message = {"type": "http.response.body", "body": content}
        asyncio.run(send_in_parts(message, send))
        assert b"".join(each["body"] for each in sent) == content
        assert [each.get("more_body", False) for each in sent] == [True] * (len(sent) - 1) + [False]
    assert max(sizes) == PART


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
