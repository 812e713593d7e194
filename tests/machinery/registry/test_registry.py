import json
import shutil
import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.tracking._tracking_service import utils
from mlops.core.errors import UserError
from mlops.core.paths import CHOICE, GATE_REPORT, MODEL, REPORTS, read_json, sha256, write_json
from mlops.registry import promotion, registry, tracking, version_table
from mlops.registry import versions as known
from mlops.registry.champion import find_champion_override, read_evaluation_in_use
from mlops.registry.registry import CHAMPION_FILE, fetch_champion
from mlops.registry.succession import is_newer
from mlops.registry.tracking import connect
from sqlalchemy import Engine, event

import tiny

TRIALS = """trial,candidate,score,seconds,state
0,linear,0.70,0.61,complete
1,linear,,0.93,fail
"""


@event.listens_for(Engine, "connect")
def do_not_wait_for_the_disk(connection, _):
    connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """Databases made once, as that takes seconds: `empty`, and `full` with versions 1 to 3, each
    champion after the other, and 4, whose gates failed.
    """
    folder = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/full")
        prepare()
        with connect() as client:
            client.search_registered_models()
        shutil.copy("full", "empty")
        for weight in (1, 2, 3):
            train(weight)
        train(4, failed=["value", "slices"])
    return folder


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, past):
    monkeypatch.chdir(tmp_path)
    use(monkeypatch, past / "full")
    prepare()


def use(monkeypatch, database):
    shutil.copy(database, "mlflow.db")
    shutil.copytree(database.with_name("mlruns"), "mlruns", dirs_exist_ok=True)
    # MLflow remembers for each run, in its process, where the files were before the copy.
    utils._artifact_repos_cache.clear()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path.cwd()}/mlflow.db")


def prepare():
    write_json(CHOICE, {"candidate": "linear", "parameters": {"C": 0.5}, "metric": "roc_auc"})
    tracking.TRIALS.parent.mkdir(parents=True)
    tracking.TRIALS.write_text(TRIALS)
    tracking.PROFILE_PAGE.write_text("<!doctype html>")


def compare(version, low=0.01, high=0.03, gain=0.0):
    gain = {"value": gain, "low": gain, "high": gain}
    return version and {"version": version, "low": low, "high": high, "gain": gain}


def train(weight, failed=(), *, of="a run", beside=None, note=None, champion=None, **metrics):
    """A run of the pipeline as far as the registry sees it: better than the present champion and
    the best so far, or by the bounds in `beside`.
    """
    with connect() as client:
        rivals = known.find_champion(client), known.find_best(client)
    numbers = [champion or each.number if each else None for each in rivals]
    differences = [compare(number, **(beside or {})) for number in numbers]
    write_json(
        REPORTS / "evaluation.json",
        {
            "of": of,
            "champion": None if note else differences[0],
            "best": None if note else differences[1],
            "champion_note": note,
            "value": {"drafted": False},
        },
    )
    tiny.write_model(MODEL, weight=weight)
    names = ("value", "slices", "champion")
    gates = [{"name": n, "passed": n not in failed, "meaning": f"{n} is poor"} for n in names]
    write_json(GATE_REPORT, {"passed": not failed, "gates": gates})
    write_json(
        REPORTS / "metrics.json", {"roc_auc": 0.5 + weight / 100, "log_loss": None} | metrics
    )
    registry.run()
    return read_json(registry.REGISTRATION)


def versions():
    with connect() as client:
        return known.list_versions(client)


def told_of():
    evaluation, is_champion = read_evaluation_in_use()
    return evaluation["of"], is_champion


def best():
    with connect() as client:
        return known.find_best(client).number


def in_use():
    return fetch_champion()[0]


def test_a_run_that_passed_becomes_champion(monkeypatch, past, capsys):
    use(monkeypatch, past / "empty")
    assert version_table.format_versions() == ["no version is registered yet"]
    with pytest.raises(UserError, match="there is none yet"):
        promotion.promote()
    with pytest.raises(UserError, match="no champion to go back to"):
        promotion.rollback()
    told = train(1)
    assert (told["version"], told["champion"]) == (1, True)
    assert set(told["packages"]) == set(tracking.PACKAGES)
    assert "version 1, champion: the first" in capsys.readouterr().out
    assert versions()[0].aliases == ["best", "challenger", "champion"]


