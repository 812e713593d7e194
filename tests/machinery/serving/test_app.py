import json
import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from mlops.core.errors import UserError
from mlops.monitoring.ground_truth import join_ground_truth
from mlops.serving import app
from mlops.serving.app import create
from mlops.serving.models import ModelContent
from mlops.serving.options import Options
from mlops.serving.service import Service

import served

TASKS = ["binary", "multiclass", "regression"]
KEY = {"X-API-Key": "s3cret"}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "_listen", lambda changes: None)  # it is not the main thread


@pytest.fixture
def client():
    with client_of() as client:
        yield client


def client_of(task="binary", **options):
    return TestClient(create(served.service(task, **options)), raise_server_exceptions=False)


def other_model(seed=1):
    """Another version of the model, in a file; its URI and checksum."""
    content = served.packed(seed=seed)
    Path("other.onnx").write_bytes(content)
    return {"uri": "other.onnx", "sha256": ModelContent.of(content).sha256}


@pytest.mark.parametrize("task", TASKS)
def test_one_record_or_many_get_an_answer_each(task):
    sent = served.records(task)
    with client_of(task) as client:
        many = client.post("/predict", json=sent).json()
        single = [client.post("/predict", json=record).json() for record in sent]
    assert [a["score"] for a in many] == pytest.approx([a["score"] for a in single], abs=1e-6)
    assert len({answer["id"] for answer in many + single}) == 2 * len(sent)
    for answer in many:
        assert answer["model_version"] == "3"
        if task == "binary":
            assert answer["decision"] is (answer["score"] >= 0.4)
            assert answer["prediction"] == ("yes" if answer["score"] >= 0.5 else "no")
        else:
            assert answer["decision"] == answer["prediction"]
    predictions, _ = served.journal()
    assert len(predictions) == 2 * len(sent)
    assert set(predictions["role"]) == {"champion"}
    assert {json.loads(key)["id"] for key in predictions["key"]} == {r["id"] for r in sent}


@pytest.mark.parametrize(
    ("key", "given", "role"),
    [("s3cret", "s3cret", "probe"), ("s3cret", "deploy", "champion"), ("", "deploy", "champion")],
)
def test_only_who_deploys_is_a_probe_which_says_nothing_of_users(key, given, role):
    def counted(client):
        lines = client.get("/metrics").text.splitlines()
        return [line for line in lines if line.startswith("input_values_total")]

    with client_of(admin_key=key) as client:
        before = counted(client)
        probed = client.post("/predict", json=served.records()[0], headers={"X-Probe": given})
        assert probed.status_code == 200
        assert (counted(client) == before) is (role == "probe")
        asked = 'requests_total{path="/predict",status="200"} 1.0'
        assert asked in client.get("/metrics").text
    predictions, _ = served.journal()
    assert predictions["role"].to_list() == [role]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "identity"}, 200),
    ],
)
def test_other_sites_and_what_is_no_plain_json_are_refused(client, headers, status):
    content = json.dumps(served.records(rows=1))
    assert client.post("/predict", content=content, headers=headers).status_code == status


def test_many_records_are_answered_beside_the_event_loop(client):
    sent = served.records(rows=300)
    assert len(client.post("/predict", json=sent).json()) == 300


def test_a_record_that_breaks_the_contract_is_told_why(client):
    answer = client.post("/predict", json=[{"count": 1}, {"count": "many", "id": 1}])
    assert answer.status_code == 422
    [fault] = answer.json()["detail"]
    assert fault == {
        "record": 1,
        "column": "count",
        "rule": "readable",
        "value": "many",
        "message": "count breaks the rule readable: 'many'; write a whole number",
    }


def test_values_outside_the_limits_are_scored_and_counted_by_policy():
    sent = served.records(rows=1)[0] | {"kind": "new"}
    with client_of(unexpected="score") as client:
        assert client.post("/predict", json=sent).status_code == 200
        counted = 'unexpected_values_total{column="kind",rule="category"} 1.0'
        assert counted in client.get("/metrics").text


