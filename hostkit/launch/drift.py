"""Whether what runs is still what is planned: a kept plan against a new one, a container against its twin."""

import json
from typing import Any

from hostkit.launch.model import LaunchPlan

_SAME = ("CapAdd", "CapDrop", "ReadonlyRootfs", "SecurityOpt", "PidsLimit", "Memory", "NanoCpus", "Ulimits", "Tmpfs")
_HOST_SIDE = ("Binds", "Devices", "Privileged", "PidMode", "IpcMode", "UsernsMode", "Sysctls", "Dns", "Mounts")
_FIXED = ("agent", "gateway", "inside", "outside", "secrets")


def fixed(plan: LaunchPlan) -> dict[str, Any]:
    """Return the parts of a plan that a running sandbox cannot take over, as plain data to be kept."""
    plain = json.loads(plan.to_json())
    return {part: plain[part] for part in _FIXED}


def differences(kept: dict[str, Any], plan: LaunchPlan) -> list[str]:
    """Return `part.field: old -> new` for all that changed since the launch that made what runs."""
    found = []
    for part, now in fixed(plan).items():
        before = kept.get(part, {})
        found += [
            f"{part}.{key}: {_shown(before.get(key))} -> {_shown(now.get(key))}"
            for key in sorted({*before, *now})
            if before.get(key) != now.get(key)
        ]
    return found


def _shown(value: Any) -> str:
    return json.dumps(value)[:80]


def drift(agent: dict[str, Any], probe: dict[str, Any], *, but: tuple[str, ...] = ()) -> list[str]:
    """Return the walls in which the running agent differs from the container that was planned for it now."""
    one, other = agent["HostConfig"], probe["HostConfig"]
    walls = [key for key in (*_SAME, *_HOST_SIDE) if key not in but]
    found = [key for key in walls if _plain(one.get(key)) != _plain(other.get(key))]
    if agent["Config"]["User"] != probe["Config"]["User"]:
        found.append("User")
    if sorted(agent["NetworkSettings"]["Networks"]) != sorted(probe["NetworkSettings"]["Networks"]):
        found.append("Networks")
    return found


def _plain(value: Any) -> str:
    return json.dumps(value or None, sort_keys=True)


def other_image(document: dict[str, Any], planned: str) -> str:
    """Return the image a container was made from if it is not exactly the planned one, else nothing.

    An id is compared with the id that the engine resolved, a repository digest with the name it was asked by.
    """
    found = str(document["Image"] if planned.startswith("sha256:") else document["Config"]["Image"])
    return "" if found == planned else found
