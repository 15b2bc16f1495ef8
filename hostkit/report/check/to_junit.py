"""JUnit XML as Jenkins' xunit plugin takes it (junit-10.xsd), for CI: a check is a test, what is unknown an error."""

import xml.etree.ElementTree as ET
from itertools import groupby

from hostkit.posture.history import stamp
from hostkit.report.check.told import Line, Told

_OUTCOMES = {"fail": "failure", "unknown": "error", "waived": "skipped", "baseline": "skipped", "skip": "skipped"}


def render(told: Told) -> str:
    """Return one suite per subject."""
    root = ET.Element("testsuites", {"name": "hostkit check", "tests": str(len(told.lines)), **_sums(told.lines)})
    for subject, found in groupby(told.lines, key=lambda line: line.subject):
        _suite(root, told, subject, tuple(found))
    ET.indent(root)
    return "<?xml version='1.0' encoding='UTF-8'?>\n" + ET.tostring(root, encoding="unicode")


def _suite(root: ET.Element, told: Told, subject: str, lines: tuple[Line, ...]) -> None:
    skipped = sum(_OUTCOMES.get(line.word) == "skipped" for line in lines)
    facts = {"tests": str(len(lines)), **_sums(lines), "skipped": str(skipped)}
    suite = ET.SubElement(
        root, "testsuite", {"name": subject, **facts, "timestamp": stamp(told.at), "hostname": told.host.name}
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("hostkit", told.version), ("whole", str(told.whole)), ("waivers", str(len(told.waivers)))):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for line in lines:
        _case(suite, line)


def _case(suite: ET.Element, line: Line) -> None:
    case = ET.SubElement(
        suite, "testcase", {"classname": f"hostkit.{line.subject}", "name": line.id, "time": f"{line.seconds:.3f}"}
    )
    if line.word not in _OUTCOMES:
        return
    said = f"waived: {line.waived}; " if line.waived else ""
    outcome = ET.SubElement(case, _OUTCOMES[line.word], {"type": line.severity, "message": said + line.detail})
    if line.word in {"fail", "waived", "baseline"}:
        outcome.text = f"{line.title} Why: {line.why} Fix: {line.fix}"


def _sums(lines: tuple[Line, ...]) -> dict[str, str]:
    counted = [_OUTCOMES.get(line.word) for line in lines]
    seconds = sum(line.seconds for line in lines)
    failures, errors = str(counted.count("failure")), str(counted.count("error"))
    return {"failures": failures, "errors": errors, "time": f"{seconds:.3f}"}