def test_the_truth_comes_later_by_id_or_key(client):
    sent = served.records(rows=1)[0]
    made = client.post("/predict", json=sent).json()["id"]
    truths = [{"id": made, "truth": "yes"}, {"key": {"id": sent["id"]}, "truth": "no"}]
    assert client.post("/feedback", json=truths).json() == {"accepted": 2}
    assert client.post("/feedback", json={"id": made, "truth": "perhaps"}).status_code == 422
    client.__exit__()
    _, rows = served.journal()
    assert rows["truth"].to_list() == ["yes", "no"]
    assert rows["id"].to_list() == [made, None]
    assert rows["key"].to_list() == [
        None,
        json.dumps({"id": sent["id"]}, separators=(",", ":")),
    ]


def test_a_part_of_the_key_may_be_read_by_the_model():
    contract, rows = served.contract_and_rows()
    both = {"primary_key": True, "required": True, "role": "time"}
    columns = [c.model_copy(update=both if c.name == "seen" else {}) for c in contract.columns]
    contract = contract.model_copy(update={"columns": tuple(columns)})
    served.register(served.pack(contract, rows))
    sent = served.records(rows=2)
    key = {name: sent[0][name] for name in ("id", "seen")}
    service = Service(Options())
    with TestClient(create(service), raise_server_exceptions=False) as client:
        assert client.post("/predict", json=sent).status_code == 200
        lacking = client.post("/feedback", json={"key": {"id": key["id"]}, "truth": "yes"})
        assert lacking.status_code == 422
        assert client.post("/feedback", json={"key": key, "truth": "yes"}).status_code == 202
    now = datetime.now(UTC)
    joined = join_ground_truth(
        "sqlite:///journal/journal.db", now - timedelta(1), now + timedelta(1), contract
    )
    assert joined.sort("at", "id")["truth"].drop_nulls().to_list() == ["yes"]
    [known] = joined.drop_nulls("truth").to_dicts()
    assert known["key"]["id"] == key["id"]
    assert known["key"]["seen"] == known["inputs"]["seen"] is not None


def test_health_and_facts(client):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    state = client.get("/info").json()
    assert (state["model_version"], state["target"], state["threshold"]) == ("3", "y", 0.4)


def test_the_bare_address_leads_to_the_page_that_shows_how_to_ask(client):
    assert client.get("/").url.path == "/docs"
    assert "/" not in client.get("/openapi.json").json()["paths"]


