"""Decisions from made-up figures, and the whole command on a small scale."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from mlops.business.prices import Kind, Prices, Usage
from mlops.business.storage_page import assemble_report, bench, judge, render_page
from mlops.core.errors import BlockedError, UserError
from mlops.core.params import Limits
from mlops.gates.yaml_location import Entry

from samples import bundled

GB = 1e9
USAGE = Usage(
    versions_kept=10, versions_written=2, full_reads=50, outside_share=0.5, hour_is_worth=36.0
)


def kind(name, *schemes, gb_month=0.0, writes=0.0, reads=0.0, egress=0.0):
    return Kind(
        name=name,
        schemes=list(schemes),
        gb_month=gb_month,
        thousand_writes=writes,
        ten_thousand_reads=reads,
        egress_gb=egress,
    )


DISK = kind("disk", "file", gb_month=0.5)
CLOUD = kind("cloud", "s3", gb_month=0.01)


def prices(*kinds):
    return Prices.model_validate(
        {
            "as_of": date(2020, 1, 1),
            "currency": "EUR",
            "usage": USAGE,
            "kinds": [*kinds],
        }
    )


def place(name, scheme, mb_s, fault=""):
    block = {"requests": 9, "p50_ms": 1.0, "p99_ms": 8.0, "iops": 100.0, "mb_s": mb_s}
    figures = [
        {"action": action, "order": order, "block": size, **block}
        for action in ("write", "read")
        for order, size in (("sequential", "large"), ("random", "small"))
    ]
    about = {"name": name, "url": f"{scheme}://x", "scheme": scheme, "how": "as it is"}
    return {**about, "fault": fault, "figures": [] if fault else figures}


def advice(*places, known=(DISK, CLOUD), sample=None, gates=()):
    return assemble_report(list(places), sample or {}, prices(*known), list(gates))["advice"]


def test_a_bill_is_storage_requests_and_egress():
    each = kind("x", gb_month=0.2, writes=5.0, reads=40.0, egress=0.1)
    size = 2 * GB  # 250 parts
    storage, writes, reads = 10 * 2 * 0.2, 2 * 250 / 1000 * 5, 50 * 250 / 10_000 * 40
    assert each.bill(size, USAGE) == pytest.approx(storage + writes + reads + 50 * 0.5 * 2 * 0.1)
    assert kind("free").bill(size, USAGE) == 0


def test_what_costs_least_with_the_waiting_is_used():
    """1 GB: the disk costs 5 and 50 s of waiting at a cent; the cloud 0.10 and its waiting."""
    quick = advice(place("local", "file", 1000.0), place("remote", "s3", 500.0))
    assert "Leave its versions on cloud: nothing measured costs less. It is 1.10 EUR" in quick
    slow = advice(place("local", "file", 1000.0), place("remote", "s3", 10.0))
    assert "Keep its versions on disk: 5.50 EUR" in slow
    assert "cloud, as now, costs 50.10" in slow
    assert "Work on a copy in data/" in slow


def test_small_change_moves_nothing():
    cheap = kind("disk", "file", gb_month=0.0)
    text = advice(
        place("local", "file", 1000.0), place("remote", "s3", 900.0), known=(cheap, CLOUD)
    )
    assert "Leave its versions on cloud: disk would save 0.16" in text
    assert "a copy saves no time" in text


def test_what_was_not_measured_is_not_recommended_but_named():
    text = advice(place("local", "file", 1000.0), place("remote", "s3", 0, "no route to host"))
    assert "At remote: no route to host." in text
    assert "Keep its versions on disk" in text
    assert "The bill alone of cloud is lower: give its URL" in text


def test_a_place_beyond_its_limits_is_not_recommended():
    disk, cloud = place("local", "file", 1000.0), place("remote", "s3", 10.0)
    gates = list(judge(disk, Limits(max_read_p99_ms=1.0), "@acme/devops"))
    text = advice(disk, cloud, gates=gates)
    assert "left out: local." in text
    assert "Leave its versions on cloud" in text
    assert "Nothing that may be used" in advice(disk, cloud, known=[DISK], gates=gates)


def test_the_format_of_least_work_in_a_month_is_used():
    csv = {"name": "CSV", "bytes": 10**6, "write_s": 0.1, "read_s": 0.2, "columns_s": 0.2}
    packed = {"name": "Parquet", "bytes": 10**5, "write_s": 3.0, "read_s": 0.1, "columns_s": 0.1}
    sample = {"rows": 10, "of": 1000, "formats": [csv, packed]}
    both = (place("local", "file", 1000.0), place("remote", "s3", 500.0))
    text = assemble_report(list(both), sample, prices(DISK), [])
    assert text["advice"].startswith("Keep the table as Parquet")
    assert text["size"] == 10**7
    packed["read_s"] = 0.4
    again = assemble_report(list(both), sample, prices(DISK), [])
    assert again["advice"].startswith("Keep the table as CSV")
    assert "no table yet" in advice(*both)


@pytest.mark.parametrize(
    ("limits", "measured"),
    [
        ({"max_read_p99_ms": 7.0}, 8.0),
        ({"max_write_p99_ms": 7.0}, 8.0),
        ({"min_read_mb_s": 101.0}, 100.0),
        ({"min_write_mb_s": 101.0}, 100.0),
    ],
)
def test_each_limit_blocks_and_says_what_to_do(limits, measured):
    local = place("local", "file", 100.0)
    (verdict,) = judge(local, Limits(**limits), "@acme/devops")
    (name,) = limits
    assert (verdict.passed, verdict.measured) == (False, measured)
    assert f"storage.local.{name}: BLOCKED" in verdict.sentence()
    assert f"change storage.local.{name}" in verdict.what_to_do
    where = str(Entry("params.yaml", f"storage.local.{name}"))
    assert verdict.sentence().endswith(f"(for @acme/devops; required by {where})")
    (fine,) = judge(local, Limits(**{name: measured}), "@acme/devops")
    assert fine.passed


def test_without_limits_nothing_is_judged_and_what_is_not_measured_does_not_pass():
    away = place("remote", "s3", 0, "no route to host")
    assert list(judge(away, Limits(), "x")) == []
    (verdict,) = judge(away, Limits(min_read_mb_s=1.0), "@acme/data")
    assert not verdict.passed
    assert "no route to host" in verdict.sentence()


def test_the_page_tells_it_all_and_escapes_it():
    hostile = place("local", "file", 1000.0)
    hostile["url"] = "file://<s>"
    gates = list(judge(hostile, Limits(max_read_p99_ms=1.0, min_read_mb_s=1.0), "<i>"))
    report = assemble_report(
        [hostile, place("remote", "s3", 0, "<u>")], {}, prices(DISK, CLOUD), gates
    )
    text = render_page(report, "<em>")
    assert not {"<s>", "<i>", "<u>", "<em>"} & set(re.findall(r"<\w+>", text))
    assert {"&lt;s&gt;", "&lt;i&gt;", "&lt;u&gt;", "&lt;em&gt;"} <= set(
        re.findall(r"&lt;\w+&gt;", text)
    )
    assert "There is no table yet" in text
    assert "illustrative" in text
    assert "Blocked" in text
    assert not re.search(r"(src|href)=\"(?!data:)", text)


PARAMS = "train: {candidates: [baseline]}\n"
PRICES = {
    "as_of": date(2020, 1, 1),
    "currency": "EUR",
    "usage": USAGE.model_dump(),
    "kinds": [DISK.model_dump()],
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    Path("prices.yaml").write_text(yaml.safe_dump(PRICES))
    Path("problem.yaml").write_text('name: Orders\nowners: {devops_engineer: "@acme/devops"}\n')
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/0001-orders.csv").write_text("order,city\n1,A\n2,B\n")
    bundled(Path("data/raw/0001-orders.csv"))
    return tmp_path


def test_the_command_measures_and_reports(project):
    lines = bench([f"file://{project}"], 0.2, 4)
    assert [line.split(":")[0] for line in lines[:3]] == ["local", "remote", "file"]
    report = json.loads(Path("reports/storage.json").read_text())
    assert [len(each["figures"]) for each in report["places"]] == [8, 0, 8]
    assert report["sample"]["of"] == 2
    assert report["advice"] == lines[3]
    assert "Orders" in Path("reports/storage.html").read_text()
    left = sorted(path.name for path in Path("data").rglob("*"))
    assert left == ["0001-orders.csv", "log.jsonl", "raw"]


def test_a_broken_budget_blocks_after_the_report_is_written(project):
    Path("params.yaml").write_text(PARAMS + "storage: {local: {min_read_mb_s: 1000000000} }\n")
    with pytest.raises(BlockedError, match=r"storage\.local\.min_read_mb_s: BLOCKED") as caught:
        bench([], 0.1, 4)
    assert "(for @acme/devops; required by params.yaml:" in str(caught.value)
    assert not json.loads(Path("reports/storage.json").read_text())["passed"]
    assert "blocked" in Path("reports/storage.html").read_text()


def test_a_mistake_in_the_prices_is_a_sentence_before_anything_is_measured(project):
    Path("prices.yaml").write_text(yaml.safe_dump({**PRICES, "currensy": "EUR"}))
    with pytest.raises(UserError, match=r"prices\.yaml: currensy: this key is not known"):
        bench([], 0.1, 4)
    assert not Path("reports").exists()
