"""A container's plan as the engine's own document; pure but for the file of the system call filter."""

from typing import Any

from hostkit.shipped import shipped

_SECCOMP = shipped("sandbox") / "seccomp.json"


def config(api: Any, plan: Any, *, stdin: bool) -> Any:
    """Return the engine's own document for a container: pure but for the seccomp file."""
    return api.create_container_config(
        plan.image,
        list(plan.command),
        entrypoint=[],
        user=plan.user,
        environment=dict(plan.environment),
        labels=dict(plan.labels),
        stdin_open=stdin,
        host_config=_host_config(api, plan),
        networking_config=_networking(api, plan),
    )


def _networking(api: Any, plan: Any) -> Any:
    """Return the container's first leg; a gateway's address is of its inner leg, which it joins later."""
    if plan.network == "none":
        return None
    fixed = plan.address if plan.network.endswith("-in") else None
    return api.create_networking_config({plan.network: api.create_endpoint_config(ipv4_address=fixed)})


def _host_config(api: Any, plan: Any) -> Any:
    from docker.types import LogConfig, Mount, Ulimit  # noqa: PLC0415 - lazy as above

    log = {"max-size": plan.log_size, "max-file": str(plan.log_files)}
    return api.create_host_config(
        network_mode=plan.network,
        read_only=plan.read_only,
        cap_drop=list(plan.cap_drop),
        cap_add=list(plan.cap_add),
        security_opt=_security(plan),
        pids_limit=plan.pids or None,
        mem_limit=plan.memory or None,
        memswap_limit=plan.memory or None,
        nano_cpus=int(plan.cpus * 1e9) or None,
        ulimits=[Ulimit(name=name, soft=size, hard=size) for name, size in _ulimits(plan)],
        tmpfs=dict(plan.tmpfs),
        mounts=[Mount(m.target, m.volume, type="volume", read_only=m.read_only, no_copy=True) for m in plan.mounts],
        sysctls=dict(plan.sysctls),
        dns=list(plan.dns) or None,
        restart_policy={"Name": plan.restart, **({"MaximumRetryCount": 10} if plan.restart == "on-failure" else {})},
        log_config=LogConfig(type="json-file", config=log),
        init=plan.restart == "no",
    )


def _ulimits(plan: Any) -> list[tuple[str, int]]:
    return [("core", 0), *([("nofile", plan.nofile)] if plan.nofile else [])]


def _security(plan: Any) -> list[str]:
    profile = _SECCOMP.read_text() if plan.seccomp == "hostkit" else plan.seccomp
    options = [f"seccomp={profile}", *([f"apparmor={plan.apparmor}"] if plan.apparmor else [])]
    # Said either way: an engine may have a default of its own.
    return [*options, f"no-new-privileges:{str(plan.no_new_privileges).lower()}"]
