"""Reports as text for people, and as JSON, SARIF and JUnit for machines."""

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from .findings import Finding, Report
from .rules import RULES


def as_text(reports: Sequence[Report]) -> str:
    """A sentence a line; what is waived comes last and says why."""
    return "\n".join(line for report in reports for line in lines(report))


def lines(report: Report) -> list[str]:
    if report.broken:
        return [f"broken   {report.broken}"]
    ordered = sorted(report.findings, key=lambda found: found.waived is not None)
    said = [
        f"waived   {found.rule}: {found.message} Waived: {found.waived}"
        if found.waived
        else f"{found.severity:<8} {found.rule}: {found.message}"
        for found in ordered
    ]
    at = f" at {report.version}" if report.version else ""
    return [*said, f"{report.repository}{at}: {counted(report.findings)}"]


def counted(findings: Sequence[Finding]) -> str:
    """For example: 2 errors, 1 waived."""
    kinds = ["waived" if found.waived else found.severity for found in findings]
    words = [
        f"{kinds.count(kind)} {kind}{'' if kind == 'waived' or kinds.count(kind) == 1 else 's'}"
        for kind in ("error", "warning", "note", "waived")
        if kind in kinds
    ]
    return ", ".join(words) or "all standards are kept"


def as_json(reports: Sequence[Report]) -> str:
    return json.dumps([report.as_dict() for report in reports], indent=2)


def as_sarif(reports: Sequence[Report]) -> str:
    """One run for each repository, as code hosts take it."""
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    runs = [sarif_run(report) for report in reports]
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": runs}, indent=2)


def sarif_run(report: Report) -> dict[str, Any]:
    names = sorted({found.rule for found in report.findings})
    driver = {
        "name": "copier-mlops",
        "version": version("copier-mlops"),
        "rules": [{"id": name, "shortDescription": {"text": asks(name)}} for name in names],
    }
    notes = [{"level": "error", "message": {"text": report.broken}}] if report.broken else []
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"copier-mlops/{report.repository.strip('/')}"},
        "results": [sarif_result(found) for found in report.findings],
        "invocations": [
            {"executionSuccessful": not report.broken, "toolExecutionNotifications": notes}
        ],
    }


def sarif_result(found: Finding) -> dict[str, Any]:
    path = quote(found.path or ".copier-answers.yml", errors="surrogateescape")
    place = {"artifactLocation": {"uri": path}}
    region = {"region": {"startLine": found.line or 1}}
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "level": found.severity,
        "message": {"text": found.message},
        "locations": [{"physicalLocation": place | region}],
    }
    if found.waived:
        result["suppressions"] = [{"kind": "external", "justification": found.waived}]
    return result


def as_junit(reports: Sequence[Report]) -> str:
    """A suite for each repository, and a case for each rule that was broken there."""
    root = ElementTree.Element("testsuites", name="copier-mlops")
    for report in reports:
        junit_suite(root, report)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode")


def junit_suite(root: ElementTree.Element, report: Report) -> None:
    name = printable(report.repository)
    suite = ElementTree.SubElement(root, "testsuite", name=name)
    if report.broken:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="read")
        ElementTree.SubElement(case, "error", message=printable(report.broken))
    for rule in sorted({*RULES, *(found.rule for found in report.findings)}):
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=rule)
        found = [each for each in report.findings if each.rule == rule]
        blocking = [each for each in found if each.blocks]
        others = [each for each in found if not each.blocks]
        for each in blocking[:1]:
            failure = ElementTree.SubElement(case, "failure", message=printable(each.message))
            failure.text = printable("\n".join(other.message for other in blocking))
        if others:
            out = ElementTree.SubElement(case, "system-out")
            out.text = printable("\n".join(each.message for each in others))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))


def printable(text: str) -> str:
    """XML has no place for control characters."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)


def asks(rule: str) -> str:
    return RULES[rule].asks if rule in RULES else rule


FORMATS: dict[str, Callable[[Sequence[Report]], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
}
