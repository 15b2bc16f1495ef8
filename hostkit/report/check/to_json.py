"""JSON, by a schema of ours: docs/check.schema.json. Within a version fields are added, never changed or taken away."""

import json
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hostkit.posture.history import stamp
from hostkit.report.check.told import InForce, Line, Told

SCHEMA_VERSION = 1
_Word = Literal["ok", "fail", "unknown", "skip"]
_Severity = Literal["critical", "high", "medium", "low"]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class HostForm(_Form):
    """The machine; a word that could not be read is empty."""

    name: str
    machine: Annotated[str, Field(pattern="^([0-9a-f]{32})?$", description="stays when the name changes")]
    platform: str


class WaiverForm(_Form):
    """A waiver that is in force, whether its check fails or not; without a scope it is for every fault."""

    id: str
    why: str
    owner: str
    scope: tuple[str, ...]
    until: date


class ResultForm(_Form):
    """One check's answer; where `waived` is not empty all of its failure is under a waiver in force.

    `covered` are at most twenty of the faults under a waiver, `known` of those that the baseline knows; where
    `accepted` is true it knows all that is left.
    """

    id: str
    subject: str
    title: str
    severity: _Severity
    kind: Literal["reading", "probe", "scan"]
    status: _Word
    detail: str
    waived: str
    why: str
    fix: str
    play: str
    references: tuple[str, ...]
    seconds: Annotated[float, Field(ge=0)]
    covered: tuple[str, ...]
    known: tuple[str, ...]
    accepted: bool


class CheckForm(_Form):
    """What `hostkit check --json` prints."""

    schema_version: Literal[1]
    hostkit: Annotated[str, Field(description="its version")]
    host: HostForm
    policy: Annotated[str, Field(description="where the policy lay that the host was judged by")]
    at: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
    whole: Annotated[bool, Field(description="false where --only or --skip left checks out")]
    exit: Annotated[Literal[0, 1, 3], Field(description="0 stands, 1 something fails, 3 something could not be seen")]
    counts: dict[Literal["ok", "fail", "unknown", "waived", "baseline", "skip"], Annotated[int, Field(ge=1)]]
    fail_on: Annotated[_Severity, Field(description="the least severity that is in the exit code")]
    profile: Literal["solo", "strict"]
    notes: Annotated[tuple[str, ...], Field(description="what makes the exit code kinder than the answers")]
    waivers: tuple[WaiverForm, ...]
    results: tuple[ResultForm, ...]


def render(told: Told) -> str:
    """Return one object with a schema version, the exit code, and one entry per check."""
    plain = {
        "schema_version": SCHEMA_VERSION,
        "hostkit": told.version,
        "host": {"name": told.host.name, "machine": told.host.machine, "platform": told.host.platform},
        "policy": told.policy,
        "at": stamp(told.at),
        "whole": told.whole,
        "exit": int(told.exit),
        "counts": dict(told.counts),
        "fail_on": told.fail_on,
        "profile": told.profile,
        "notes": list(told.notes),
        "waivers": [_waiver(one) for one in told.waivers],
        "results": [_result(line) for line in told.lines],
    }
    return json.dumps(plain, indent=1)


def _waiver(one: InForce) -> dict[str, object]:
    return {"id": one.id, "why": one.why, "owner": one.owner, "scope": list(one.scope), "until": str(one.until)}


def _result(line: Line) -> dict[str, object]:
    return {name: getattr(line, name) for name in ResultForm.model_fields}


def schema_text() -> str:
    """Return the JSON Schema of this form; equal forms give equal text."""
    schema = CheckForm.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "hostkit check --json"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
