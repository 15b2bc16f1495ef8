"""The sandboxes that hostkit launched: their walls, images and networks, and how they come back."""

import time
from typing import Any

from hostkit import engine, health
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture import grants as of
from hostkit.posture.boxes import Box, boxes, shown, told
from hostkit.posture.model import Verdict, check, every
from hostkit.posture.readings import containers, survey

_BOTH = ("linux", "darwin")
_DRILL = "drill"
"""The part of a sandbox that a drill puts beside it for its minutes, some of it without walls on purpose."""


def _opened(box: Box) -> list[str]:
    """Return the walls that a part of a sandbox does not have; each of ours was made with all of them."""
    found = [*of.unlocked(box), *of.capabilities(box), *of.undropped(box), *of.devices(box), *of.writable(box)]
    found += [*of.root(box, mapped=False), *of.gaining(box, ()), *of.unlimited(box), *of.unfiltered(box, ())]
    found += [] if of.filtered_by_us(box) else ["not hostkit's filter of system calls"]
    return found + [of.worded(bind) for bind in of.binds(box, survey()["volumes"])]


@check(
    "sandboxes-walls",
    severity="critical",
    unhardened="ok",
    why="What hostkit says of a client's sandbox is true only while each of its containers has all of its walls.",
    fix="hostkit stop the client, then launch it: every wall is made, and proved, anew.",
    platforms=_BOTH,
    references=("NIST SP 800-53 SC-39",),
)
def every_sandbox_has_its_walls(host: Host, policy: Policy) -> Verdict:
    """Every container of a sandbox has all of its walls: no capability, device, bind or root, and limits of all."""
    ours = [box for box in boxes(host) if box.owner and box.part != _DRILL]
    return every(told(ours, _opened), f"{len(ours)} containers of ours")


_FLOATING = frozenset({"", "latest", "main", "master", "edge", "nightly", "stable", "dev"})


@check(
    "sandboxes-images",
    severity="high",
    unhardened="ok",
    why="An image that is not the planned one is another program behind walls that were proved for this one.",
    fix="Name the image by its digest in the policy; hostkit stop and launch the client whose image differs.",
    platforms=_BOTH,
    references=("NIST SP 800-53 CM-3",),
)
def sandboxes_run_what_was_planned(host: Host, policy: Policy) -> Verdict:
    """Every sandbox runs exactly the images that its launch planned, and no agent is named by a tag that moves."""
    kept, ours = _remembered(host), [box for box in boxes(host) if box.owner and box.part in {"agent", "gateway"}]
    wanted = [(name, client.agent.image or "") for name, client in policy.clients.items()]
    moving = [f"{name}: {shown(image)} is a tag that moves" for name, image in wanted if _floats(image)]
    return every([*told(ours, lambda box: _other_image(box, kept)), *moving], f"{len(ours)} images as planned")