def test_the_first_run_that_failed_leaves_no_champion(monkeypatch, past):
    use(monkeypatch, past / "empty")
    assert not train(1, failed=["value"])["champion"]
    assert fetch_champion() is None


def test_a_run_that_failed_a_gate_is_a_candidate_and_never_champion():
    assert versions()[0].aliases == ["challenger"]
    assert "failed: value, slices" in version_table.format_versions()[0]
    for version in (None, 4):
        with pytest.raises(UserError, match=r"Version 4 .* value: value is poor; slices: .*dvc"):
            promotion.promote(version)
    assert in_use() == 3


def test_what_was_promised_is_that_of_the_model_in_use():
    train(5, of="newcomer")
    assert (told_of(), find_champion_override()) == (("newcomer", True), {})
    train(6, of="refused", failed=["value"])
    assert told_of() == ("newcomer", True)
    assert find_champion_override() == {"model_uri": "models:/flights@champion"}


def test_without_a_champion_the_newest_is_what_there_is(monkeypatch, past):
    use(monkeypatch, past / "empty")
    train(1, of="refused", failed=["value"])
    assert (told_of(), find_champion_override()) == (("refused", False), {})


def test_a_model_that_was_named_is_what_answers(monkeypatch):
    train(5)
    promotion.rollback()
    assert find_champion_override()
    monkeypatch.setenv("MODEL_URI", "models/model.onnx")
    assert find_champion_override() == {}


def test_the_same_again_makes_no_new_version():
    told = train(3)
    assert (told["version"], told["champion"], len(versions())) == (3, True, 4)
    assert train(3, failed=["value"])["version"] == 5, "judged otherwise, it is another candidate"
    assert train(3)["version"] == 3


def test_what_is_told_of_a_version_is_its_latest_evaluation():
    assert train(3, roc_auc=0.61, f2=0.4)["version"] == 3
    assert ["f2", "0.400"] in [line.split() for line in version_table.compare_versions(3, 1)]
    assert train(3, of="later", roc_auc=0.6, log_loss=0.2)["version"] == 3
    lines = [line.split() for line in version_table.compare_versions(3, 1)]
    assert ["roc_auc", "0.600", "0.510"] in lines
    assert ["log_loss", "0.200"] in lines
    assert not [line for line in lines if line[0] == "f2"], "it is no longer measured"
    assert "roc_auc 0.600" in version_table.format_versions()[1]
    assert told_of() == ("later", True)
    assert train(4, failed=["slices", "value"], roc_auc=0.7)["version"] == 4
    assert "roc_auc 0.700" in version_table.format_versions()[0]
    assert versions()[0].failed == {"value": "value is poor", "slices": "slices is poor"}
    assert len(versions()) == 4


def artifacts():
    """Where the registry keeps the files of its versions."""
    with connect() as client:
        return [client.get_run(each.run).info.artifact_uri for each in known.list_versions(client)]


def test_a_project_that_was_copied_has_a_registry_of_its_own(tmp_path, monkeypatch):
    before = sorted(Path("mlruns").rglob("*"))
    copy = tmp_path / "it's a copy"
    copy.mkdir()
    for name in ("mlflow.db", "mlruns", "models", "reports"):
        (shutil.copytree if Path(name).is_dir() else shutil.copy)(name, copy / name)
    original = Path.cwd()
    monkeypatch.chdir(copy)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path.cwd()}/mlflow.db")
    assert train(9)["version"] == 5
    assert registry.find_model_file(2)[0] == 2
    places = artifacts()
    assert len(places) == 5
    assert all(place.startswith(f"{copy}/mlruns/") for place in places)
    assert sorted(original.glob("mlruns/**/*")) == [original / path for path in before]


