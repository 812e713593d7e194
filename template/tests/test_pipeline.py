"""The stages run on rows drawn by the contract, with this project's settings. Yours to edit."""

import json
from pathlib import Path

import yaml
from mlops.testing import make_trial, run_trial

PROJECT = Path(__file__).parents[1]
STAGES = ["ingest", "validate", "split", "train", "package", "evaluate"]


def test_a_small_table_goes_through_the_stages(tmp_path):
    make_trial(PROJECT, tmp_path)
    run_trial(tmp_path, STAGES)
    choice = json.loads((tmp_path / "models/choice.json").read_text(encoding="utf-8"))
    evaluation = json.loads((tmp_path / "reports/evaluation.json").read_text(encoding="utf-8"))
    assert choice["trials"] >= 2
    assert 0 < evaluation["rows"] < 600


def test_the_code_that_a_stage_depends_on_is_there():
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert set(STAGES) <= stages.keys()
    deps = {name for stage in stages.values() for name in stage.get("deps", ())}
    assert not [name for name in deps if name[:4] == "src/" and not (PROJECT / name).exists()]
