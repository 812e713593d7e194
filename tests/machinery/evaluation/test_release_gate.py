"""The last stage: outside of an experiment a failed gate is an error, within one it is listed."""

import pytest
from mlops.core.errors import BlockedError
from mlops.core.paths import GATE_REPORT, read_json
from mlops.evaluation import release_gate
from mlops.gates.gates import Verdict, block_unless_passed, write_verdicts


def verdicts(passed):
    facts = {"measured": 1.0, "limit": 2.0, "meaning": "one is less", "what_to_do": "Add one."}
    return [Verdict(name="value", passed=passed, **facts)]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)


def test_a_gate_that_failed_is_an_error(capsys):
    assert not write_verdicts(verdicts(False))
    with pytest.raises(BlockedError, match=r"1 gate.* block the release:\nvalue: BLOCKED"):
        release_gate.run()
    assert write_verdicts(verdicts(True))
    release_gate.run()
    assert "all 1 gates passed" in capsys.readouterr().out
    assert "experiment" not in read_json(GATE_REPORT)


@pytest.mark.parametrize(("passed", "many"), [(False, 1), (True, 0)])
def test_an_experiment_ends_well_and_has_to_be_judged_again(monkeypatch, capsys, passed, many):
    monkeypatch.setenv("DVC_EXP_NAME", "tried")
    write_verdicts(verdicts(passed))
    written = read_json(GATE_REPORT)
    assert (written["experiment"], written["passed"]) == ("tried", passed)
    release_gate.run()
    assert f"{many} gate(s) would block it" in capsys.readouterr().out
    released = read_json(GATE_REPORT)
    assert released.pop("experiment") != written.pop("experiment")
    assert released == written

    monkeypatch.delenv("DVC_EXP_NAME")
    if not passed:
        with pytest.raises(BlockedError, match="Add one"):
            release_gate.run()
    write_verdicts(verdicts(passed))
    assert read_json(GATE_REPORT) == written, "what comes of it is not told from a usual run"


def test_an_early_gate_lets_an_experiment_go_on(monkeypatch, capsys):
    with pytest.raises(BlockedError):
        block_unless_passed(verdicts(False))
    assert GATE_REPORT.exists()
    GATE_REPORT.unlink()
    monkeypatch.setenv("DVC_EXP_NAME", "tried")
    block_unless_passed(verdicts(False))
    assert "value: BLOCKED, one is less" in capsys.readouterr().out
    assert not GATE_REPORT.exists()
