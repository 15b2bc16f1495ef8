"""The proof at start: a throw-away probe attacks the walls, and what it saw is judged here."""

import json
from dataclasses import dataclass
from typing import Any

from hostkit.errors import CannotTell, WallOpen
from hostkit.launch.confinement import other_profile
from hostkit.launch.model import ContainerPlan, LaunchPlan

PROBE = r"""
import base64, errno, json, os, resource, select, socket, sys, threading, time
def tcp(host, port, wait=0.4):
    try:
        socket.create_connection((host, port), wait).close()
        return "connected"
    except OSError as why:
        return type(why).__name__ + ":" + str(why.errno)
def ask(server, name):
    label = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    query = os.urandom(2) + b"\1\0\0\1\0\0\0\0\0\0" + label + b"\0\0\1\0\1"
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
    try:
        s.sendto(query, (server, 53)); answer = s.recv(512)
        return "rcode:%d answers:%d" % (answer[3] & 15, answer[7])
    except OSError as why:
        return type(why).__name__
def read(*paths):
    for path in paths:
        try:
            return open(path).read().strip()
        except OSError:
            pass
    return ""
for name, value in order["secrets"].items():
    path = "/run/secrets/" + name
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    os.write(fd, base64.b64decode(value)); os.close(fd)
gateway, found, threads = order["gateway"], {}, []
def job(key, function, *args):
    def run():
        found[key] = function(*args)
    threads.append(threading.Thread(target=run)); threads[-1].start()
def knock(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM); s.setblocking(False)
    return s, s.connect_ex((address, port))
def said(s, first):
    code = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code or first not in (0, errno.EINPROGRESS):
        why = OSError(code or first, "")
        return type(why).__name__ + ":" + str(why.errno)
    return "connected" if select.select([], [s], [], 0)[1] else "silent"
knocked, since = {address: knock(address, port) for address, port in order["targets"]}, time.monotonic()
sys.stdin.readline()
end = time.monotonic() + order["patience"]
while tcp(gateway, 3128, 0.5) != "connected" and time.monotonic() < end:
    time.sleep(0.01)
job("gateway", tcp, gateway, 3128)
job("dns:gateway", ask, gateway, order["nonces"][0])
job("dns:embedded", ask, "127.0.0.11", order["nonces"][1])
for thread in threads:
    thread.join()
sys.stdout.write("{}\n"); sys.stdout.flush()
time.sleep(max(0.0, since + order["silence"] - time.monotonic()))
for address, (s, first) in knocked.items():
    found["host:" + address] = said(s, first)
status = dict(line.split(":", 1) for line in read("/proc/self/status").splitlines() if ":" in line)
keys = ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")
found["status"] = {key: status.get(key, "").strip() for key in keys}
found["ipv6"] = [l.split()[-1] for l in read("/proc/net/if_inet6").splitlines() if l.split()[-1] != "lo"]
cg = "/sys/fs/cgroup/"
found["pids"] = read(cg + "pids.max", cg + "pids/pids.max")
found["memory"] = read(cg + "memory.max", cg + "memory/memory.limit_in_bytes")
quota = read(cg + "cpu.max").split() or [read(cg + "cpu/cpu.cfs_quota_us"), read(cg + "cpu/cpu.cfs_period_us")]
found["cpu"] = quota
found["nofile"] = list(resource.getrlimit(resource.RLIMIT_NOFILE))
found["core"] = list(resource.getrlimit(resource.RLIMIT_CORE))
found["apparmor"] = read("/proc/self/attr/apparmor/current")
found["uid_map"] = read("/proc/self/uid_map").split()
def room(path):
    facts = os.statvfs(path)
    return facts.f_blocks * facts.f_frsize
found["tmpfs"] = {path: room(path) for path in order["tmpfs"]}
try:
    open("/hostkit-probe", "w"); found["root"] = "written"
except OSError as why:
    found["root"] = type(why).__name__ + ":" + str(why.errno)
sys.stdout.write(json.dumps(found) + "\n"); sys.stdout.flush()
sys.stdin.readline()
"""

_SILENCE = 0.1
"""Seconds that the host must be silent at least; the attempts stay open, and are listened for, until the proof ends.

Where there is a way to the host its kernel answers by itself, sooner than the gateway, a program in another
container, answers the two names that are asked over the same bridge afterwards.
"""
_PAGE = 65536
"""The largest page of the kernels that hostkit runs on."""


@dataclass(frozen=True)
class Seen:
    """What a probe reported, the host targets that a control connection reached, and the gateway's denied names.

    `heard` is what the listeners on the host themselves heard from the sandbox.
    """

    report: dict[str, Any]
    reachable: frozenset[str]
    denied: frozenset[str]
    nonces: tuple[str, str]
    heard: frozenset[str] = frozenset()


def order(plan: LaunchPlan, targets: list[tuple[str, int]], nonces: tuple[str, str], secrets: dict[str, str]) -> bytes:
    """Return the one line that a probe reads: its source, what to attack, and the secrets (base64) to lay down."""
    line = {
        "source": PROBE,
        "gateway": plan.rules.address,
        "targets": targets,
        "nonces": nonces,
        "secrets": secrets,
        "tmpfs": sorted(plan.probe.tmpfs),
        "patience": 15.0,
        "silence": _SILENCE,
    }
    return json.dumps(line).encode() + b"\n"


