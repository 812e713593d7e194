"""Reports as text for people, and as JSON, SARIF and JUnit for machines."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from .findings import Finding, Report
from .rules import RULES


def as_text(reports: Sequence[Report]) -> str:
    """Write a sentence a line; what is waived comes last and says why."""
    return "\n".join(line for report in reports for line in format_lines(report))


def format_lines(report: Report) -> list[str]:
    """Write one report, its last line with the counts."""
    if report.broken:
        return [f"broken   {report.broken}"]
    ordered = sorted(report.findings, key=lambda finding: finding.waived is not None)
    lines = [
        f"waived   {finding.rule}: {finding.message} Waived: {finding.waived}"
        if finding.waived
        else f"{finding.severity:<8} {finding.rule}: {finding.message}"
        for finding in ordered
    ]
    at = f" at {report.version}" if report.version else ""
    return [*lines, f"{report.repository}{at}: {count_findings(report.findings)}"]


def count_findings(findings: Sequence[Finding]) -> str:
    """Count findings by severity, for example: 2 errors, 1 waived."""
    kinds = ["waived" if finding.waived else finding.severity for finding in findings]
    words = [
        f"{kinds.count(kind)} {kind}{'' if kind == 'waived' or kinds.count(kind) == 1 else 's'}"
        for kind in ("error", "warning", "note", "waived")
        if kind in kinds
    ]
    return ", ".join(words) or "all standards are kept"


def as_json(reports: Sequence[Report]) -> str:
    """Write a list with an object for each report."""
    return json.dumps([report.as_dict() for report in reports], indent=2)


def as_sarif(reports: Sequence[Report]) -> str:
    """Write SARIF 2.1.0 with one run for each repository, as code hosts take it."""
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    runs = [make_sarif_run(report) for report in reports]
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": runs}, indent=2)


def make_sarif_run(report: Report) -> dict[str, Any]:
    """Make the SARIF run of one repository, as the schema names its fields."""
    names = sorted({finding.rule for finding in report.findings})
    driver = {
        "name": "copier-mlops",
        "version": version("copier-mlops"),
        "rules": [
            {"id": name, "shortDescription": {"text": describe_rule(name)}} for name in names
        ],
    }
    notes = [{"level": "error", "message": {"text": report.broken}}] if report.broken else []
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"copier-mlops/{report.repository.strip('/')}"},
        "results": make_sarif_results(report.findings),
        "invocations": [
            {"executionSuccessful": not report.broken, "toolExecutionNotifications": notes}
        ],
    }


def make_sarif_results(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Make the SARIF results, each with a fingerprint that stays when lines move."""
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        said = re.sub(r":\d+", "", finding.message)
        text = "\0".join([finding.rule, finding.path or "", said])
        mark = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]
        seen[mark] += 1
        fingerprint = {"partialFingerprints": {"finding/v1": f"{mark}:{seen[mark]}"}}
        results.append(make_sarif_result(finding) | fingerprint)
    return results


def make_sarif_result(finding: Finding) -> dict[str, Any]:
    """Make the SARIF result of one finding, suppressed if it is waived."""
    path = quote(finding.path or ".copier-answers.yml", errors="surrogateescape")
    place = {"artifactLocation": {"uri": path}}
    region = {"region": {"startLine": finding.line or 1}}
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place | region}],
    }
    if finding.waived:
        result["suppressions"] = [{"kind": "external", "justification": finding.waived}]
    return result


def as_junit(reports: Sequence[Report]) -> str:
    """Write a suite for each repository with a case for each rule, failed where it is broken."""
    root = ElementTree.Element("testsuites", name="copier-mlops")
    for report in reports:
        add_junit_suite(root, report)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode")


def add_junit_suite(root: ElementTree.Element, report: Report) -> None:
    """Add the suite of one repository to `root`."""
    name = make_printable(report.repository)
    suite = ElementTree.SubElement(root, "testsuite", name=name)
    if report.broken:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="read")
        ElementTree.SubElement(case, "error", message=make_printable(report.broken))
    for rule in sorted({*RULES, *(finding.rule for finding in report.findings)}):
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=rule)
        findings = [finding for finding in report.findings if finding.rule == rule]
        blocking = [finding.message for finding in findings if finding.blocks]
        others = [finding.message for finding in findings if not finding.blocks]
        if blocking:
            failure = ElementTree.SubElement(case, "failure", message=make_printable(blocking[0]))
            failure.text = make_printable("\n".join(blocking))
        if others:
            out = ElementTree.SubElement(case, "system-out")
            out.text = make_printable("\n".join(others))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))


def make_printable(text: str) -> str:
    """Replace control characters, for which XML has no place."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)


def describe_rule(rule: str) -> str:
    """Say what a rule asks for; a rule of another package is told by its name."""
    return RULES[rule].asks if rule in RULES else rule


FORMATS: dict[str, Callable[[Sequence[Report]], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
}
