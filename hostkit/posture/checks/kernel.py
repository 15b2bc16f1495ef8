"""The kernel's own settings, by what it says of itself."""

import re
from pathlib import PurePosixPath

from hostkit import engine
from hostkit.bootstrap import kernel
from hostkit.bootstrap.engine import faces_containers
from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every, fail, skip
from hostkit.posture.readings import in_container, processes

_AROUND = "the kernel belongs to the machine around this container"


@check(
    "kernel-settings",
    severity="medium",
    why="Kernel addresses, stray routes and another program's memory are the first steps of most ways to root.",
    fix="hostkit bootstrap (play 45-kernel); a later file in /etc/sysctl.d may undo it.",
    play="45-kernel",
    references=("CIS Debian 12 3.3.5", "CIS Debian 12 3.3.8", "NIST SP 800-53 CM-6"),
)
def settings_are_in_force(host: Host, policy: Policy) -> Verdict:
    """The live kernel has each setting that keeps its secrets, and takes no routes from strangers."""
    wanted = kernel.settings(in_container=in_container(host))
    there = {name: kernel.path(name) for name in wanted if host.stat(kernel.path(name))}
    live = {name: host.read(path).strip() for name, path in there.items()}
    faults = [f"{name} is {value}" for name, value in live.items() if value not in kernel.good(name)]
    if not live:
        return fail("/proc/sys shows none of them")
    rest = ", of which the kernel's own belong to the machine around this container" if in_container(host) else ""
    return every(faults, f"{len(live)} settings{rest}")


@check(
    "kernel-core",
    severity="medium",
    why="A core dump is a copy of every secret its program held, on disk.",
    fix="hostkit bootstrap (play 45-kernel).",
    play="45-kernel",
)
def nothing_dumps_core(host: Host, policy: Policy) -> Verdict:
    """No program's memory is written to disk when it dies: not by the kernel, not for a service."""
    limit = host.run("systemctl", "show", "--property=DefaultLimitCORE", "--value").strip()
    faults = [] if limit == "0" else [f"services may dump core (DefaultLimitCORE is {limit or 'not said'})"]
    if in_container(host):
        return every(faults, "services dump none; the kernel's pattern is the machine's around this container")
    pattern = host.read("/proc/sys/kernel/core_pattern").strip()
    faults += [] if pattern == kernel.SETTINGS["kernel.core_pattern"] else [f"core_pattern is {pattern}"]
    return every(faults, "core dumps go nowhere")


_FLAWS = "/sys/devices/system/cpu/vulnerabilities"
_WORDS = ("Not affected", "Mitigation", "Vulnerable", "Processor vulnerable", "KVM: ", "Unknown")


@check(
    "kernel-mitigations",
    severity="medium",
    unhardened="ok fail skip unknown",
    why="An agent's code runs on the processor that holds its gateway's credentials, and an open flaw reads across.",
    fix="Install the processor's microcode (intel-microcode, amd64-microcode), take mitigations=off from the kernel's"
    " command line, and reboot; in a virtual machine the hypervisor's owner does.",
    references=("NIST SP 800-53 SI-2",),
)
def no_flaw_of_the_processor_is_open(host: Host, policy: Policy) -> Verdict:
    """The kernel calls no flaw of this processor open."""
    if in_container(host):
        return skip(_AROUND)
    paths = host.glob(f"{_FLAWS}/*")
    if not paths:
        raise CannotTell(f"{_FLAWS} is empty: this kernel tells nothing of its processor", f"ls {_FLAWS}")
    said = {PurePosixPath(path).name: host.read(path).strip() for path in paths}
    if odd := [name for name, words in said.items() if not words.startswith(_WORDS)]:
        raise CannotTell(f"the kernel says nothing known of {', '.join(odd[:5])}", f"grep . {_FLAWS}/*")
    faults = [f"{name}: {' '.join(words.split())[:80]}" for name, words in said.items() if _is_open(words)]
    unsure = [name for name, words in said.items() if words.startswith("Unknown")]
    if unsure and not faults:
        raise CannotTell(f"the kernel does not know of {', '.join(unsure[:5])}", f"grep . {_FLAWS}/*")
    shared = [name for name, words in said.items() if "SMT vulnerable" in words]
    rest = f"; with SMT one thread may still read its neighbour's data ({', '.join(shared)})" if shared else ""
    return every(faults, f"{len(said)} flaws, none open{rest}")


def _is_open(words: str) -> bool:
    """Return whether one of the parts says so, as in `Vulnerable: no microcode` or `Mitigation: a; b: Vulnerable`."""
    parts = [part.rpartition(": ")[2] if part.startswith("Mitigation") else part for part in re.split(r"[;,]", words)]
    heads = ("Vulnerable", "Processor vulnerable")
    return any(part.strip().startswith(heads) or ": Vulnerable" in part for part in parts)


_USERNS = (
    ("user.max_user_namespaces", {"0"}),
    ("kernel.unprivileged_userns_clone", {"0"}),
    ("kernel.apparmor_restrict_unprivileged_userns", {"1"}),
)
"""Each of these alone closes user namespaces to those without power; not every kernel has each."""


@check(
    "kernel-namespaces",
    severity="medium",
    unhardened="ok fail skip unknown",
    why="In a user namespace of its own any program is root over parts of the kernel that few ever tested.",
    fix="sysctl -w kernel.unprivileged_userns_clone=0 (or kernel.apparmor_restrict_unprivileged_userns=1), and a line"
    " for it in /etc/sysctl.d; not where a rootless engine or a browser's own sandbox has to run.",
    references=("NIST SP 800-53 CM-7",),
)
def strangers_get_no_namespace(host: Host, policy: Policy) -> Verdict:
    """No account without power gets a user namespace, or catches the kernel's page faults."""
    if in_container(host):
        return skip(_AROUND)
    faults = [] if _said(host, "vm.unprivileged_userfaultfd") in {"0", ""} else ["vm.unprivileged_userfaultfd is 1"]
    closed = [name for name, good in _USERNS if _said(host, name) in good]
    faults += [] if closed else [f"every account may make user namespaces{_rootless(host)}"]
    return every(faults, f"by {', '.join(closed)}")


