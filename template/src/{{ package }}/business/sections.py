"""The page's sections on what a model does; None where a section does not apply."""

import csv

from markupsafe import Markup

from ..files import REPORTS
from ..model.reports import Report, Reports
from ..words import duration, metric, number, places, score, sentence, signed
from .charts import Scale, Table, bar, climb, dot

TRIALS = REPORTS / "plots" / "trials.csv"

CHECKS = {
    "problem": "The problem is stated",
    "reject_rate": "Few rows are set aside",
    "rows": "There are enough rows",
    "leak": "No input knows the future",
    "baseline": "Better than today",
    "champion": "Not worse than the champion",
    "slices": "No group is left behind",
    "parity": "Packaged as trained",
    "value": "Worth more than no model",
    "resources": "Within the budget",
}
OURS = "This model"
# As many as a reader takes in; reports/evaluation.json has all.
INPUTS = 20


def check(name: str) -> str:
    """A gate's name in words."""
    return CHECKS.get(name, name.replace("_", " ").capitalize())


def gates(reports: Reports) -> Report:
    verdicts = [{**gate, "title": check(gate["name"])} for gate in reports.gate["gates"]]
    return {
        "failed": [gate for gate in verdicts if not gate["passed"]],
        "passed": [gate for gate in verdicts if gate["passed"]],
    }


def worth(reports: Reports) -> Report | None:
    """Value per thousand decisions of the model and of every other way to decide."""
    value = reports.evaluation.get("value")
    if not value:
        return None
    ways = {
        OURS: value["model"],
        "Champion so far": value["champion"],
        f"No model: {value['do_nothing_means']}": value["do_nothing"],
        "No model: always acting": value["always_act"],
    }
    known = {way: amount for way, amount in ways.items() if amount is not None}
    scale, digits = Scale.over(known.values(), zero=True), places(known.values())
    unit = value["unit"] or "units"
    rows = [
        (
            way,
            bar(scale, amount, "ours" if way == OURS else ""),
            number(amount, digits),
            "" if way == OURS else signed(known[OURS] - amount, digits),
        )
        for way, amount in sorted(known.items(), key=lambda item: -item[1])
    ]
    told = f"A thousand decisions of this model are worth {number(known[OURS], digits)} {unit}."
    caption = f"Value per {value['per']:,} decisions, in {unit}"
    each = terms(reports)
    heads = ("How one decides", "", "Value", "This model's lead")
    return {"told": told, "each": each, "table": Table(caption, heads, "tdnn", rows)}


def terms(reports: Reports) -> str:
    """What the business owner has said that one decision is worth."""
    value = reports.problem.value
    worths = {
        "binary": {
            "acting rightly": value.true_positive,
            "acting in vain": value.false_positive,
            "failing to act": value.false_negative,
            "rightly not acting": value.true_negative,
        },
        "multiclass": {"a right answer": value.correct, "a wrong one": value.wrong},
        "regression": {"each unit of error": value.per_unit_of_error},
    }
    return ", ".join(
        f"{name} {number(amount)}" for name, amount in worths[reports.contract.task].items()
    )


def slices(reports: Reports) -> list[Table]:
    """A table for each column whose values are looked at apart."""
    found = reports.evaluation.get("slices") or []
    if not found:
        return []
    main, limit = reports.evaluation["primary_metric"], reports.params.gates.max_slice_gap
    ends = [entry[end] for entry in found for end in ("metric", "low", "high")]
    scale = Scale.over([main["value"], *ends], margin=0.04)
    tables = []
    for column in dict.fromkeys(entry["column"] for entry in found):
        rows = [
            (
                str(entry["value"]),
                number(entry["rows"]),
                slice_dot(scale, entry, main["value"], main["value"] - limit),
                slice_score(entry),
                behind(entry, main["value"] - limit),
            )
            for entry in found
            if entry["column"] == column
        ]
        kind = ", a protected column" if reports.contract[column].protected else ""
        caption = f"{sentence(metric(main['name']), '')} by {column}{kind}; the line: all rows"
        tables.append(Table(caption, (column, "Rows", "", "Score", "Beside all"), "tndnn", rows))
    return tables


def slice_dot(scale: Scale, entry: Report, whole: float, least: float) -> Markup:
    kind = "bad" if certainly_behind(entry, least) else ""
    return dot(scale, entry["metric"], entry["low"], entry["high"], kind=kind, whole=whole)


def slice_score(entry: Report) -> str:
    if entry["metric"] is None:
        return "cannot be told"
    return score(entry["metric"]) + (" (few rows)" if entry["low"] is None else "")


def certainly_behind(entry: Report, least: float) -> bool:
    """Even the upper bound of the slice's score is below the least that is allowed."""
    return entry["high"] is not None and entry["high"] < least


def behind(entry: Report, least: float) -> str:
    if entry["gap"] is None:
        return ""
    return signed(-entry["gap"], 3) + (", too far" if certainly_behind(entry, least) else "")


def importance(reports: Reports) -> Table | None:
    """What the model leans on, most first."""
    found = reports.evaluation.get("importance")
    if not found:
        return None
    scale = Scale.over((entry["drop"] for entry in found), zero=True)
    rows = [
        (entry["input"], bar(scale, entry["drop"]), score(entry["drop"]))
        for entry in found[:INPUTS]
    ]
    name = metric(reports.evaluation["primary_metric"]["name"])
    beyond = f" (the first {INPUTS} of {len(found)} inputs)" if len(found) > INPUTS else ""
    caption = f"Loss of {name} when an input is shuffled{beyond}"
    return Table(caption, ("Input", "", "Loss"), "tdn", rows)


def candidates(reports: Reports) -> Report | None:
    """Validation score and time of each candidate, and the course of the search."""
    choice = reports.choice
    if not choice:
        return None
    found = sorted(choice["candidates"], key=lambda entry: -entry["score"])
    scale = Scale.over((entry["score"] for entry in found), margin=0.08)
    rows = [
        (
            Markup("<b>{}</b>").format(entry["name"]) if chosen else entry["name"],
            dot(scale, entry["score"], kind="ours" if chosen else ""),
            score(entry["score"]),
            duration(entry["seconds"]),
            number(entry.get("trials")),
        )
        for entry in found
        for chosen in [entry["name"] == choice["candidate"]]
    ]
    heads = ("Candidate", "", "Score", "Time", "Trials")
    caption = f"Best {metric(choice['metric'])} of each candidate on the rows for choosing"
    finished = trials()
    settings = [(name, number(value)) for name, value in choice["parameters"].items()]
    settings.append(("inputs it reads", ", ".join(choice["inputs"])))
    return {
        "told": f"Chosen: {choice['candidate']}, which did best on the rows for choosing.",
        "table": Table(caption, heads, "tdnnn", rows),
        "climb": climb(finished) if len(finished) > 1 else None,
        "settings": Table("Chosen settings", ("Setting", "Value"), "tt", settings),
    }


def trials() -> list[Report]:
    """The finished trials in order, as reports/plots/trials.csv has them."""
    if not TRIALS.exists():
        return []
    with TRIALS.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("score")]
    return [{"candidate": row["candidate"], "score": float(row["score"])} for row in rows]
