import json

import pytest
import yaml
from mlops.core.errors import UserError
from mlops.deployment.kubernetes import sizing
from mlops.deployment.kubernetes.sizing import Load

import served
from files import FILES

SINGLE = Load(requests=10_000, seconds=5.0, cpu=3.5, mib=100.0)
LARGE = Load(requests=200, seconds=5.0, cpu=4.5, mib=170.0)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def granted(text):
    [container] = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"]
    return container["resources"]


def test_a_replica_gets_what_its_requests_take_and_memory_to_spare():
    text, findings = sizing.make_patch(100, SINGLE, LARGE)
    assert granted(text) == {
        "requests": {"cpu": "50m", "memory": "224Mi"},  # 100 * 0.35 ms / 0.7; 170 * 1.3 MiB
        "limits": {"cpu": "1", "memory": "224Mi"},
    }
    assert "0.35 ms" in text
    assert all(line in text for line in findings)
    assert granted(sizing.make_patch(200, SINGLE, LARGE)[0])["requests"]["cpu"] == "100m"


def test_more_than_a_replica_can_do_is_refused():
    sizing.make_patch(2_000, SINGLE, LARGE)
    with pytest.raises(UserError, match="at most 2000 requests a second"):
        sizing.make_patch(2_001, SINGLE, LARGE)


def test_it_is_above_the_share_that_the_autoscaler_waits_for():
    scaler = yaml.safe_load((FILES / sizing.RESOURCES.with_name("autoscaler.yaml")).read_text())
    [metric] = scaler["spec"]["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == sizing.BUSY * 100


def test_the_service_is_measured_and_leaves_nothing_behind(tmp_path, monkeypatch):
    served.register(served.packed())
    monkeypatch.setattr(sizing, "SECONDS", 0.5)
    monkeypatch.setenv("API_KEY", "secret")
    monkeypatch.setenv("JOURNAL_URL", "postgresql://nowhere.invalid/journal")
    lines = sizing.size_replica(1)
    text = sizing.RESOURCES.read_text()
    assert granted(text)["requests"].keys() == granted(text)["limits"].keys()
    assert lines[0] in text
    assert "secret" not in text
    assert {path.name for path in tmp_path.iterdir()} == {"models", "reports", "deploy"}


def test_large_requests_are_as_large_as_they_may_be(monkeypatch):
    served.register(served.packed())
    asked = []
    monkeypatch.setattr(sizing, "apply_load", lambda *given: asked.append(given[2:]))
    monkeypatch.setenv("MAX_BYTES", "2000")
    monkeypatch.setenv("MAX_TOTAL_BYTES", "20000")
    sizing.measure_service()
    [single], [worst, connections] = asked
    assert connections == sizing.CONNECTIONS + 10  # more than there is room for
    assert max(map(len, single)) <= len(worst[0]) <= 2000
    for body in worst[1:]:  # valid JSON, and no record
        assert 500 < len(body) <= 2000
        assert json.loads(body)


def test_the_worst_that_is_let_in_fits_into_what_a_pod_asks_for():
    """The container of the sample has this much: the kernel ends whoever takes more."""
    [file] = (FILES / sizing.RESOURCES).parent.glob("resources.yaml*")
    memory = granted(file.read_text())["limits"]["memory"]
    served.register(served.packed())
    single, worst = sizing.measure_service()
    assert max(single.mib, worst.mib) < int(memory.removesuffix("Mi"))
    assert worst.requests > 0


def test_without_a_champion_there_is_nothing_to_measure():
    served.register(served.packed(), champion=False)
    with pytest.raises(UserError, match="not the champion"):
        sizing.size_replica(100)
    assert not sizing.RESOURCES.exists()
