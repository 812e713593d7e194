import pytest
from markdown_it import MarkdownIt
from mlops.core.formatting import number, percent, score, signed
from mlops.data.contract import Column
from mlops.evaluation import cards
from mlops.evaluation.cards import describe_rules, escape_markdown
from mlops.gates import requirement_table
from mlops.gates.own_gates import Gate
from mlops.gates.requirement_table import list_requirements

import artifacts

JINJA = "{" * 2 + " 7777*7777 " + "}" * 2
HOSTILE = (
    "a|b <script>alert(1)</script> `x` *y* _z_ [l](http://e) ![i](x)\n# head\n\n- item " + JINJA
)


def model_card(reports):
    return cards.render_card("model-card.md", reports)


def data_card(reports):
    return cards.render_card("data-card.md", reports)


def requirements(reports):
    return cards.render_card("requirements.md", reports)


def tokens(text):
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def shape(text):
    """The kinds of the parts of a document, with the words left out."""
    kinds = []
    for token in tokens(text):
        inside = [child.type for child in token.children or () if child.type != "text"]
        kinds.append((token.type, token.tag, inside))
    return kinds


def rows(text):
    """The first cell of each table row, and the others."""
    cells_of, cells = {}, None
    for token in tokens(text):
        if token.type == "tr_open":
            cells = []
        elif token.type == "inline" and cells is not None:
            cells.append("".join(child.content for child in token.children))
        elif token.type == "tr_close":
            cells_of[cells[0]] = cells[1:]
            cells = None
    return cells_of


def test_the_model_card_agrees_with_the_reports():
    cells_of, evaluation = rows(model_card(artifacts.reports())), artifacts.EVALUATION
    primary = evaluation["primary_metric"]
    interval = f"({score(primary['low'])} to {score(primary['high'])})"
    assert cells_of["area under the ROC curve"] == [f"{score(primary['value'])} {interval}"]
    assert cells_of["the same, of the baseline (problem.yaml)"] == [score(0.5)]
    assert cells_of["average precision"] == [score(evaluation["metrics"]["average_precision"])]
    assert cells_of["Acts from a score of"] == [number(evaluation["threshold"])]
    assert cells_of["Version"] == ["7"]
    assert cells_of["Kind"] == ["lightgbm, binary"]
    assert cells_of["Git commit"] == [artifacts.REGISTRATION["git_commit"]]
    assert artifacts.PACKAGE["sha256"] in cells_of["File"][0]
    for entry in evaluation["importance"]:
        assert cells_of[entry["input"]] == [score(entry["drop"])]
    for gate in artifacts.GATES:
        verdict, measured, limit, meaning = cells_of[gate["name"]]
        assert verdict == "passed"
        assert [measured, limit] == [number(gate["measured"]), number(gate["limit"])]
        assert meaning == gate["meaning"]


def test_every_slice_is_on_the_model_card():
    cells_of = rows(model_card(artifacts.reports()))
    for entry in artifacts.EVALUATION["slices"]:
        count, reached, behind = cells_of[f"{entry['column']}: {entry['value']}"]
        assert count == number(entry["rows"])
        assert reached.removesuffix(" (few rows)") == score(entry["metric"])
        assert behind == ("" if entry["gap"] is None else signed(-entry["gap"], 3))


def test_the_data_card_agrees_with_the_reports_and_the_contract():
    text = data_card(artifacts.reports())
    cells_of, validation = rows(text), artifacts.VALIDATION
    assert cells_of["Read"] == [number(validation["read"])]
    assert cells_of["Fit for use"] == [number(validation["clean"])]
    assert cells_of["In quarantine"] == [number(validation["quarantined"])]
    assert cells_of["of these, breaking the contract"] == [number(validation["rejected"])]
    assert cells_of["0001-flights.csv"] == ["24,001"]
    assert percent(validation["reject_rate"], 2) in text
    for column in artifacts.contract().columns:
        cells = cells_of[column.name]
        assert cells[:2] == [column.type, column.role]
        assert cells[2] == describe_rules(column)
    assert cells_of["dep_delay"][3] == "no: the model never sees it"
    assert cells_of["origin"][4] == "protected"