def test_a_project_that_was_moved_finds_its_models(tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    for name in ("mlflow.db", "mlruns", "models", "reports"):
        shutil.move(name, tmp_path / "old")
    shutil.move(tmp_path / "old", tmp_path / "new")
    monkeypatch.chdir(tmp_path / "new")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path.cwd()}/mlflow.db")
    assert registry.find_model_file(2)[1].exists()
    shutil.rmtree("mlruns")
    monkeypatch.chdir(shutil.move(tmp_path / "new", tmp_path / "newer"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path.cwd()}/mlflow.db")
    with pytest.raises(
        UserError, match=r"mlflow\.db was made in .*/new, and the files of its runs"
    ):
        version_table.format_versions()


def test_a_registry_outside_of_the_project_stays_as_it_is(tmp_path, monkeypatch):
    places = artifacts()
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    assert artifacts() == places


def test_rolling_back_twice_goes_back_two_champions():
    assert "version 2 is the champion again" in promotion.rollback()[0]
    assert in_use() == 2
    promotion.rollback()
    assert in_use() == 1
    with pytest.raises(UserError, match="no champion to go back to"):
        promotion.rollback()
    assert in_use() == 1


def test_promoting_after_a_rollback_works_and_can_be_rolled_back():
    promotion.rollback()
    promotion.promote(3)
    assert in_use() == 3
    promotion.rollback()
    promotion.promote(1, "it is the simplest")
    assert in_use() == 1
    promotion.rollback()
    assert in_use() == 2


def test_what_was_given_up_comes_back_by_promote_only():
    promotion.rollback()
    assert not train(3)["champion"]
    assert in_use() == 2
    promotion.promote()
    assert train(3)["champion"]


def test_promoting_the_champion_again_changes_nothing():
    promotion.promote(3)
    promotion.rollback()
    assert in_use() == 2


@pytest.mark.parametrize("interrupted", ["promote", "rollback"])
def test_a_kill_between_two_writes_leaves_the_past_true(monkeypatch, interrupted):
    second = {"promote": "set_registered_model_alias", "rollback": "set_model_version_tag"}

    def kill(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, second[interrupted], kill)
        with pytest.raises(KeyboardInterrupt):
            promotion.promote(1, "x") if interrupted == "promote" else promotion.rollback()
    assert in_use() == {"promote": 3, "rollback": 2}[interrupted]
    promotion.rollback()
    assert in_use() == {"promote": 2, "rollback": 1}[interrupted]


def test_an_alias_set_by_hand_in_mlflow_counts():
    with connect() as client:
        client.set_registered_model_alias("flights", "champion", "4")
    assert in_use() == 4
    promotion.promote(1, "x")
    promotion.rollback()
    assert in_use() == 4


def test_an_unknown_version_is_refused_with_those_there_are():
    with pytest.raises(
        UserError, match=r"Version 7 is not in the registry: it has versions 1, 2, 3 and 4\."
    ):
        promotion.promote(7)
    with pytest.raises(UserError, match="Version 9"):
        version_table.compare_versions(1, 9)


def test_two_versions_side_by_side():
    lines = [line.split() for line in version_table.compare_versions(1, 4)]
    assert ["roc_auc", "0.510", "0.540"] in lines
    assert ["passed", "true", "false"] in lines


def test_the_champions_file_is_the_packaged_model_byte_for_byte():
    packaged = sha256(tiny.write_model(MODEL, weight=3))
    number, path = fetch_champion()
    assert (number, sha256(path)) == (3, packaged)
    CHAMPION_FILE.write_bytes(b"changed")
    assert sha256(fetch_champion()[1]) == packaged
    promotion.rollback()
    assert sha256(fetch_champion()[1]) == sha256(tiny.write_model(MODEL, weight=2))


def test_a_version_is_fetched_by_its_number_and_the_pipeline_s_model_is_known_by_its_own():
    train(5)
    assert registry.find_model_file() == (5, MODEL)
    number, path = registry.find_model_file(2)
    assert (number, path) == (2, Path("models/version-2.onnx"))
    assert sha256(path) != sha256(MODEL)
    assert sha256(path) == sha256(tiny.write_model(MODEL, weight=2))
    assert registry.find_model_file() == (None, MODEL)
    with pytest.raises(UserError, match="Version 9 is not in the registry"):
        registry.find_model_file(9)


def test_a_training_is_one_run_with_a_run_a_trial():
    version = versions()[0]
    with connect() as client:
        run = client.get_run(version.run)
        number = run.info.experiment_id
        found = client.search_runs([number], f"tags.mlflow.parentRunId = '{version.run}'")
        files = [entry.path for entry in client.list_artifacts(version.run, "reports")]
    assert run.data.metrics == {"roc_auc": 0.54}
    assert run.data.params["C"] == "0.5"
    assert run.data.tags["data_version"] == str(json.loads(version.tags["lineage"])["data_version"])
    assert run.info.status == "FINISHED"
    assert {trial.info.status for trial in found} == {"FINISHED", "FAILED"}
    assert {trial.data.metrics.get("score") for trial in found} == {0.7, None}
    assert {"reports/gate.json", "reports/profile.html"} <= set(files)


def test_a_server_out_of_reach_is_one_sentence(monkeypatch):
    address = "nonsense://me:secret@nowhere/x"  # pragma: allowlist secret
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(UserError, match=r"MLflow at nonsense://\*\*\*@nowhere/x cannot") as refused:
        versions()
    assert "secret" not in str(refused.value)


def test_where_runs_are_kept(monkeypatch):
    assert not tracking.is_new()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    Path("params.yaml").write_text("train: {candidates: [linear]}\ntracking: {uri: 'sqlite:///x'}")
    assert tracking.read_uri() == "sqlite:///x"
    assert tracking.is_new()
    assert fetch_champion() is None


def test_code_and_data_are_named():
    told = tracking.trace_lineage()
    assert (told["git_commit"], told["dirty"], told["data_version"]) == (None, None, None)

    def git(*words):
        identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        subprocess.run(["git", *identity, *words], check=True, capture_output=True)

    Path("code.py").write_text("1")
    git("init", "--quiet")
    git("add", "code.py")
    git("commit", "--quiet", "-m", "first")
    Path(".gitignore").write_text("mlflow.db\nmodels\nmlruns\n.gitignore\n")
    Path("dvc.lock").write_text(
        "stages: {ingest: {deps: [{path: contract.yaml, md5: c}, {path: data/raw, md5: abc.dir}]} }"
    )
    told = tracking.trace_lineage()
    assert (len(told["git_commit"]), told["dirty"]) == (40, False)
    assert told["data_version"] == "abc.dir"
    Path("code.py").write_text("2")
    assert tracking.trace_lineage()["dirty"]
    json.dumps(told)


def test_a_model_of_another_table_is_refused():
    Path("contract.yaml").write_text("id: orders\n")
    first, second = (train(weight)["version"] for weight in (21, 22))
    Path("contract.yaml").write_text("id: customers\n")
    with pytest.raises(UserError, match=rf"Version {first} was trained for the table 'orders'"):
        promotion.promote(first)
    with pytest.raises(UserError, match="that of 'customers'"):
        promotion.rollback()
    assert in_use() == second


def test_the_first_of_another_table_is_its_champion_and_its_best():
    Path("contract.yaml").write_text("id: orders\n")
    train(21)
    Path("contract.yaml").write_text("id: customers\n")
    told = train(31, note="there is no champion yet")
    assert (told["champion"], told["why"]) == (True, "the first")
    assert in_use() == best() == told["version"]
    assert not train(32, beside=EVEN)["champion"], "from now on it is compared"


EVEN = {"low": -0.01, "high": 0.01}


def test_an_equal_model_of_the_same_data_stays_a_candidate(capsys):
    told = train(9, beside=EVEN)
    assert not told["champion"]
    assert told["why"] == (
        "no better than the champion, version 3, beyond chance, and made from no newer data"
    )
    assert f"register: version 5, candidate: {told['why']}\n" == capsys.readouterr().out
    assert f"passed; {told['why']}" in version_table.format_versions()[0]
    assert (in_use(), best()) == (3, 3)
    promotion.promote(5)
    assert (in_use(), best()) == (5, 3), "it is not shown to be better"
    assert read_json(registry.REGISTRATION)["why"] == "promoted by hand"
    assert read_json(registry.REGISTRATION)["champion"]


def test_an_equal_model_of_newer_data_is_the_champion_and_the_best_stays(monkeypatch):
    monkeypatch.setattr(registry, "is_newer", lambda *_: True)
    told = train(9, beside=EVEN)
    assert told["champion"]
    assert told["why"].endswith("within what chance explains, and made from newer data")
    assert (in_use(), best()) == (5, 3)
    assert train(10)["champion"]
    assert (in_use(), best()) == (6, 6)


def test_a_model_that_is_worth_more_is_the_champion():
    assert train(9, beside=EVEN | {"gain": 0.5})["champion"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"note": "the champion, version 3, is gone"}, "not compared: the champion, version 3, is"),
        ({"champion": 2}, "not compared: it was evaluated beside version 2, before version 3 was"),
        ({"beside": {"low": None, "high": None}}, "not compared: the test rows can tell no diff"),
    ],
)
def test_what_was_not_compared_waits_for_a_reason_which_is_kept(told, why):
    registration = train(9, **told)
    assert not registration["champion"]
    assert registration["why"].startswith(why)
    assert "'uv run mlops model promote 5 --because \"REASON\"'" in registration["why"]
    for number, reason in ((None, None), (5, " "), (1, None)):
        with pytest.raises(UserError, match=r"present champion, version 3\. .* --because"):
            promotion.promote(number, reason)
    assert (in_use(), best()) == (3, 3)
    promotion.promote(5, "fair to\nall ages")
    assert (in_use(), best()) == (5, 5), "a person decided: from here on it is measured"
    assert "passed; promoted by hand: fair to all ages" in version_table.format_versions()[0]
    assert train(9)["why"] == "promoted by hand: fair to all ages"


