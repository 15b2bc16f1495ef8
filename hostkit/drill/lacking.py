"""A launch plan with walls taken out, for a drill's twin and for the tests of the proof."""

import dataclasses
from collections.abc import Callable
from typing import Any

from hostkit.launch.model import LaunchPlan
from hostkit.launch.networks import BRIDGE

Wall = Callable[[LaunchPlan], LaunchPlan]


def lacking(plan: LaunchPlan, *walls: str) -> LaunchPlan:
    """Return the same plan with walls taken out; raise KeyError for a wall not known."""
    for wall in walls:
        plan = PLAN_WALLS[wall](plan)
    return plan


def _agent_with(**changes: Any) -> Wall:
    def take_out(plan: LaunchPlan) -> LaunchPlan:
        return dataclasses.replace(plan, agent=dataclasses.replace(plan.agent, **changes))

    return take_out


def _open_network(plan: LaunchPlan) -> LaunchPlan:
    options = {key: value for key, value in plan.inside.options.items() if key == BRIDGE + "name"}
    return dataclasses.replace(plan, inside=dataclasses.replace(plan.inside, internal=False, options=options))


def _visible_host(plan: LaunchPlan) -> LaunchPlan:
    options = {key: value for key, value in plan.inside.options.items() if key == BRIDGE + "name"}
    return dataclasses.replace(plan, inside=dataclasses.replace(plan.inside, options=options))


def _ipv6(plan: LaunchPlan) -> LaunchPlan:
    inside = dataclasses.replace(plan.inside, ipv6="fd00:6869:6b00::/64")
    return dataclasses.replace(plan, inside=inside, agent=dataclasses.replace(plan.agent, sysctls={}))


PLAN_WALLS: dict[str, Wall] = {
    "internal_network": _open_network,
    "inhibit_host": _visible_host,
    "ipv6_off": _ipv6,
    "resolver": _agent_with(dns=()),
    "read_only": _agent_with(read_only=False),
    "capabilities": _agent_with(cap_drop=(), user="0:0"),
    "no_new_privileges": _agent_with(no_new_privileges=False),
    "seccomp": _agent_with(seccomp="unconfined"),
    "user": _agent_with(user="0:0"),
    "pids": _agent_with(pids=0),
    "memory": _agent_with(memory=0),
    "nofile": _agent_with(nofile=0),
    "tmpfs": _agent_with(tmpfs={"/tmp": "rw,size=1073741824"}),  # noqa: S108 - the twin's own
}
