"""A baseline: the failures of a moment, known by a digest of each fault, so that only what is new fails.

It is no waiver: nobody answers for it. So it hides no critical failure, and it runs out as a waiver does.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from hostkit.errors import HostkitError
from hostkit.posture.model import SEVERITIES, failed
from hostkit.posture.result import Result
from hostkit.posture.waivers import LONGEST

_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Baseline:
    """The faults that were known on a day: digests by check."""

    made: date
    known: Mapping[str, frozenset[str]]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_version: Literal[1]
    made: date
    known: dict[str, tuple[str, ...]]


def taken(results: Iterable[Result], today: date) -> Baseline:
    """Return what fails now, and no waiver covers; critical failures are left out, they are never hidden."""
    kept = [entry for entry in results if entry.fails and entry.check.severity != SEVERITIES[0]]
    return Baseline(today, {entry.check.id: frozenset(_digests(entry)) for entry in kept})


def as_text(baseline: Baseline) -> str:
    """Return a baseline as it lies in its file; equal baselines give equal text."""
    known = {name: sorted(digests) for name, digests in sorted(baseline.known.items())}
    return json.dumps({"schema_version": 1, "made": str(baseline.made), "known": known}, indent=1) + "\n"


def hidden(result: Result, baseline: Baseline | None, today: date) -> Result:
    """Return the result without the faults that the baseline knows; it is accepted where no other is left."""
    known = baseline.known.get(result.check.id, frozenset()) if baseline else frozenset()
    if not known or lapsed(baseline, today) or not result.fails or result.check.severity == SEVERITIES[0]:
        return result
    faults = _faults(result)
    old = tuple(fault for fault in faults if _digest(result.check.id, fault) in known)
    rest = tuple(fault for fault in faults if fault not in old)
    if not old:
        return result
    if not rest:
        return replace(result, baseline=old, accepted=True)
    verdict = failed(rest)
    told = replace(verdict, detail=f"{verdict.detail} ({len(old)} more known by the baseline)")
    return replace(result, verdict=told, baseline=old)


def lapsed(baseline: Baseline | None, today: date) -> str:
    """Return why a baseline hides nothing today, empty if it does or there is none."""
    if baseline is None or baseline.made <= today <= baseline.made + LONGEST:
        return ""
    why = f"is over {LONGEST.days} days old" if baseline.made < today else "is of a day to come"
    return f"the baseline of {baseline.made} {why}, so it hides nothing"


def read(path: str) -> Baseline:
    """Return the baseline in a file; raise HostkitError for one that others may write, or that is none."""
    try:
        form = _Form.model_validate_json(_content(path))
    except OSError as why:
        raise HostkitError(f"{path}: {why.strerror}", "hostkit check --write-baseline FILE writes one") from None
    except ValidationError:
        raise HostkitError(f"{path}: is no baseline of this hostkit", "write a new one with --write-baseline") from None
    return Baseline(form.made, {name: frozenset(digests) for name, digests in form.known.items()})


def _content(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o022 or facts.st_uid not in {0, os.geteuid()}:
            do = "it decides what is hidden: it must be your own or root's file, and nobody else's to write"
            raise HostkitError(f"{path}: owner {facts.st_uid}, mode {stat.S_IMODE(facts.st_mode):04o}", do)
        return file.read(_LIMIT)


def _faults(result: Result) -> tuple[str, ...]:
    return result.verdict.faults or (result.verdict.detail,)


def _digests(result: Result) -> Iterable[str]:
    return (_digest(result.check.id, fault) for fault in _faults(result))


def _digest(name: str, fault: str) -> str:
    return hashlib.sha256(f"{name}\0{fault}".encode(errors="surrogatepass")).hexdigest()[:32]
