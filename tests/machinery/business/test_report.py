from html.parser import HTMLParser
from pathlib import Path

import pytest
from mlops.business import report
from mlops.business.report import choose_headline
from mlops.core.errors import UserError
from mlops.evaluation.reports import Reports

import artifacts

VOID = {"meta", "link", "br", "img", "input", "hr"}
JINJA = "{" * 2 + " 7*7 " + "}" * 2
HOSTILE = f"</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'> & {JINJA} |"


class Parsed(HTMLParser):
    """The page's elements in order, its text by section, and whether its tags are balanced."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.sections, self.open, self.where = [], {"": ""}, [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.where = dict(attrs)["id"]
            self.sections[self.where] = ""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "section":
            self.where = ""

    def handle_data(self, data):
        if "style" not in self.open:
            self.sections[self.where] += f" {data}"

    def text(self, section=""):
        return " ".join(self.sections[section].split())


def page(shown, findings=None):
    return report.render_page(shown, artifacts.RESOURCES, artifacts.SEARCH, findings)


def parsed(change=artifacts.no_change, task="binary"):
    return Parsed(page(artifacts.reports(change, task)))


@pytest.mark.parametrize(("change", "task"), artifacts.CASES)
def test_the_page_is_well_formed_and_loads_nothing(change, task):
    text = page(artifacts.reports(change, task))
    shown = Parsed(text)
    assert shown.open == []
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert not {"script", "iframe", "img", "object", "embed"} & {tag for tag, _ in shown.elements}
    for _, attributes in shown.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert attributes.get("href", "#").startswith(("#", "data:,"))
    identities = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
    assert len(identities) == len(set(identities))
    links = {a["href"][1:] for tag, a in shown.elements if tag == "a"}
    assert links == {a["id"] for tag, a in shown.elements if tag == "section"}
    assert len(text) < 500_000


def test_drawings_are_told_in_words():
    elements = parsed().elements
    drawings = [attributes for tag, attributes in elements if tag == "svg"]
    named = {attributes.get("id") for tag, attributes in elements if tag in ("title", "desc")}
    assert drawings
    assert all(set(drawing["aria-labelledby"].split()) <= named for drawing in drawings)
    tables = [tag for tag, _ in elements if tag == "table"]
    assert len(tables) == len([tag for tag, _ in elements if tag == "caption"])
    tracks = [a for _, a in elements if a.get("class") == "track"]
    assert all(attributes["aria-hidden"] == "true" for attributes in tracks)


def test_the_same_reports_give_the_same_bytes():
    assert page(artifacts.reports()) == page(artifacts.reports())


def test_the_figures_are_those_of_the_reports():
    shown = parsed()
    figures = {
        "": ["All 10 checks passed", "1,348 minutes saved", "0.713", "0.698 and 0.729", "23,706"],
        "worth": ["This model 1,348", "Champion so far 1,290 +58", "always acting 231 +1,117"],
        "performance": [
            "0.698 to 0.729",
            "average precision 0.442",
            "log loss 0.483",
            "Baseline 0.500",
            "Champion so far 0.702",
            "version 6: +0.011 (+0.002 to +0.021)",
            "score of 0.214",
            "acts on 329 of 1,000 rows, on 120 of them rightly, and leaves out 90",
            "2,754",
            "567",
            "0.018 apart",
            "0.650 0.612 360",
        ],
        "groups": ["UA 910 0.672 −0.041", "JFK 62 0.661 (few rows) −0.052", "missing 3 n/a"],  # noqa: RUF001
        "drivers": ["hour of scheduled 0.123", "weekday of scheduled −0.001"],  # noqa: RUF001
        "candidates": [
            "lightgbm 0.721 2.5 s 14",
            "baseline 0.500 0.0 s 1",
            "num_leaves 31",
            "carrier, origin, distance",
        ],
        "data": [
            "24,001 rows read: 23,706 valid, 295 quarantined. 251 rows broke the contract (1",
            "distance is below the minimum 161 “-5”, “-12”, “-1”",
            "44 rows left out, as their key comes again; the last one was kept",
            "origin is missing 12 scheduled cannot be read 5",
            "14,230 rows to learn from, 4,740 to choose on, 4,736 to judge by",
            "0001-flights.csv 24,001",
        ],
        "resources": [
            "33 s in all, of 15 min allowed",
            "911 MB",
            "train 28 s 51 s 911 MB 1 MB / 0.4",
        ],
        "lineage": [
            "flights-late, version 1.0.0",
            "Model version 7",
            "9fceb02d0ae598e95dc970b74767f19372d61af8",
            "d41d8cd98f00b204e9800998ecf8427e",
            "cd34" * 16,
            "polars 2.1.0",
            "ML engineer @acme/ml",
        ],
    }
    for section, texts in figures.items():
        for text in texts:
            assert text in shown.text(section), section


def test_every_gate_is_told_with_its_figures():
    checks = parsed().text("checks")
    for gate in artifacts.GATES:
        assert f"Gate {gate['name']}: measured" in checks
        assert f"Required by {gate['requirement']}." in checks
    assert checks.count("passed") == len(artifacts.GATES)
    assert "blocked" not in checks


def test_a_blocked_run_says_so_first_and_who_does_what():
    shown = parsed(artifacts.blocked)
    assert "Do not release this model." in shown.text()
    assert "2 checks of 10 failed" in shown.text()
    assert "312 minutes saved less than never acting" in shown.text()
    assert "kept as version 8, a candidate" in shown.text()
    assert list(shown.sections)[1] == "checks"
    checks = shown.text("checks")
    assert "To do, @acme/fairness: Mend number 6." in checks
    assert checks.index("Mend number 5") < checks.index("8 passed")
    assert "worse than the champion, version 6: −0.031" in shown.text("performance")  # noqa: RUF001
    assert "0.550 −0.163, too far" in shown.text("groups")  # noqa: RUF001


def test_a_first_run_has_no_champion_slices_or_quarantine():
    shown = parsed(artifacts.first)
    assert "there is no champion yet" in shown.text("performance")
    assert "Champion so far" not in shown.text("worth")
    assert "groups" not in shown.sections
    assert "0 quarantined" in shown.text("data")
    assert "Git commit" not in shown.text("lineage")


def waiting(files):
    files["reports/validation.json"] |= {
        "read": 24021,
        "unlabelled": 20,
        "unseen": [{"column": "tail", "rows": 7, "examples": ["N1"]}],
    }


def test_rows_without_a_label_and_unseen_categories_are_told():
    data = parsed(waiting).text("data")
    assert "20 rows without a label yet, kept in data/unlabelled.parquet" in data
    assert "tail: unseen categories in 7 rows." in data
    assert "without a label" not in parsed(artifacts.first).text("data")


def of_a_forecast(files):
    files["reports/evaluation.json"]["baseline"]["forecast"] = True


def test_a_forecast_is_called_one():
    assert "This is a forecast" in parsed(of_a_forecast).text()
    assert "This is a forecast" not in parsed().text()


def test_other_tasks_leave_out_what_does_not_apply():
    several, number = (
        parsed(artifacts.multiclass, "multiclass"),
        parsed(artifacts.regression, "regression"),
    )
    assert "said Chinstrap" in several.text("performance")
    assert "Acting from" not in several.text("performance")
    assert "always the most frequent class" in several.text("worth")
    assert "Right and wrong decisions" not in number.text("performance")
    assert "mean absolute error 31,234" in number.text("performance")
    assert "+51,111,178" in number.text()


def test_what_cannot_be_told_is_said():
    def untold(files):
        evaluation = files["reports/evaluation.json"]
        evaluation["primary_metric"] |= {"value": None, "low": None, "high": None}
        evaluation["baseline"]["value"] = None
        evaluation["champion"] |= {"difference": None, "low": None, "high": None, "score": None}
        evaluation["importance"] = [{"input": "distance", "drop": None}]
        evaluation["slices"] = []

    shown = parsed(untold)
    assert "The test rows cannot tell it from the champion." in shown.text("performance")
    assert "not known" in shown.text("drivers")


@pytest.mark.parametrize(("change", "task"), artifacts.CASES)
def test_no_text_can_become_html(change, task):
    def hostile(files):
        change(files)
        spoil(files)

    def harmless(files):
        change(files)
        spoil(files, "harmless")

    bad, good = parsed(hostile, task), parsed(harmless, task)
    shape = [(tag, sorted(attributes)) for tag, attributes in good.elements]
    assert [(tag, sorted(attributes)) for tag, attributes in bad.elements] == shape
    assert HOSTILE in bad.text()
    assert "49" not in bad.text("lineage")


def test_changes_since_the_commit_are_owned_up_to():
    def dirty(files):
        files["reports/registration.json"]["dirty"] = True

    assert "Its files changed since" in parsed(dirty).text("lineage")
    assert "Its files" not in parsed().text("lineage")


def test_long_lists_are_cut_and_say_so():
    def wide(files):
        many = [{"input": f"input {place}", "drop": 1 / (place + 1)} for place in range(300)]
        files["reports/evaluation.json"]["importance"] = many
        reason = files["reports/validation.json"]["reasons"][0]
        files["reports/validation.json"]["reasons"] = [reason] * 30

    shown = parsed(wide)
    assert "the first 20 of 300 inputs" in shown.text("drivers")
    assert "input 20" not in shown.text("drivers")
    assert "the first 8 of 30 reasons" in shown.text("data")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_no_name_of_a_column_can_become_html(task):
    change = {"multiclass": artifacts.multiclass, "regression": artifacts.regression}
    shown = artifacts.reports(change.get(task, artifacts.no_change), task)
    bad, good = (Parsed(page(artifacts.renamed(shown, text))) for text in (HOSTILE, "harmless"))
    shape = [(tag, sorted(attributes)) for tag, attributes in good.elements]
    assert [(tag, sorted(attributes)) for tag, attributes in bad.elements] == shape


def spoil(files, text=HOSTILE):
    """Put the text wherever a person or the data could."""
    problem, evaluation = files["problem.yaml"], files["reports/evaluation.json"]
    problem |= {"name": text, "decision": text, "kpi": text}
    problem["owners"]["business_owner"] = text
    for verdict in files["reports/gate.json"]["gates"]:
        verdict |= {"name": text, "measured": text, "meaning": text, "owner": text}
        verdict["requirement"] = text
        verdict["what_to_do"] = text
    evaluation["value"]["unit"] = text
    for entry in evaluation["slices"]:
        entry["value"] = text
    for entry in evaluation["importance"]:
        entry["input"] = text
    if evaluation["confusion"]:
        evaluation["confusion"]["labels"] = [text for _ in evaluation["confusion"]["labels"]]
    for reason in files["reports/validation.json"]["reasons"]:
        reason |= {"column": text, "rule": text, "examples": [text]}
    files["reports/ingest.json"]["sources"][0] |= {"file": text}
    choice = files["models/choice.json"]
    choice |= {"parameters": {text: text}, "candidate": text}
    choice["candidates"][0]["name"] = text
    files["reports/registration.json"] |= {"packages": {text: text}, "run": text}


def test_the_stage_writes_page_cards_and_resources(tmp_path, monkeypatch, capsys):
    artifacts.project(tmp_path)
    monkeypatch.chdir(tmp_path)
    report.run()
    shown = Parsed(Path("reports/index.html").read_text(encoding="utf-8"))
    assert "4 trials; the best went from 0.701 to 0.721" in shown.text("candidates")
    assert "# Model card" in Path("docs/model-card.md").read_text(encoding="utf-8")
    assert "# Data card" in Path("docs/data-card.md").read_text(encoding="utf-8")
    assert '"cpu_seconds": 57.0' in Path("reports/resources.json").read_text(encoding="utf-8")
    assert "Release this model." in capsys.readouterr().out


def test_a_run_stopped_early_shows_nothing_of_the_run_before(tmp_path, monkeypatch):
    stopped = artifacts.stopped_at(
        "reject_rate", "23.1 % are bad", "Have the data delivered as agreed", "@acme/data"
    )
    artifacts.project(tmp_path, stopped)
    monkeypatch.chdir(tmp_path)
    report.run()
    shown = Parsed(Path("reports/index.html").read_text(encoding="utf-8"))
    assert set(shown.sections) == {"", "checks", "data", "lineage"}
    assert "The run stopped before a model was made" in shown.text()
    assert "To do, @acme/data: Have the data delivered as agreed." in shown.text("checks")
    assert not Path("docs/model-card.md").exists()


def test_a_run_stopped_at_the_split_knows_its_data(tmp_path, monkeypatch):
    artifacts.project(tmp_path, artifacts.stopped_at("rows", "too few rows", "Wait", "@acme/data"))
    monkeypatch.chdir(tmp_path)
    shown = Reports.read()
    assert shown.split == artifacts.SPLIT
    assert shown.evaluation == {}
    assert choose_headline(shown) == "There is no new model."


def test_words_of_the_template_are_told_at_the_top():
    def drafted(files):
        files["problem.yaml"] |= {"decision": "Which cases should be acted on, by their y?"}

    assert "To be said first" not in page(artifacts.reports())
    text = page(artifacts.reports(drafted))
    assert "To be said first, by " in text
    assert "the template's words for decision, " in text


def test_without_a_run_there_is_no_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"gate\.json is not there yet"):
        report.run()


def test_the_profile_of_the_table_is_linked_where_it_is_made():
    shown = artifacts.reports()
    found = [{"severity": "high"}, {"severity": "low"}, {"severity": "high"}]
    linked = Parsed(page(shown, found))
    assert [a["href"] for tag, a in linked.elements if tag == "a"].count("profile.html") == 1
    assert "shows each column, and has 3 findings: 2 high, 1 low." in linked.text("data")
    assert "and has no finding." in Parsed(page(shown, [])).text("data")
    assert "profile.html" not in page(shown)


def test_what_a_gate_could_not_judge_is_seen_beside_what_has_passed():
    def warn(files):
        files["reports/gate.json"]["gates"][0]["warning"] = "too few test rows to judge region = B"

    text = " ".join(Parsed(page(artifacts.reports(warn, "binary"))).sections.values())
    assert "checks passed, 1 with a warning" in text
    assert "passed with a warning" in text
    assert "Warning: Too few test rows to judge region = B." in " ".join(text.split())
    assert "with a warning" not in " ".join(parsed().sections.values())
