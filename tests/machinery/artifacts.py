"""Reports as the stages write them, small and made up: for tests of what is written about them."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from mlops.core.params import Params
from mlops.core.problem import Problem
from mlops.data.contract import Contract
from mlops.evaluation.reports import Reports


def records(names, *rows):
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


PROBLEM = {
    "name": "Flights",
    "decision": "Should a passenger be warned that the flight will arrive late?",
    "kpi": "Complaints per thousand late passengers",
    "owners": {
        "business_owner": "@acme/business",
        "data_engineer": "@acme/data",
        "data_scientist": "@acme/science",
        "ml_engineer": "@acme/ml",
        "devops_engineer": "@acme/devops",
    },
    "baseline": {"description": "Nobody is warned.", "score": 0.5},
    "value": {"unit": "minutes saved", "true_positive": 20.0, "false_positive": -5.0},
}
TRAIN = {"candidates": ["linear", "hist_gradient_boosting", "lightgbm"]}
PARAMS = {"train": TRAIN}
VERDICT = "name passed measured limit meaning what_to_do owner"
LINE = {"requirement": "params.yaml:31 gates.max_loss"}
GATES = records(
    VERDICT,
    ("problem", True, "complete", "complete", "problem.yaml says why the model exists", "", ""),
    ("reject_rate", True, 0.0123, 0.05, "1.2 % of the rows break the contract", "", ""),
    ("rows", True, 23706, 200, "there are enough rows to learn from", "", ""),
    ("leak", True, 0.31, 0.8, "no input knows the answer beforehand", "", ""),
    ("baseline", True, 0.7134, 0.51, "the model is better than what is done today", "", ""),
    ("champion", True, 0.0113, 0.0, "the model is not worse than the champion", "", ""),
    ("slices", True, 0.0412, 0.1, "no group is served much worse than the whole", "", ""),
    ("parity", True, 0.0, 0.001, "the packaged model decides like the trained one", "", ""),
    ("value", True, 1312.5, 0.0, "decisions are worth more than doing nothing", "", ""),
    ("resources", True, 41.2, 900, "the run stayed within its budget", "", ""),
)
GATES = [gate | LINE for gate in GATES]
TARGETS = {
    "binary": {"name": "late", "type": "boolean", "role": "target", "required": True},
    "multiclass": {"name": "species", "type": "string", "role": "target", "required": True},
    "regression": {"name": "price", "type": "number", "role": "target", "required": True},
}
CLASSES = {
    "binary": ("false", "true"),
    "multiclass": ("Adelie", "Chinstrap", "Gentoo"),
    "regression": (),
}
COLUMNS = (
    {"name": "flight_id", "type": "integer", "role": "key", "required": True},
    {"name": "scheduled", "type": "timestamp", "role": "time", "required": True},
    {
        "name": "carrier",
        "type": "string",
        "slice": True,
        "categories": ("AA", "B6", "DL", "UA"),
        "description": "Two letters of the airline",
    },
    {"name": "origin", "type": "string", "protected": True, "categories": ("EWR", "JFK")},
    {"name": "distance", "type": "number", "minimum": 0.0, "maximum": 6000.0},
    {"name": "dep_delay", "type": "number", "known_at_decision": False},
    {"name": "tail", "type": "string", "role": "ignored"},
)
INGEST = {
    "rows": 24001,
    "sources": [{"file": "0001-flights.csv", "rows": 24001}],
}
VALIDATION = {
    "read": 24001,
    "clean": 23706,
    "quarantined": 295,
    "rejected": 251,
    "reject_rate": 0.010458,
    "reasons": records(
        "column rule rows examples",
        ("distance", "minimum", 161, ["-5", "-12", "-1"]),
        ("carrier", "category", 90, ["ZZ", "??"]),
        ("flight_id", "duplicate", 44, ["1701"]),
        ("origin", "required", 12, [None]),
        ("scheduled", "readable", 5, ["31 Feb"]),
    ),
    "duplicates": {"policy": "keep_last", "rows": 44},
}
SPLIT = {"rows": {"train": 14230, "valid": 4740, "test": 4736}, "policy": "time"}
CHOICE = {
    "candidate": "lightgbm",
    "parameters": {"learning_rate": 0.0471, "num_leaves": 31, "min_child_samples": 44},
    "inputs": ["weekday of scheduled", "hour of scheduled", "carrier", "origin", "distance"],
    "metric": "roc_auc",
    "candidates": records(
        "name score trials",
        ("lightgbm", 0.7211, 14),
        ("hist_gradient_boosting", 0.7189, 9),
        ("linear", 0.6642, 7),
        ("baseline", 0.5, 1),
    ),
}
PACKAGE = {"sha256": "cd34" * 16, "bytes": 231442}
EVALUATION = {
    "task": "binary",
    "target": "late",
    "rows": 4736,
    "primary_metric": {"name": "roc_auc", "value": 0.7134, "low": 0.6981, "high": 0.7287},
    "metrics": {"roc_auc": 0.7134, "average_precision": 0.4418, "log_loss": 0.4827},
    "baseline": {"name": "roc_auc", "value": 0.5, "source": "problem.yaml", "forecast": False},
    "threshold": 0.2137,
    "confusion": {"labels": ["false", "true"], "counts": [[2754, 991], [424, 567]]},
    "calibration": {
        "bins": [
            {"predicted": 0.05 + 0.1 * i, "observed": 0.03 + 0.097 * i, "rows": 1500 - 190 * i}
            for i in range(7)
        ],
        "error": 0.0181,
    },
    "importance": records(
        "input drop",
        ("hour of scheduled", 0.1234),
        ("carrier", 0.0456),
        ("distance", 0.0121),
        ("weekday of scheduled", -0.0008),
    ),
    "slices": records(
        "column value rows metric gap low high",
        ("carrier", "UA", 910, 0.6722, 0.0412, 0.6301, 0.7143),
        ("carrier", "DL", 705, 0.7301, -0.0167, 0.6822, 0.778),
        ("origin", "EWR", 1650, 0.7077, 0.0057, 0.6801, 0.7353),
        ("origin", "JFK", 62, 0.6611, 0.0523, None, None),
        ("origin", "missing", 3, None, None, None, None),
    ),
    "value": {
        "unit": "minutes saved",
        "per": 1000,
        "model": 1348.3,
        "do_nothing": 0.0,
        "do_nothing_means": "never acting",
        "always_act": 231.2,
        "champion": 1290.1,
        "drafted": False,
    },
    "champion": {
        "version": 6,
        "score": 0.7021,
        "difference": 0.0113,
        "low": 0.0021,
        "high": 0.0205,
        "gain": {"value": 22.4, "low": 3.1, "high": 40.0},
    },
    "champion_note": None,
}
EVALUATION["best"] = EVALUATION["champion"]
REGISTRATION = {
    "version": 7,
    "run": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "champion": True,
    "why": "better than the champion, version 6",
    "git_commit": "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "dirty": False,
    "data_version": "d41d8cd98f00b204e9800998ecf8427e",
    "packages": {"scikit-learn": "1.9.1", "lightgbm": "4.7.0", "polars": "2.1.0"},
    "python": "3.11.9",
}
USAGES = records(
    "seconds cpu_seconds peak_memory_mb read_mb written_mb",
    (1.21, 1.9, 210.0, 2.4, 1.1),
    (28.4, 51.0, 911.0, 1.0, 0.4),
    (3.3, 4.1, 402.0, 0.9, 0.1),
    (32.91, 57.0, 911.0, 4.3, 1.6),
)
RESOURCES = {
    "stages": dict(zip(("ingest", "train", "evaluate"), USAGES[:3], strict=True)),
    "total": USAGES[3],
}
SEARCH = records(
    "candidate score seconds",
    ("lightgbm", 0.7012, 1.5),
    ("hist_gradient_boosting", 0.7101, 2.5),
    ("linear", 0.6642, 0.5),
    ("lightgbm", 0.7211, 1.0),
)
REPORTS = {
    "reports/ingest.json": INGEST,
    "reports/validation.json": VALIDATION,
    "reports/split.json": SPLIT,
    "reports/gate.json": {"passed": True, "gates": GATES},
    "models/choice.json": CHOICE,
    "reports/package.json": PACKAGE,
    "reports/evaluation.json": EVALUATION,
    "reports/registration.json": REGISTRATION,
}


def no_change(files):
    pass


def blocked(files):
    """Two gates failed: the champion is better, and a slice is behind."""
    gates, evaluation = files["reports/gate.json"], files["reports/evaluation.json"]
    gates["passed"] = False
    for place, owner in ((5, "@acme/science"), (6, "@acme/fairness")):
        advice = {"what_to_do": f"Mend number {place}", "owner": owner}
        gates["gates"][place] |= {"passed": False, **advice}
    evaluation["champion"] |= {"difference": -0.0312, "low": -0.0401, "high": -0.0223}
    evaluation["slices"][0] |= {"metric": 0.55, "gap": 0.1634, "low": 0.52, "high": 0.58}
    evaluation["value"]["model"] = -312.4
    files["reports/registration.json"] |= {"champion": False, "why": "", "version": 8}


def stopped_at(name, meaning, what_to_do, owner):
    """An early gate stopped the run; the later reports are of an earlier run."""
    gates = records(VERDICT, (name, False, 0.231, 0.05, meaning, what_to_do, owner))

    def change(files):
        files["reports/gate.json"] = {"passed": False, "gates": [gates[0] | LINE]}

    return change


def first(files):
    """No champion, no slices, no quarantine, nothing known of the code."""
    evaluation, validation = files["reports/evaluation.json"], files["reports/validation.json"]
    evaluation |= {
        "champion": None,
        "best": None,
        "champion_note": "there is no champion yet",
        "slices": [],
    }
    evaluation["value"]["champion"] = None
    validation |= {"quarantined": 0, "rejected": 0, "reasons": [], "reject_rate": 0.0}
    validation["duplicates"]["rows"] = 0
    files["reports/registration.json"] |= {"git_commit": None, "dirty": None}


def regression(files):
    first(files)
    evaluation = files["reports/evaluation.json"]
    evaluation |= {
        "task": "regression",
        "target": "price",
        "threshold": None,
        "confusion": None,
        "primary_metric": {"name": "r2", "value": 0.8123, "low": 0.7912, "high": 0.8315},
        "metrics": {"r2": 0.8123, "mae": 31234.5, "rmse": 45213.9},
        "baseline": {
            "name": "r2",
            "value": -0.0412,
            "source": "the same answer for every row",
            "forecast": False,
        },
    }
    bins = [(50_000 + 43_000 * place, 48_000 + 44_500 * place, 413) for place in range(10)]
    evaluation["calibration"] = {
        "bins": records("predicted observed rows", *bins),
        "error": 5213.2,
    }
    evaluation["value"] |= {
        "model": -31234500.0,
        "do_nothing": -82345678.1,
        "do_nothing_means": "always the median",
        "always_act": None,
    }


def multiclass(files):
    first(files)
    evaluation = files["reports/evaluation.json"]
    counts = [[30, 1, 0], [2, 12, 0], [0, 0, 24]]
    evaluation |= {"task": "multiclass", "target": "species", "threshold": None}
    evaluation["confusion"] = {"labels": list(CLASSES["multiclass"]), "counts": counts}
    evaluation["primary_metric"]["name"] = "roc_auc_ovr"
    evaluation["value"] |= {
        "do_nothing": -120.1,
        "do_nothing_means": "always the most frequent class",
        "always_act": None,
    }


# A change of the reports, and the task they are of.
CASES = [
    (no_change, "binary"),
    (blocked, "binary"),
    (first, "binary"),
    (multiclass, "multiclass"),
    (regression, "regression"),
]


def contract(task="binary"):
    identity = {"id": "flights-late", "name": "flights", "task": task, "classes": CLASSES[task]}
    return Contract(**identity, columns=(*COLUMNS, TARGETS[task]))


def renamed(original, text):
    """The reports with the text in each column's name, description and category, and class."""
    columns = tuple(
        column.model_copy(
            update={"name": column.name + text, "description": text, "categories": (text,)}
        )
        for column in original.contract.columns
    )
    classes = tuple(text for _ in original.contract.classes)
    changes = {"columns": columns, "classes": classes, "id": text, "name": text}
    evaluation = deepcopy(original.evaluation)
    for entry in evaluation["slices"]:
        entry["column"] += text
    contract = original.contract.model_copy(update=changes)
    return replace(original, contract=contract, evaluation=evaluation)


def written(change=no_change):
    """Each file's path and content; `change(files)` edits them in place."""
    files = deepcopy({"problem.yaml": PROBLEM, "params.yaml": PARAMS, **REPORTS})
    change(files)
    return files


def reports(change=no_change, task="binary"):
    """What `Reports.read` returns in a project with these files."""
    files = written(change)
    contents = {Path(path).stem: content for path, content in files.items() if path in REPORTS}
    problem, params = Problem(**files["problem.yaml"]), Params(**files["params.yaml"])
    return Reports(problem, params, contract(task), **contents)


def project(folder, change=no_change):
    """Write the files of a project below `folder`."""
    usages = {f"reports/resources/{name}.json": one for name, one in RESOURCES["stages"].items()}
    for path, content in (written(change) | usages).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content), encoding="utf-8")
    lines = [",".join(map(str, [number, *one.values()])) for number, one in enumerate(SEARCH)]
    trials = "\n".join(["trial,candidate,score,seconds", *lines])
    (folder / "reports/plots").mkdir()
    (folder / "reports/plots/trials.csv").write_text(trials)
    contract().save(folder / "contract.yaml")