def test_what_lost_waits_for_a_reason_and_stays_the_same_version_when_it_is_judged_again():
    told = train(9, failed=["champion"])
    assert (told["champion"], told["why"]) == (False, "blocked by champion")
    with pytest.raises(UserError, match="Version 5 lost: champion is poor"):
        promotion.promote()
    promotion.promote(because="cheaper to run")
    assert "failed: champion; promoted by hand: cheaper" in version_table.format_versions()[0]
    told = train(9)
    assert (told["version"], told["champion"]) == (5, True)
    assert versions()[0].failed == {}


def test_the_best_so_far_ends_with_what_was_given_up():
    train(9)
    assert (in_use(), best()) == (5, 5)
    promotion.rollback()
    assert (in_use(), best()) == (3, 3)
    assert read_json(registry.REGISTRATION)["why"] == "it was rolled back"
    assert "promote 5' brings it back" in train(9)["why"]
    promotion.promote(5)
    assert (in_use(), best()) == (5, 5)


def test_a_registry_without_a_best_takes_the_champion_for_it():
    with connect() as client:
        client.delete_registered_model_alias("flights", "best")
    assert best() == 3
    assert registry.fetch_best() == fetch_champion()


def test_the_best_so_far_is_fetched_beside_the_champion(monkeypatch):
    monkeypatch.setattr(registry, "is_newer", lambda *_: True)
    train(9, beside=EVEN)
    number, path = registry.fetch_best()
    assert (number, sha256(path)) == (3, sha256(tiny.write_model(MODEL, weight=3)))
    assert fetch_champion()[0] == 5
    shutil.rmtree("mlruns")
    registry.BEST_FILE.unlink()
    with pytest.raises(registry.ModelGoneError, match="the model file of version 3 any more"):
        registry.fetch_best()


@pytest.mark.parametrize(
    ("ours", "theirs", "newer"),
    [("2026-02", "2026-01", True), ("2026-01", "2026-01", False), (None, "2026-01", False)],
)
def test_data_is_newer_if_its_log_is(ours, theirs, newer):
    first, second = (
        known.Version(1, "run", [], {"lineage": json.dumps({"data_changed": when})}, {})
        for when in (ours, theirs)
    )
    assert is_newer(first, second) is newer
    assert is_newer(first, None)


def test_an_experiment_moves_no_alias(monkeypatch):
    before = {each.number: each.aliases for each in versions()}
    monkeypatch.setenv("DVC_EXP_NAME", "tried")
    told = train(9)
    assert not told["champion"]
    assert told["why"].startswith("the experiment tried moves no alias; its model is better than")
    assert {each.number: each.aliases for each in versions()} == before | {5: []}
    assert train(3)["champion"], "it came upon the champion itself"
    monkeypatch.delenv("DVC_EXP_NAME")
    told = train(9)
    assert (told["version"], told["champion"]) == (5, True)
