"""The page's section on how good a model is: score, right and wrong decisions, calibration."""

from markupsafe import Markup

from ..model.reports import Report, Reports
from ..words import count, metric, number, percent, score, sentence, signed
from .charts import Scale, Table, calibration, dot, draw

MEANINGS = {
    "roc_auc": "The score is the chance that a row with the outcome is ranked above one without: "
    "0.5 is guessing, 1 is perfect.",
    "roc_auc_ovr": "The score is the chance that a row of a class is ranked above one of another: "
    "0.5 is guessing, 1 is perfect.",
    "average_precision": "The score is the share of right alarms, averaged over how many cases "
    "are to be found: 1 is perfect.",
    "accuracy": "The score is the share of right answers.",
    "f1_macro": "The score weighs false alarms and missed cases alike: 1 is perfect.",
    "r2": "The score is the share of the differences between rows that is explained: "
    "0 is always saying the average, 1 is perfect.",
}


def performance(reports: Reports) -> Report | None:
    """The primary metric with its interval, beside the baseline's and the champion's."""
    evaluation = reports.evaluation
    if not evaluation:
        return None
    main, base = evaluation["primary_metric"], evaluation["baseline"]
    champion = evaluation["champion"] or {}
    marks = [
        ("This model", main["value"], main["low"], main["high"], "ours"),
        ("Champion so far", champion.get("score"), None, None, ""),
        ("Baseline", base["value"], None, None, ""),
    ]
    scale = Scale.over([v for _, *values, _ in marks for v in values], margin=0.08)
    rows = [
        (
            label,
            dot(scale, value, low, high, kind=kind),
            score(value),
            f"{score(low)} to {score(high)}" if low is not None else "",
        )
        for label, value, low, high, kind in marks
        if value is not None
    ]
    sure = f"{100 * reports.params.evaluate.confidence:g} % interval"
    figures = [(metric(key), score(value)) for key, value in evaluation["metrics"].items()]
    caption = f"{sentence(metric(main['name']), '')} on {count(evaluation['rows'], 'row')}"
    return {
        "told": " ".join(
            ["Judged on data that no choice was made on.", meaning(main["name"]), *against(reports)]
        ),
        "table": Table(caption, ("", "", "Score", sure), "tdnn", rows),
        "metrics": Table("Metrics on the test rows", ("Metric", "Value"), "tn", figures),
    }


def meaning(name: str) -> str:
    """A metric for someone who never met it."""
    otherwise = "The score is an error with a minus: the nearer to 0, the better."
    return MEANINGS.get(name, otherwise if name.startswith("neg_") else "The more, the better.")


def against(reports: Reports) -> list[str]:
    """How the model does beside the champion, or why that cannot be told."""
    champion = reports.evaluation["champion"]
    if not champion:
        return [sentence(f"no comparison with a champion: {reports.evaluation['champion_note']}")]
    low, high = champion["low"], champion["high"]
    if low is None or high is None:
        return ["The test rows cannot tell it from the champion."]
    sure = "better" if low > 0 else "worse" if high < 0 else "neither clearly better nor worse"
    return [
        f"On the same rows it is {sure} than the champion, version {champion['version']}: "
        f"{signed(champion['difference'], 3)} ({signed(low, 3)} to {signed(high, 3)})."
    ]


def confusion(reports: Reports) -> Report | None:
    """What was decided for what was true; shaded by the share of the row."""
    found = reports.evaluation.get("confusion")
    if not found:
        return None
    labels, counts = [str(label) for label in found["labels"]], found["counts"]
    rows = [
        (label, *(heat(amount, sum(row)) for amount in row))
        for label, row in zip(labels, counts, strict=True)
    ]
    told = ""
    if reports.contract.task == "binary":
        (_, false), (missed, true) = counts
        per = 1000 / (sum(map(sum, counts)) or 1)
        told = (
            f"Acting from a score of {number(reports.evaluation['threshold'])} on, it acts on "
            f"{number((false + true) * per, 0)} of 1,000 rows, on {number(true * per, 0)} of them "
            f"rightly, and leaves out {number(missed * per, 0)} it should have acted on."
        )
    caption = f"Rows by what {reports.contract.target.name} was (down) and what was said (across)"
    heads = (f"{reports.contract.target.name} was", *(f"said {label}" for label in labels))
    return {"told": told, "table": Table(caption, heads, "t" + "n" * len(labels), rows)}


def heat(amount: int, whole: int) -> Markup:
    share = amount / (whole or 1)
    return draw(
        '<span class="heat" style="--heat:{:.0f}%">{} <small>{}</small></span>',
        *(45 * share, number(amount), percent(share, 0)),
    )


def calibrated(reports: Reports) -> Report | None:
    found = reports.evaluation.get("calibration")
    if not found or not found["bins"]:
        return None
    shares = reports.contract.task != "regression"
    rows = [(score(b["predicted"]), score(b["observed"]), number(b["rows"])) for b in found["bins"]]
    off = f"On average they are {number(found['error'])} apart."
    return {
        "title": "Do the scores mean what they say?" if shares else "Are the numbers right?",
        "told": (f"On the dashed line, what is predicted is what happens. {off}"),
        "drawing": calibration(found["bins"], shares),
        "table": Table("Points of the chart", ("Predicted", "Observed", "Rows"), "nnn", rows),
    }
