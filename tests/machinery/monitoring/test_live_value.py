"""One value everywhere: what decisions were worth less what doing nothing was, on the same rows."""

import json
import random
import shutil
import subprocess

import polars as pl
import pytest
from mlops.core.params import GateParams, Monitoring
from mlops.core.problem import Problem
from mlops.evaluation.model_gates import judge_value
from mlops.gates.limits import list_limits
from mlops.monitoring.checks import check_value
from mlops.monitoring.exporter import Exporter
from mlops.monitoring.performance import measure_rows
from mlops.monitoring.version_comparison import falls_short

import lived
from files import FILES

OUTCOMES = ("true_positive", "false_positive", "false_negative", "true_negative")
SEEDS = range(40)


class World:
    """Decisions and truths of any base rate, any worth of the outcomes, and any floor."""

    def __init__(self, seed):
        pick = random.Random(seed)
        self.value = {name: round(pick.uniform(-9, 9), 1) for name in OUTCOMES}
        self.floor = pick.choice([0.0, round(pick.uniform(-900, 900), 1)])
        rate, acts, many = pick.random(), pick.random(), pick.randrange(500, 700)
        self.truth = [pick.random() < rate for _ in range(many)]
        self.acted = [pick.random() < acts for _ in range(many)]
        project = lived.project()
        problem = Problem(name="t", value={"unit": "EUR"} | self.value)
        self.project = project._replace(problem=problem)
        words = pl.Series(["yes" if each else "no" for each in self.truth])
        rows = lived.rows(many=many, known=1.0)
        self.rows = rows.with_columns(truth=words, decision=pl.Series(self.acted))
        self.gates = GateParams(min_value=self.floor)

    def worth(self, acted, truth):
        """What one decision is worth, by the table."""
        if acted:
            return self.value["true_positive" if truth else "false_positive"]
        return self.value["false_negative" if truth else "true_negative"]

    def gain(self):
        """Of a thousand decisions over never acting, added up one by one."""
        pairs = list(zip(self.acted, self.truth, strict=True))
        gains = [self.worth(acted, truth) - self.worth(False, truth) for acted, truth in pairs]
        return 1000 * sum(gains) / len(gains)


@pytest.mark.parametrize("seed", SEEDS)
def test_report_export_and_gate_say_the_same(seed):
    world = World(seed)
    performance = measure_rows(world.rows, world.project)
    value, gain = performance["value"], world.gain()
    assert value["gained"] == pytest.approx(gain)
    assert value["total"] == pytest.approx(gain * len(world.truth) / 1000)
    assert value["low"] <= value["gained"] <= value["high"]
    assert sum(each["total"] for each in performance["trend"]) == pytest.approx(value["total"])
    exporter = Exporter(None)
    exporter.export(performance)
    for name, told in (("value_gained_per_thousand", gain), ("value_gained_total", value["total"])):
        assert exporter.registry.get_sample_value(name) == pytest.approx(told)
    good = gain > world.floor
    assert check_value(performance, world.gates, Monitoring()).passed == good
    assert falls_short(performance["versions"][0], world.floor) != good
    evaluated = {"unit": "EUR", "per": 1000, "do_nothing_means": "never acting"}
    evaluated |= {"model": value["realised"], "do_nothing": value["do_nothing"]}
    assert judge_value(evaluated, world.floor, world.project.problem).passed == good
    params = world.project.params.model_copy(update={"gates": world.gates})
    evaluation = {**world.project.evaluation, "champion": None}
    assert list_limits(world.project.problem, params, evaluation, True)["value"] == world.floor


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_without_a_model_one_decides_alike_in_every_period(task):
    performance = measure_rows(lived.rows(task), lived.project(task))
    value = performance["value"]
    assert value["gained"] == pytest.approx(value["realised"] - value["do_nothing"])
    totals = [each["total"] for each in performance["trend"] if each["total"] is not None]
    assert sum(totals) == pytest.approx(value["total"])


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not there")
def test_the_alert_fires_where_the_gain_is_not_above_the_floor(tmp_path):
    """Each world is a job of its own; the rule is the one that projects have."""
    worlds = {f"w{seed}": World(seed) for seed in SEEDS}
    series, fires = [], []
    for job, world in worlds.items():
        figures = {
            "value_gained_per_thousand": world.gain(),
            'performance_rows{column="",value=""}': len(world.truth),
            'mlops_limit{limit="value"}': world.floor,
            'mlops_limit{limit="min_rows"}': 500,
        }
        for name, figure in figures.items():
            metric, _, labels = name.rstrip("}").partition("{")
            labels = ",".join(filter(None, (f'job="{job}"', labels)))
            series.append({"series": f"{metric}{{{labels}}}", "values": f"{figure}x10"})
        if world.gain() <= world.floor:
            fires.append(job)
    assert 5 < len(fires) < 35
    query = {"expr": 'ALERTS{alertname="ValueLow"}', "eval_time": "5m"}
    labels = '{alertname="ValueLow",alertstate="firing",job="%s",owner_role="business_owner",'
    samples = [{"labels": f'ALERTS{labels % job}severity="ticket"}}', "value": 1} for job in fires]
    test = {"interval": "1m", "input_series": series}
    test["promql_expr_test"] = [query | {"exp_samples": samples}]
    file = tmp_path / "test.yml"
    rules = str(FILES / "deploy/monitoring/rules.yml")
    file.write_text(json.dumps({"rule_files": [rules], "tests": [test]}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
