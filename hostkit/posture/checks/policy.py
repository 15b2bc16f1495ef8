"""The policy itself: who may change it, what it must not hold, and the agreements it stands on."""

from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture import forms
from hostkit.posture.model import Verdict, check, every, fail, ok

SOON = timedelta(days=30)


@check(
    "policy-secrets",
    severity="high",
    unhardened="ok",
    why="A policy is copied, mailed and committed; a secret in it goes along.",
    fix="Replace the value by `env:NAME` or `file:/path`, and rotate it: it has been in a file.",
    platforms=("linux", "darwin"),
)
def policy_holds_no_secret(host: Host, policy: Policy) -> Verdict:
    """The policy file holds no value that looks like a secret."""
    lines = host.read(policy.path).splitlines()
    found = [(number, kind) for number, line in enumerate(lines, 1) for kind in forms.kinds(line)]
    return every([f"line {number}: {kind}" for number, kind in found], f"{len(lines)} lines read")


def _closed(host: Host, policy: Policy) -> tuple[tuple[str, ...], ...]:
    # Who else wrote it may have written it anew: a file that is not root's is read by its owner, not given to root.
    facts = host.stat(policy.path)
    return (("chmod", "go-w", "--", policy.path),) if facts and facts.uid == 0 else ()


@check(
    "policy-owner",
    severity="medium",
    unhardened="ok",
    why="Who can write the policy decides what may leave.",
    fix="Read the policy: is it yours still? Then chown root and chmod 0640 it.",
    mend=_closed,
    platforms=("linux", "darwin"),
)
def policy_is_closed_to_others(host: Host, policy: Policy) -> Verdict:
    """Only root can change the policy."""
    facts = host.stat(policy.path)
    if facts is None:
        return fail(f"{policy.path} is gone")
    stands = facts.uid == 0 and not facts.mode & 0o022
    told = f"owner {facts.uid}, mode {facts.mode:04o}"
    return ok(told) if stands else fail(told)


@check(
    "policy-agreements",
    severity="high",
    unhardened="ok",
    why="Without a data agreement in force the client has not allowed an agent on its data.",
    fix="Renew the agreement, put the document where the policy says, and set its new date.",
    platforms=("linux", "darwin"),
)
def every_agreement_is_in_force(host: Host, policy: Policy) -> Verdict:
    """Every client's agreement permits an agent, its document is there, and it runs for 30 days more."""
    today = datetime.now(UTC).date()
    faults = []
    for name, client in policy.clients.items():
        document = str(PurePosixPath(policy.path).parent / client.agreement.document)
        faults += [f"{name}: not permitted"] if not client.agreement.permitted else []
        faults += [f"{name}: ends {client.agreement.expires}"] if client.agreement.expires < today + SOON else []
        faults += [f"{name}: {document} is not there"] if host.stat(document) is None else []
    return every(faults, f"{len(policy.clients)} clients")