def _rootless(host: Host) -> str:
    """Return what to say where a rootless engine seems to run: a name is anybody's to take, so it excuses nothing."""
    found = [entry for entry in processes(host) if entry.name in {"rootlesskit", "slirp4netns", "pasta"} and entry.uid]
    return f" (uid {found[0].uid} runs a rootless engine, which needs them: waive this)" if found else ""


def _said(host: Host, name: str) -> str:
    """Return a setting's live value, empty where this kernel does not know it."""
    where = kernel.path(name)
    return host.read(where).strip() if host.stat(where) else ""


_FORCED, _UNSIGNED = 1 << 1, 1 << 13


@check(
    "kernel-modules",
    severity="low",
    unhardened="ok fail skip unknown",
    why="Whoever is root for a moment keeps the machine for good with a module that hides them.",
    fix="Boot with Secure Boot, or put module.sig_enforce=1 on the kernel's command line; modules_disabled=1 would keep"
    " nftables from loading its parts.",
    references=("NIST SP 800-53 CM-14",),
)
def only_signed_modules_load(host: Host, policy: Policy) -> Verdict:
    """The kernel takes no module that is not signed, and took none since it started."""
    if in_container(host):
        return skip(_AROUND)
    taint = host.read("/proc/sys/kernel/tainted").strip()
    if not taint.isdigit():
        raise CannotTell(f"/proc/sys/kernel/tainted says {taint[:40]!r}", "cat /proc/sys/kernel/tainted")
    faults = ["a module was forced in"] if int(taint) & _FORCED else []
    faults += ["a module without a signature is in"] if int(taint) & _UNSIGNED else []
    locks = _locks(host)
    faults += [] if locks else ["neither lockdown nor a demand for signatures holds modules back"]
    return every(faults, ", ".join(locks))


def _locks(host: Host) -> list[str]:
    lockdown, enforced = "/sys/kernel/security/lockdown", "/sys/module/module/parameters/sig_enforce"
    level = re.search(r"\[(\w+)\]", host.read(lockdown)) if host.stat(lockdown) else None
    found = [f"lockdown is {level[1]}"] if level and level[1] in {"integrity", "confidentiality"} else []
    found += ["sig_enforce"] if host.stat(enforced) and host.read(enforced).strip() in {"Y", "1"} else []
    return [*found, *(["modules_disabled"] if _said(host, "kernel.modules_disabled") == "1" else [])]


_V4, _V6 = "/proc/sys/net/ipv4/conf", "/proc/sys/net/ipv6/conf"
_MOST = 256
"""Interfaces looked at besides the containers' own wires; who has more gets no answer."""


@check(
    "kernel-network",
    severity="medium",
    unhardened="ok fail",
    why="A neighbour, or a container, that tells this host another way out reads what takes it.",
    fix="hostkit bootstrap (play 45-kernel); accept_ra of a bridge is the engine's to close: update it.",
    play="45-kernel",
    references=("CIS Debian 12 3.3.1", "CIS Debian 12 3.3.5", "CIS Debian 12 3.3.7", "CVE-2020-13401"),
)
def no_interface_takes_strangers_routes(host: Host, policy: Policy) -> Verdict:
    """Each interface refuses redirects and forged senders, and no container gives this host a route.

    Carrying packets is allowed where there is an engine: that is how its containers get out.
    """
    names = [PurePosixPath(path).name for path in host.glob(f"{_V4}/*")]
    names = [name for name in names if name not in {"all", "default", "lo"} and not name.startswith("veth")]
    if len(names) > _MOST:
        raise CannotTell(f"{len(names)} interfaces are too many to look at", f"grep . {_V4}/*/accept_redirects")
    inner = [name for name in names if faces_containers(name)]
    outer = [name for name in names if name not in inner]
    faults = [fault for name in outer for fault in _outer(host, name)]
    faults += [f"{name} takes routes that a container announces" for name in inner if _hears_routes(host, name)]
    carries = host.read("/proc/sys/net/ipv4/ip_forward").strip() != "0" and not in_container(host)  # which inherits it
    lonely = carries and not inner and not engine.exists()
    faults += ["it carries packets for others, and there is no engine"] if lonely else []
    return every(faults, f"{len(outer)} interfaces and {len(inner)} of containers")


def _outer(host: Host, name: str) -> list[str]:
    wanted = kernel.own_settings([name])
    there = {key: host.read(kernel.path(key)).strip() for key in wanted if host.stat(kernel.path(key))}
    faults = [f"{key} is {value}" for key, value in there.items() if value != wanted[key]]
    modes = [host.read(f"{_V4}/{one}/rp_filter").strip() for one in ("all", name)]
    return [*faults, *([] if {"1", "2"} & set(modes) else [f"{name} does not ask where a packet comes from"])]


def _hears_routes(host: Host, name: str) -> bool:
    """Return whether a router's announcement that comes in there changes this host's routes (CVE-2020-13401)."""
    folder = f"{_V6}/{name}"
    if host.stat(f"{folder}/accept_ra") is None or host.read(f"{folder}/disable_ipv6").strip() == "1":
        return False
    said = host.read(f"{folder}/accept_ra").strip()
    return said == "2" or (said != "0" and host.read(f"{folder}/forwarding").strip() == "0")
