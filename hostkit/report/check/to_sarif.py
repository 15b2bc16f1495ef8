"""SARIF 2.1.0, for code-scanning services and editors.

A result is what somebody has to look at: it fails, is waived, or could not be seen. Code scanning shows every result as
an alert, a `pass` too; so what holds is in the list of rules and in the invocation's counts only.
"""

import hashlib
import json
from typing import Any

from hostkit.posture.history import stamp
from hostkit.report.check.told import Line, Told

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}
"""Where code scanning draws its own four lines: 9.0, 7.0, 4.0."""
_KINDS = {"fail": "fail", "waived": "fail", "baseline": "fail", "unknown": "open"}


def render(told: Told) -> str:
    """Return a log with one run: every check is a rule, each that is not ok or skipped a result."""
    run = {
        "tool": {"driver": _driver(told)},
        "automationDetails": {"id": f"hostkit-check/{told.host.machine or 'this-host'}/"},
        "invocations": [_invocation(told)],
        "results": [_result(told, number, line) for number, line in enumerate(told.lines) if line.word in _KINDS],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _driver(told: Told) -> dict[str, Any]:
    return {"name": "hostkit", "semanticVersion": told.version, "rules": [_rule(line) for line in told.lines]}


def _rule(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "shortDescription": {"text": line.title},
        "fullDescription": {"text": line.why},
        "help": {"text": line.fix},
        "defaultConfiguration": {"level": _LEVELS[line.severity]},
        "properties": {
            "tags": ["security", line.subject],
            "security-severity": _SCORES[line.severity],
            "references": list(line.references),
        },
    }


def _invocation(told: Told) -> dict[str, Any]:
    return {
        "executionSuccessful": True,
        "exitCode": int(told.exit),
        "endTimeUtc": stamp(told.at),
        "machine": told.host.name,
        "properties": {
            "whole": told.whole,
            "counts": dict(told.counts),
            "waiversInForce": len(told.waivers),
            "notes": [*told.notes],
        },
    }


def _result(told: Told, number: int, line: Line) -> dict[str, Any]:
    said = f": {line.detail}" if line.detail else ""
    result = {
        "ruleId": line.id,
        "ruleIndex": number,
        "kind": _KINDS[line.word],
        "level": "none" if line.word == "unknown" else _LEVELS[line.severity],
        "message": {"text": f"{line.word}: {line.title}{said}"},
        "locations": [_location(told)],
        "partialFingerprints": {"hostkitCheck/v1": _fingerprint(told, line)},
    }
    if line.word == "waived":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": line.waived}]
    if line.word == "baseline":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": "known by the baseline"}]
    return result


def _location(told: Told) -> dict[str, Any]:
    """Return the policy that the host was judged by: code scanning refuses a result that lies in no file."""
    where = {"artifactLocation": {"uri": "hostkit.yml", "description": {"text": told.policy}}}
    host = {"name": told.host.name, "kind": "resource", "fullyQualifiedName": told.host.machine}
    return {"physicalLocation": where, "logicalLocations": [host]}


def _fingerprint(told: Told, line: Line) -> str:
    return hashlib.sha256(f"{told.host.machine}\n{line.id}".encode()).hexdigest()
