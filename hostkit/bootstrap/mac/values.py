"""What the plays of a Mac take from the policy and from this Mac: pure."""

import sys
from pathlib import Path
from typing import Any

from hostkit.bootstrap.mac.colima import PLACES, settings
from hostkit.bootstrap.mac.jobs import jobs
from hostkit.bootstrap.mac.pf import anchor
from hostkit.bootstrap.mac.stand import LOCAL_KINDS, SSHD, Ground, account_records, let_in, uid
from hostkit.policy import Policy

_SERVICES = ("com.apple.screensharing", "com.apple.AEServer", "com.apple.smbd")
_NEARBY = ("airdrop", "airplay", "bluetooth", "media-home", "media-public")


def variables(
    policy: Policy, over: str, here: Ground, far: tuple[str, ...] = (), size: tuple[int, int] = (2, 2**33)
) -> dict[str, Any]:
    """Return the plays' variables; `over` and `far` say how the fence is confirmed, `size` is processors and bytes."""
    number, home = uid(policy, here), f"/Users/{policy.host.account}"
    ends = _SERVICES if policy.host.management else (*_SERVICES, "com.openssh.sshd")
    hostkit = str(Path(sys.executable).parent / "hostkit")
    return {
        "profile": policy.host.profile,
        "account": policy.host.account,
        "account_uid": number,
        "account_records": account_records(policy, number, home),
        "home": home,
        "local_kinds": list(LOCAL_KINDS),
        "shares": list(here.shares),
        "called": [f"let-in@{SSHD}"] if policy.host.management else [],
        "programs": [f"program@{path}" for path in let_in(policy, here.programs) if path.startswith("/")],
        "services": [f"{kind}@{label}" for label in ends for kind in ("service", "loaded")],
        "nearby": [f"{kind}@{person}" for person in here.persons for kind in _NEARBY],
        "vm": policy.host.vm,
        "power_cut": policy.host.power_cut or "",
        "colima_settings": settings(policy.host.resolvers, *size),
        "jobs": jobs(policy, hostkit, home, here.colima or PLACES[0]),
        "fence_draft": anchor(policy, number),
        "fence_over": over,
        "fence_from": " ".join(far),
    }
