"""The search remembers its trials in a real PostgreSQL, which several machines can share."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import optuna
import pytest
from flights.settings import Params
from test_postgres import PASSWORD, server  # noqa: F401

WORK = Path(os.environ["WORK"])
SECRETS = (PASSWORD, quote(PASSWORD, safe=""))


def trained(address: str) -> str:
    """Train with the study at the address; returns what the stage said."""
    done = subprocess.run(
        [Path(sys.executable).parent / "flights", "stage", "train"],
        cwd=WORK,
        env=os.environ | {"OPTUNA_STORAGE": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not any(secret in done.stdout for secret in SECRETS)
    return done.stdout


def test_a_search_goes_on_on_another_machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = request.getfixturevalue("server")
    monkeypatch.chdir(WORK)
    assert "chosen in 7 trials" in trained(address)
    [study] = optuna.get_all_study_names(address)
    told = optuna.load_study(study_name=study, storage=address).trials
    assert len(told) == Params.read().train.trials
    assert told[0].user_attrs["facts"]["score"] == told[0].value

    first = json.loads(Path("models/choice.json").read_text(encoding="utf-8"))
    shutil.rmtree(".search", ignore_errors=True)  # another machine has no file of ours
    assert "chosen in 7 trials" in trained(address)
    again = json.loads(Path("models/choice.json").read_text(encoding="utf-8"))
    searched = [entry for entry in again["candidates"] if entry["name"] != "baseline"]
    assert searched == [e for e in first["candidates"] if e["name"] != "baseline"]  # seconds too
    assert len(optuna.load_study(study_name=study, storage=address).trials) == len(told)
    for path in filter(Path.is_file, WORK.rglob("*")):
        assert not any(secret.encode() in path.read_bytes() for secret in SECRETS), path


def test_a_refused_password_is_not_shown(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = request.getfixturevalue("server")
    monkeypatch.setenv("PGPASSWORD", "wr0ng")
    said = trained(address)
    assert "OPTUNA_STORAGE cannot be used" in said
    assert "password authentication failed" in said
    assert "wr0ng" not in said
    assert "Traceback" not in said
