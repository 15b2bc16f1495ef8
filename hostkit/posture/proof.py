"""A host's posture as an in-toto statement that others can check later: who, judged by what, found what, until when."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hostkit import __version__
from hostkit.errors import CannotTell, Exit, HostkitError
from hostkit.policy import Policy
from hostkit.policy.load import parse
from hostkit.posture.history import stamp
from hostkit.posture.identity import Identity
from hostkit.posture.seal import plain_json, spelled

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:hostkit:posture:v1"
SUBJECT = "check.json"
"""What the statement is about: the JSON of that run, byte for byte as `--output json=check.json` writes it."""
LONGEST = timedelta(days=90)
SKEW = timedelta(minutes=5)
_LASTS = re.compile(r"([1-9][0-9]{0,3})([dh])")
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Moment = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
_Word = Annotated[str, Field(max_length=5000)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class _Sha256(_Strict):
    sha256: _Digest


class _Subject(_Strict):
    name: Literal["check.json"]
    digest: _Sha256


class _Host(_Strict):
    name: Annotated[str, Field(min_length=1, max_length=5000)]
    machine: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    platform: _Word


class _Policy(_Strict):
    path: _Word
    sha256: _Digest


class _Waiver(_Strict):
    id: _Word
    why: Annotated[str, Field(max_length=40000)]
    until: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class _Predicate(_Strict):
    host: _Host
    hostkit: _Word
    policy: _Policy
    counts: dict[Literal["ok", "fail", "unknown", "waived", "skip"], Annotated[int, Field(ge=1, le=100_000)]]
    waivers: list[_Waiver]
    made_at: _Moment
    expires_at: _Moment


class _Statement(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    kind: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    subject: Annotated[list[_Subject], Field(min_length=1, max_length=1)]
    predicate_type: Annotated[Literal["urn:hostkit:posture:v1"], Field(alias="predicateType")]
    predicate: _Predicate


@dataclass(frozen=True)
class Claim:
    """What a host says of itself: `results` and `policy_digest` are SHA-256, waivers (check, why, last day)."""

    host: Identity
    version: str
    policy: str
    policy_digest: str
    results: str
    counts: Mapping[str, int]
    waivers: tuple[tuple[str, str, date], ...]
    made: datetime
    expires: datetime


def lasts(text: str) -> timedelta:
    """Return how long a proof is to stand; raise HostkitError for more than 90 days, or another spelling."""
    found = _LASTS.fullmatch(text)
    span = timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1)) if found else timedelta()
    if not timedelta() < span <= LONGEST:
        raise HostkitError(f"--expires {text[:40]!a}: not a time up to 90 days", "write it as 7d or 12h")
    return span


def claim(  # noqa: PLR0913 - a proof names all of these
    host: Identity,
    policy: tuple[str, str],
    results: str,
    counts: Mapping[str, int],
    waivers: tuple[tuple[str, str, date], ...],
    made: datetime,
    span: timedelta,
) -> Claim:
    """Return what is to be signed; raise CannotTell if it cannot be said which machine this is."""
    if not (host.name and host.machine):
        raise CannotTell("the machine's name or its id cannot be read", "a proof of nobody's posture proves nothing")
    return Claim(host, __version__, *policy, results, counts, waivers, made, made + span)


def policy_digest(policy: Policy) -> str:
    """Return the SHA-256 of the policy's file; raise HostkitError if it no longer says what the host was judged by."""
    try:
        content = Path(policy.path).read_bytes()
        same = parse(content.decode(), policy.path) == policy
    except (OSError, ValueError, HostkitError):
        same = False
    if not same:
        raise HostkitError(f"{policy.path} was changed while the host was checked", "check again")
    return hashlib.sha256(content).hexdigest()


def refuse_clock(made: datetime, latest: datetime | None) -> None:
    """Raise CannotTell if the clock says that an earlier run is yet to come: such a proof could outlive its day."""
    if latest is not None and made < latest - SKEW:
        seen = f"the clock says {stamp(made)}, and a check was run at {stamp(latest)}"
        raise CannotTell(f"{seen}: one of them is wrong", "set the clock, then attest again")


def stated(told: Claim) -> bytes:
    """Return the statement, in the one spelling that is signed."""
    predicate = {
        "host": {"name": told.host.name, "machine": told.host.machine, "platform": told.host.platform},
        "hostkit": told.version,
        "policy": {"path": told.policy, "sha256": told.policy_digest},
        "counts": dict(told.counts),
        "waivers": [{"id": name, "why": why, "until": str(until)} for name, why, until in told.waivers],
        "made_at": stamp(told.made),
        "expires_at": stamp(told.expires),
    }
    subject = {"name": SUBJECT, "digest": {"sha256": told.results}}
    plain = {"_type": STATEMENT, "subject": [subject], "predicateType": PREDICATE, "predicate": predicate}
    _checked(plain)
    return spelled(plain)


def read(payload: bytes) -> Claim:
    """Return what a signed statement says; raise HostkitError if it is none of hostkit's, or its times are none."""
    found = _checked(plain_json(payload, "the statement"))
    told = found.predicate
    made, expires = _moment(told.made_at), _moment(told.expires_at)
    if not made < expires <= made + LONGEST:
        raise HostkitError(
            f"the proof stands from {told.made_at} to {told.expires_at}: not a time that hostkit gives",
            "ask for another",
        )
    return Claim(
        Identity(told.host.name, told.host.machine, told.host.platform),
        told.hostkit,
        told.policy.path,
        told.policy.sha256,
        found.subject[0].digest.sha256,
        {word: count for word, count in told.counts.items()},  # noqa: C416 - from literals to plain words
        tuple((one.id, one.why, _day(one.until)) for one in told.waivers),
        made,
        expires,
    )


def judge(told: Claim, now: datetime) -> tuple[Exit, str]:
    """Return what a genuine proof is worth now, and why; a failure outweighs that it ran out."""
    if told.counts.get("fail"):
        return Exit.FOUND, f"{told.counts['fail']} of the checks failed"
    if told.made > now + SKEW:
        return (
            Exit.CANNOT_TELL,
            f"it was made at {stamp(told.made)}, which is yet to come: its clock or this one is wrong",
        )
    if now >= told.expires:
        return Exit.CANNOT_TELL, f"it ran out at {stamp(told.expires)}"
    if told.counts.get("unknown") or not told.counts.get("ok"):
        return Exit.CANNOT_TELL, f"{told.counts.get('unknown', 0)} of the checks could not tell"
    return Exit.STANDS, f"it stands until {stamp(told.expires)}"


def _checked(plain: Any) -> _Statement:
    try:
        return _Statement.model_validate(plain)
    except ValidationError as why:
        where = ".".join(str(part) for part in why.errors()[0]["loc"])[:80]
        raise HostkitError(
            f"the statement is none of hostkit's: {where!a}: {why.errors()[0]['type']}", "is it another version's?"
        ) from None


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise HostkitError(f"{text}: no such time", "ask for another proof") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HostkitError(f"{text}: no such day", "ask for another proof") from None