def test_the_data_card_holds_no_value_of_the_data():
    text = data_card(artifacts.reports())
    for value in ("31 Feb", "-12", "ZZ", "1701"):
        assert value not in text


def test_the_requirements_are_those_of_the_table():
    reports = artifacts.reports()
    lines = requirements(reports).splitlines()
    for row in list_requirements(reports.problem, reports.params):
        test = escape_markdown(row.test)
        [line] = [x for x in lines if f"| {row.asks} | {row.gate} |" in x and f" {test} |" in x]
        assert f"| {row.owner} |" in line
        assert all((entry.name or "columns") in line for entry, _ in row.demands)


def test_a_blocked_model_is_not_called_fit():
    text = model_card(artifacts.reports(artifacts.blocked))
    assert "**Not fit for release.** 2 gates failed: champion and slices." in text
    assert rows(text)["slices"][0] == "FAILED"


def test_other_tasks_leave_out_what_does_not_apply():
    text = model_card(artifacts.reports(artifacts.regression, "regression"))
    assert "Acts from" not in text
    assert "groups were not looked at" in text
    assert "there is no champion yet" in text
    assert rows(text)["mean absolute error"] == ["31,234"]


@pytest.mark.parametrize(("change", "task"), artifacts.CASES)
@pytest.mark.parametrize("card", [model_card, data_card, requirements])
def test_no_text_can_break_the_markdown(card, change, task):
    def spoil(text):
        def edit(files):
            change(files)
            files["problem.yaml"] |= {"name": text, "decision": text, "kpi": text}
            files["problem.yaml"]["owners"]["data_engineer"] = text
            files["models/choice.json"] |= {"parameters": {text: text}, "candidate": text}
            files["reports/ingest.json"]["sources"][0]["file"] = text
            for reason in files["reports/validation.json"]["reasons"]:
                reason |= {"column": text, "rule": text}
            for entry in files["reports/evaluation.json"]["slices"]:
                entry |= {"column": text, "value": text}
            for verdict in files["reports/gate.json"]["gates"]:
                verdict |= {"name": text, "meaning": text, "measured": text}

        return card(artifacts.reports(edit, task))

    bad, good = spoil(HOSTILE), spoil("harmless")
    assert shape(bad) == shape(good)
    assert "60481729" not in bad


@pytest.mark.parametrize("card", [model_card, data_card])
def test_no_name_of_a_column_can_break_the_markdown(card):
    bad, good = (
        card(artifacts.renamed(artifacts.reports(), text)) for text in (HOSTILE, "harmless")
    )
    assert shape(bad) == shape(good)
    assert "<script>" not in MarkdownIt("commonmark", {"html": True}).enable("table").render(bad)


def test_plain_names_are_left_as_they_are():
    assert escape_markdown("dep_delay of @acme/data, 1.5 %") == "dep_delay of @acme/data, 1.5 %"
    assert escape_markdown("_x_ a|b\n# c") == r"\_x\_ a\|b \# c"


def test_rules_are_told_in_words():
    column = Column(
        name="x", type="number", required=True, minimum=0.0, maximum=6000.0, categories=("a",)
    )
    assert (
        describe_rules(column) == "never missing, at least 0, at most 6,000, one of 1 allowed text"
    )
    assert describe_rules(Column(name="x", type="number")) == ""


def test_the_card_of_the_last_model_stays_when_a_run_makes_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cards.write_cards(artifacts.reports()) == [
        cards.REQUIREMENTS,
        cards.DATA_CARD,
        cards.MODEL_CARD,
    ]
    before = cards.MODEL_CARD.read_bytes()

    def without(files):
        files["reports/evaluation.json"] = {}

    assert cards.write_cards(artifacts.reports(without)) == [cards.REQUIREMENTS, cards.DATA_CARD]
    assert cards.MODEL_CARD.read_bytes() == before
    assert before.endswith(b"\n")


def test_a_gate_of_the_team_s_is_among_them_by_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reports = artifacts.reports()
    own = Gate("workload", "Few enough to handle", "business_owner", lambda _: None)
    monkeypatch.setattr(requirement_table, "load_own_gates", lambda: (own,))
    text = requirements(reports)
    row = next(line for line in text.splitlines() if "Few enough to handle" in line)
    assert escape_markdown(own.place.file) in row
    assert "workload" in row