def test_it_is_not_ready_before_it_has_started_and_after_it_ends():
    client = client_of()
    assert client.get("/readyz").status_code == 503
    with client:
        assert client.get("/readyz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_metrics_tell_of_requests_scores_models_and_the_journal(client):
    client.post("/predict", json=served.records(rows=2))
    client.post("/predict", json={})
    client.get("/nowhere")
    page = client.get("/metrics").text
    for line in (
        'requests_total{path="/predict",status="200"} 1.0',
        'requests_total{path="/predict",status="422"} 1.0',
        'requests_total{path="other",status="404"} 1.0',
        "score_count 2.0",
        'model_info{role="champion"',
        'journal_rows_total{outcome="lost"} 0.0',
    ):
        assert line in page


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_is_too_large_is_refused(chunked):
    body = b"[" + b" " * 2000 + b"]"
    with client_of(max_bytes=1000) as client:
        answer = client.post("/predict", content=iter([body]) if chunked else body)
    assert (answer.status_code, answer.json()["detail"][:9]) == (413, "a request")


def test_keys_are_asked_for_where_there_are_some():
    sent = served.records(rows=1)[0]
    with client_of(api_key="s3cret") as client:  # pragma: allowlist secret
        assert client.post("/predict", json=sent).status_code == 401
        assert client.post("/predict", json=sent, headers={"X-API-Key": "wrong"}).status_code == 401
        assert client.post("/predict", json=sent, headers=KEY).status_code == 200
        assert client.get("/healthz").status_code == 200
        assert client.post("/model/rollback", headers=KEY).status_code == 403


def test_a_model_is_swapped_and_rolled_back():
    sent = served.records(rows=1)[0]
    with client_of(admin_key="s3cret") as client:
        assert client.post("/model/rollback", headers=KEY).status_code == 409
        before = client.post("/predict", json=sent).json()
        wanted = other_model()
        assert client.post("/model/swap", json=wanted).status_code == 401
        state = client.post("/model/swap", json=wanted, headers=KEY).json()
        assert (state["model_version"], state["previous"]) == (wanted["sha256"][:12], "3")
        other = client.post("/predict", json=sent).json()
        assert other["model_version"] == state["model_version"]
        assert other["score"] != before["score"]
        back = client.post("/model/rollback", headers=KEY).json()
        assert back["model_version"] == "3"
        assert client.post("/predict", json=sent).json()["score"] == before["score"]


def test_a_model_that_is_not_fit_is_not_swapped_in():
    with client_of(admin_key="s3cret") as client:
        wrong = other_model() | {"sha256": "0" * 64}
        Path("multi.onnx").write_bytes(served.packed("multiclass"))
        another = {
            "uri": "multi.onnx",
            "sha256": ModelContent.of(served.packed("multiclass")).sha256,
        }
        for wanted, words in ((wrong, "not the model"), (another, "another task")):
            answer = client.post("/model/swap", json=wanted, headers=KEY)
            assert (answer.status_code, words in answer.json()["detail"]) == (409, True)
        answer = client.post("/model/swap", json={"url": "x"}, headers=KEY)
        assert answer.status_code == 422
        faults = [(fault["column"], fault["rule"]) for fault in answer.json()["detail"]]
        assert faults == [("uri", "required"), ("url", "known column")]
        assert client.get("/info").json()["model_version"] == "3"


def test_a_shadow_is_called_and_sent_away():
    with client_of(admin_key="s3cret") as client:
        wanted = other_model()
        state = client.post("/model/shadow", json=wanted, headers=KEY).json()
        assert (state["model_version"], state["shadow"]) == ("3", wanted["sha256"][:12])
        state = client.post("/model/shadow", json={"uri": ""}, headers=KEY).json()
        assert (state["model_version"], state["shadow"]) == ("3", None)
        assert client.post("/model/shadow", json=wanted).status_code == 401


def test_a_shadow_scores_the_same_records_without_answering():
    sent = served.records()
    with client_of() as client:
        client.app.service.follow(**other_model())
        answers = client.post("/predict", json=sent).json()
        assert client.get("/info").json()["shadow"] == other_model()["sha256"][:12]
    predictions, _ = served.journal()
    both = predictions.pivot("role", index="id", values="score")
    assert sorted(both["id"]) == sorted(answer["id"] for answer in answers)
    assert (both["champion"] != both["shadow"]).all()


def test_a_shadow_answers_the_same_question(client):
    Path("multi.onnx").write_bytes(served.packed("multiclass"))
    with pytest.raises(UserError, match="another task"):
        client.app.service.follow("multi.onnx", ModelContent.of(served.packed("multiclass")).sha256)


def test_a_shadow_that_fails_is_counted_and_answers_go_on(monkeypatch):
    with client_of() as client:
        service = client.app.service
        monkeypatch.setattr(service, "shadow", service.model)
        monkeypatch.setattr(service, "_shadowed", lambda *_: 1 / 0)
        assert client.post("/predict", json=served.records(rows=1)).status_code == 200
        service._follower.shutdown()
        assert 'shadow_total{outcome="failed"} 1.0' in client.get("/metrics").text


def test_the_document_has_examples_that_work_and_needs_no_internet(client):
    document = client.get("/openapi.json").json()
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        assert client.post("/predict", json=example["value"]).status_code == 200
    content = document["paths"]["/feedback"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        assert client.post("/feedback", json=example["value"]).status_code == 202
    assert [sorted(each["value"]) for each in content["examples"].values()] == [
        ["id", "truth"],
        ["key", "truth"],
    ]
    described = document["components"]["schemas"]["Record"]["properties"]
    assert described["kind"]["anyOf"][0]["enum"] == ["a", "b", "ç"]
    assert -(2**63) < described["count"]["minimum"] < described["count"]["maximum"] < 2**63
    page = client.get("/docs").text
    places = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(places) >= 2
    for place in places:
        assert place.startswith("/")
        assert client.get(place).status_code == 200


def test_no_line_of_the_log_holds_what_was_sent(client, caplog):
    with caplog.at_level(logging.DEBUG):
        client.post("/predict", json=served.records(rows=1)[0] | {"kind": "Mr. Secret"})
        client.post("/predict", content=b'{"name": "Mr. Secret"')
    assert "/predict" in str([vars(record) for record in caplog.records])
    assert "Secret" not in str([vars(record) for record in caplog.records])
