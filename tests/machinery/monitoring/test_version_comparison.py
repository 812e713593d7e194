"""A model that took over, beside the one before it."""

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.params import Params
from mlops.monitoring import story
from mlops.monitoring.client import Client
from mlops.monitoring.performance import measure_rows
from mlops.monitoring.version_comparison import compare_with_the_one_before

import lived

CLIENT = Client("http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    """600 records, the first half answered by version 1, the others by version 2."""
    monkeypatch.chdir(tmp_path)
    rows, project = lived.rows(), lived.project(monitoring={"min_rows": 50})
    versions = [1 if place < rows.height / 2 else 2 for place in range(rows.height)]
    monkeypatch.setattr(Params, "read", lambda: project.params)
    monkeypatch.setattr(Client, "check_admin", lambda _: None)
    return {"rows": rows.with_columns(version=pl.Series(versions)), "project": project}


def compare(world):
    performance = measure_rows(world["rows"], world["project"])
    return compare_with_the_one_before(performance, CLIENT)


def promoted():
    story.record_step("promoted", "version 2 answers", version="2", before="1")


def test_nothing_is_told_without_a_promotion(world):
    assert compare(world) == ""
    assert story.read_steps() == []


def test_a_promotion_is_compared_once(world):
    promoted()
    assert compare(world) == ""
    [_, step] = story.read_steps()
    assert step.kind == "compared"
    assert "a thousand decisions of version 2 were worth" in step.told
    assert "of version 1 were worth" in step.told
    assert compare(world) == ""
    assert len(story.read_steps()) == 2


def test_too_few_truths_say_nothing(world):
    world["rows"] = world["rows"].head(330)
    promoted()
    assert compare(world) == ""
    assert len(story.read_steps()) == 1


def test_a_new_model_below_the_floor_goes_where_the_old_one_was_above(world, monkeypatch):
    """It acts where it should not, and the one before it did neither good nor harm."""
    new = pl.col("version") == 2
    late = pl.col("truth") == "yes"
    decided = pl.when(new).then(~late).otherwise(late)
    world["rows"] = world["rows"].with_columns(decision=decided)
    promoted()
    monkeypatch.setattr(Client, "check_admin", locked)
    with pytest.raises(UserError, match="set ADMIN_KEY"):
        compare(world)
    monkeypatch.setattr(Client, "check_admin", lambda _: None)
    assert compare(world) == "That is below the minimum, gates.min_value."


def locked(_):
    raise UserError("set ADMIN_KEY as the service has it.")


def test_what_was_taken_back_is_not_compared(world):
    promoted()
    story.record_step("rolled back", "version 1 answers")
    assert compare(world) == ""
