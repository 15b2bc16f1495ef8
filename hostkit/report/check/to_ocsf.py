"""OCSF 1.8.0, class 2003 (Compliance Finding): one event per check, one event per line, for a SIEM."""

import json
from typing import Any

from hostkit.report.check.told import Line, Told

VERSION = "1.8.0"
_SEVERITIES = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_INFORMATIONAL = (1, "Informational")
_STATUSES = {
    "ok": ((1, "Pass"), (99, "Holds")),
    "fail": ((3, "Fail"), (1, "New")),
    "waived": ((3, "Fail"), (3, "Suppressed")),
    "baseline": ((3, "Fail"), (3, "Suppressed")),
    "unknown": ((0, "Unknown"), (1, "New")),
    "skip": ((99, "Not applicable"), (99, "Not applicable")),
}
"""Of each word: the status of the control, then that of the finding."""
_SYSTEMS = {"linux": (200, "Linux"), "darwin": (300, "macOS")}


def render(told: Told) -> str:
    """Return one JSON object per line."""
    return "\n".join(json.dumps(_event(told, line)) for line in told.lines)


def _event(told: Told, line: Line) -> dict[str, Any]:
    severity = _SEVERITIES[line.severity] if line.word not in {"ok", "skip"} else _INFORMATIONAL
    status, moment = _STATUSES[line.word][1], int(told.at.timestamp() * 1000)
    event = {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200301,
        "type_name": "Compliance Finding: Create",
        "time": moment,
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": status[0],
        "status": status[1],
        "message": f"{line.word}: {line.title}",
        "metadata": _metadata(told, line, moment),
        "finding_info": _finding(told, line),
        "compliance": _compliance(line),
        "device": _device(told),
        "remediation": {"desc": line.fix},
        "unmapped": {"whole": told.whole, "waivers_in_force": len(told.waivers), "play": line.play},
    }
    return {**event, "status_detail": line.waived} if line.waived else event


def _metadata(told: Told, line: Line, moment: int) -> dict[str, Any]:
    product = {"name": "hostkit", "vendor_name": "hostkit", "version": told.version}
    uid = f"{_uid(told, line)}/{moment}"
    return {"version": VERSION, "product": product, "profiles": ["host"], "event_code": line.id, "uid": uid}


def _uid(told: Told, line: Line) -> str:
    return f"{told.host.machine}/{line.id}"


def _finding(told: Told, line: Line) -> dict[str, Any]:
    return {"uid": _uid(told, line), "title": line.title, "desc": line.why, "types": [line.subject]}


def _compliance(line: Line) -> dict[str, Any]:
    status_id, status = _STATUSES[line.word][0]
    said = {"status_details": [line.detail]} if line.detail else {}
    standards = {"requirements": list(line.references)} if line.references else {}
    return {"control": line.id, "desc": line.title, "status_id": status_id, "status": status, **said, **standards}


def _device(told: Told) -> dict[str, Any]:
    number, name = _SYSTEMS.get(told.host.platform, (0, "Unknown"))
    named = {"uid": told.host.machine} if told.host.machine else {}
    return {"type_id": 0, "hostname": told.host.name, **named, "os": {"type_id": number, "name": name}}