def judge(plan: LaunchPlan, seen: Seen) -> tuple[str, ...]:
    """Return a sentence for each wall that held; raise WallOpen if one is open, CannotTell if one is unproved."""
    open_walls = [*_reached(seen), *_posture(plan.agent, seen.report), *_limits(plan.agent, seen.report)]
    if open_walls:
        raise WallOpen("; ".join(open_walls), "the agent was not started; nothing was left behind")
    unproved = _unproved(seen)
    if unproved:
        raise CannotTell("; ".join(unproved), "the agent was not started; nothing was left behind")
    return _held(plan, seen)


def _reached(seen: Seen) -> list[str]:
    words = {key.removeprefix("host:"): word for key, word in seen.report.items() if key.startswith("host:")}
    hosts = seen.heard | {address for address, word in words.items() if _answered(word)}
    return [f"the host answers the sandbox at {address}" for address in sorted(hosts)]


def _answered(word: Any) -> bool:
    """Return whether the host answered; a refused connection is an answer too."""
    return word == "connected" or str(word).startswith("ConnectionRefused")


def _posture(agent: ContainerPlan, report: dict[str, Any]) -> list[str]:
    status = report.get("status", {})
    uid = agent.user.split(":")[0]
    wanted = {
        "CapEff": "0" * 16,
        "CapPrm": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
        "Seccomp": "2",
        "Uid": "\t".join([uid] * 4),
    }
    wrong = [key for key, value in wanted.items() if status.get(key) != value]
    found = [f"{key} is {status.get(key)!r}, not {wanted[key]!r}" for key in wrong]
    if report.get("uid_map") != ["0", "0", "4294967295"]:
        found.append(f"the engine maps uids ({' '.join(report.get('uid_map', []))}): turn its userns-remap off")
    if report.get("ipv6"):
        found.append(f"IPv6 is on: {', '.join(report['ipv6'])}")
    if not str(report.get("root", "")).startswith("OSError:30"):
        found.append(f"the root file system is not read-only: {report.get('root')}")
    profile = other_profile(agent.apparmor, str(report.get("apparmor", "")))
    return [*found, profile] if profile else found


def _limits(agent: ContainerPlan, report: dict[str, Any]) -> list[str]:
    found = []
    if report.get("pids") != str(agent.pids):
        found.append(f"the process limit is {report.get('pids')!r}, not {agent.pids}")
    if report.get("memory") != str(agent.memory):
        found.append(f"the memory limit is {report.get('memory')!r}, not {agent.memory}")
    quota, period = (report.get("cpu") or ["", ""])[:2]
    if not (quota.isdigit() and period.isdigit() and abs(int(quota) / int(period) - agent.cpus) < 0.01):
        found.append(f"the cpu limit is {quota}/{period}, not {agent.cpus}")
    return [*found, *_ulimits(agent, report), *_rooms(agent, report)]


def _ulimits(agent: ContainerPlan, report: dict[str, Any]) -> list[str]:
    found = []
    if report.get("nofile") != [agent.nofile] * 2:
        found.append(f"the limit of open files is {report.get('nofile')}, not {agent.nofile}")
    if report.get("core") != [0, 0]:
        found.append(f"the size of core dumps is {report.get('core')}, not 0")
    return found


def _rooms(agent: ContainerPlan, report: dict[str, Any]) -> list[str]:
    """Return the tmpfs folders that are larger than planned; the kernel rounds a size up to a whole page."""
    found = []
    for path, options in sorted(agent.tmpfs.items()):
        planned = int(dict(word.partition("=")[::2] for word in options.split(","))["size"])
        room = report.get("tmpfs", {}).get(path)
        if not isinstance(room, int) or not 0 <= room - planned < _PAGE:
            found.append(f"{path} has room for {room} bytes, not {planned}")
    return found


def _unproved(seen: Seen) -> list[str]:
    found = []
    if seen.report.get("gateway") != "connected":
        found.append(f"the gateway does not answer the sandbox ({seen.report.get('gateway')})")
    if not seen.reachable:
        found.append("no listener on the host could be reached from the host itself, so silence proves nothing")
    for nonce, resolver in zip(seen.nonces, ("the gateway", "Docker's resolver"), strict=True):
        if nonce not in seen.denied:
            found.append(f"a name asked of {resolver} is not among the gateway's denials")
    return found


def _held(plan: LaunchPlan, seen: Seen) -> tuple[str, ...]:
    profile = f"AppArmor profile {plan.agent.apparmor}, " if plan.agent.apparmor else ""
    return (
        f"the host is silent at {', '.join(sorted(seen.reachable))}",
        "every name asked lands at the gateway, Docker's resolver included",
        f"no capability, no new privileges, seccomp on, {profile}root file system read-only, no IPv6",
        "pids, memory, cpu, open files, core and tmpfs limits are in force",
    )
