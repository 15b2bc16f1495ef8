"""A signed proof, made of a run and told to whoever verifies it."""

import hashlib
from datetime import timedelta
from pathlib import Path

from hostkit.errors import Exit
from hostkit.policy import Policy
from hostkit.posture import history, keys, proof, seal
from hostkit.posture.history import stamp
from hostkit.report.check import render
from hostkit.report.check.told import Told
from hostkit.report.words import safe


def made(told: Told, policy: Policy, state: Path, span: timedelta) -> bytes:
    """Return the signed proof of a whole run; raise HostkitError where it would prove less than it says."""
    latest = max((run.at for run in history.runs(state)), default=None)
    proof.refuse_clock(told.at, latest)
    waivers = tuple((one.id, one.why, one.until) for one in told.waivers)
    lies = (told.policy, proof.policy_digest(policy))
    claim = proof.claim(told.host, lies, digest(render("json", told)), told.counts, waivers, told.at, span)
    return seal.sealed(proof.stated(claim), keys.private_key(state))


def digest(text: str) -> str:
    """Return the SHA-256 of a form as a file holds it, its last line ended."""
    return hashlib.sha256(f"{text}\n".encode()).hexdigest()


def refuse_other_results(told: proof.Claim, content: bytes, name: str) -> None:
    """Raise NotGenuine if these are not the results that were attested."""
    if hashlib.sha256(content).hexdigest() != told.results:
        raise seal.NotGenuine(
            f"{name} is not the run that was attested", "ask for the file that was written with the proof"
        )


def as_text(told: proof.Claim, key: str, verdict: tuple[Exit, str]) -> str:
    """Return who says what of which machine, from when until when, and what that is worth now."""
    counts = ", ".join(f"{count} {word}" for word, count in told.counts.items()) or "nothing was looked at"
    waived = "".join(f"\n  {safe(name)} until {until}: {safe(why)}" for name, why, until in told.waivers)
    lines = (
        f"host     {safe(told.host.name)} ({safe(told.host.platform)}, machine {told.host.machine})",
        f"key      {key}",
        f"policy   {safe(told.policy)} (sha256 {told.policy_digest})",
        f"hostkit  {safe(told.version)}",
        f"made     {stamp(told.made)}",
        f"expires  {stamp(told.expires)}",
        f"found    {counts} (check.json: sha256 {told.results})",
        f"waivers in force: {len(told.waivers)}{waived}",
        f"{'stands' if verdict[0] is Exit.STANDS else 'does not stand'}: {verdict[1]}",
    )
    return "\n".join(lines)