def _floats(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return bool(image) and "@sha256:" not in image and tag in _FLOATING


def _other_image(box: Box, kept: dict[str, dict[str, Any]]) -> list[str]:
    part = (kept.get(box.owner, {}).get("fixed") or {}).get(box.part)
    if not isinstance(part, dict):
        return ["hostkit does not remember launching it"]
    planned = str(part.get("image", ""))
    found = str(box.document.get("Image") or "") if planned.startswith("sha256:") else box.image
    return [] if found == planned else [f"runs {shown(found)}, not {shown(planned)}"]


@check(
    "sandboxes-networks",
    severity="critical",
    unhardened="ok",
    why="On a client's network a stranger talks to its agent; on a second network an agent walks past its gateway.",
    fix="docker network disconnect the stranger; hostkit stop and launch the client.",
    platforms=_BOTH,
    references=("NIST SP 800-53 SC-7",),
)
def networks_hold_who_they_were_made_for(host: Host, policy: Policy) -> Verdict:
    """Each client's networks hold its own sandbox and nobody else, and its agent's leads nowhere but to its gateway."""
    seen, made = boxes(host), survey()["networks"]
    open_ones = [f"{shown(str(n.get('Name')))} is not internal" for n in made if _inner(n) and not n.get("Internal")]
    return every([*open_ones, *told(seen, _misplaced)], f"{len(seen)} containers, each on its own networks")


def _inner(network: dict[str, Any]) -> bool:
    client, name = str((network.get("Labels") or {}).get("hostkit.client", "")), str(network.get("Name", ""))
    return bool(client) and name == f"hostkit-{client}-in"


def _misplaced(box: Box) -> list[str]:
    inner, outer = f"hostkit-{box.owner}-in", f"hostkit-{box.owner}-out"
    if not box.owner:
        strange = [name for name in box.networks if name.startswith("hostkit-") and name.endswith(("-in", "-out"))]
    elif box.part == _DRILL:
        strange = [name for name in box.networks if not name.startswith(f"hostkit-{box.owner}-")]
    else:
        strange = [name for name in box.networks if name not in ({inner, outer} if box.part == "gateway" else {inner})]
    return [f"on {shown(name)}" for name in strange if name != "none"]


_UNIT = "/etc/systemd/system/hostkit-client@.service"
_WANTS = "/etc/systemd/system/multi-user.target.wants"


def _enabled(host: Host, policy: Policy) -> tuple[tuple[str, ...], ...]:
    """Return a command for each client of the policy that runs; a label alone is anybody's word."""
    if host.stat(_UNIT) is None:
        return ()
    running = {engine.owner(d) for d in containers() if _labels(d).get("hostkit.part") == "agent"}
    return tuple(("systemctl", "enable", f"hostkit-client@{name}") for name in sorted(running & set(policy.clients)))


@check(
    "sandboxes-return",
    severity="medium",
    unhardened="fail",
    why="An agent that the engine restarts is back behind unproved walls; one that nobody restarts stays away.",
    fix="hostkit bootstrap (play 80-clients), then systemctl enable hostkit-client@CLIENT.",
    play="80-clients",
    mend=_enabled,
)
def sandboxes_come_back_through_their_launch(host: Host, policy: Policy) -> Verdict:
    """Every client that runs is launched again at boot, and no agent is restarted by the engine."""
    faults = [] if host.stat(_UNIT) else ["hostkit-client@.service is not there"]
    agents = [d for d in containers() if engine.owner(d) and _labels(d).get("hostkit.part") == "agent"]
    for document in agents:
        name, policy_of = engine.owner(document), document.get("HostConfig", {}).get("RestartPolicy", {})
        faults += [] if policy_of.get("Name") in {None, "", "no"} else [f"{name}: the engine restarts its agent"]
        enabled = host.stat(f"{_WANTS}/hostkit-client@{name}.service")
        faults += [] if enabled else [f"hostkit-client@{name} is not enabled"]
    return every(faults, f"{len(agents)} clients, each enabled")


def _labels(document: dict[str, Any]) -> dict[str, str]:
    return document.get("Config", {}).get("Labels") or {}


@check(
    "sandboxes-gateways",
    severity="high",
    unhardened="ok",
    why="A client whose gateway is closed or gone has no way out, and no record of what it tried.",
    fix="hostkit ps names the reason; then hostkit launch the client again.",
    platforms=_BOTH,
)
def every_gateway_is_alive(host: Host, policy: Policy) -> Verdict:
    """Every sandbox's gateway runs, holds usable rules, said so in the last four seconds, and stands as proved."""
    kept = _remembered(host)
    parts = [d for d in containers() if _labels(d).get("hostkit.part") in {"agent", "gateway"}]
    there = {engine.owner(document) for document in parts} - {""}
    clients = sorted(there | {name for name, entry in kept.items() if entry.get("running")})
    faults = [f"{name}: {fault}" for name in clients if (fault := _fault(name, kept.get(name, {})))]
    return every(faults, f"{len(clients)} gateways alive")


def _remembered(host: Host) -> dict[str, dict[str, Any]]:
    """Return what hostkit remembers of its clients; raise CannotTell if it does and this user may not read it."""
    path = str(health.state_directory() / "state.json")
    return health.remembered(host.read(path)) if host.stat(path) else {}


def _fault(client: str, entry: dict[str, Any]) -> str:
    fault = health.gateway_fault(engine.gateway_status(client), time.time(), entry.get("proved"))
    if fault and not fault.certain:
        raise CannotTell(f"{client}: {fault.why}")
    return fault.why if fault else ""
