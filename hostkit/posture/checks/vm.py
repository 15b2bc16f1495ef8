"""The Linux VM that holds a Mac's containers: what it sees of the Mac, and what it lends or opens."""

import re

from hostkit.errors import CannotTell
from hostkit.host import SHARED_FILE_SYSTEMS, Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, need_root, printed, records
from hostkit.posture.model import Verdict, every, ok
from hostkit.posture.readings import processes
from hostkit.posture.vms import RUNNERS, Machine, Share, fault, machines, shares

_NONE = "no virtual machine of Colima, Lima, Rancher, Podman, Docker Desktop or OrbStack"
_ROSETTA = ("vz-rosetta", "/mnt/lima-rosetta")
_KINDS = SHARED_FILE_SYSTEMS | {"fuse.grpcfuse", "fuse.virtiofs"}
_OWN = frozenset(
    {"autofs", "binfmt_misc", "bpf", "btrfs", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs"}
    | {"efivarfs", "ext4", "fuse.fuse-overlayfs", "fuse.lxcfs", "fuse.snapfuse", "fusectl", "hugetlbfs", "iso9660"}
    | {"mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "squashfs", "sysfs"}
    | {"tmpfs", "tracefs", "vfat", "xfs"}
)
"""Types of file systems that are a Linux VM's own."""


@check(
    "vm-mounts",
    severity="critical",
    why="A container's walls end at the VM; a home that the VM sees is one mount away from the agent.",
    fix="hostkit bootstrap (play 60-vm); by hand: "
    "Colima: mounts: null, or working directories only (an empty list means the whole home). Lima: mounts: []. "
    "Docker Desktop: Settings > Resources > File sharing. OrbStack shares everything and cannot be told not to.",
    play="60-vm",
    references=("NIST SP 800-53 AC-3", "NIST SP 800-53 AC-6"),
)
def no_vm_sees_a_home(host: Host, policy: Policy) -> Verdict:
    """No virtual machine's settings share a person's home, their settings, or a system directory to write to."""
    found = machines(host)
    if not found:
        return ok(_NONE)
    seen = [(machine, share) for machine in found for share in shares(machine)]
    faults = [f"{machine.kind} ({machine.file}): {bad}" for machine, share in seen if (bad := fault(host, share))]
    return every(faults, f"{len(found)} machines, {len(seen)} directories")


@check(
    "vm-account",
    severity="high",
    why="A VM that runs as a person sends as that person, whom no rule of pf's holds, and opens that person's files.",
    fix="hostkit bootstrap (play 60-vm); by hand: stop the named VM, and let launchd start it as the agent's account.",
    play="60-vm",
    references=("NIST SP 800-53 AC-6",),
)
def vms_run_as_the_agents_account(host: Host, policy: Policy) -> Verdict:
    """Every virtual machine that runs, and every engine of one, runs as the agent's account."""
    need_root(host, "who runs virtual machines")
    told = records(host, "UniqueID")
    names = {int(uid): name for name, uid in told.items()}
    running = [entry for entry in processes(host) if entry.name.startswith(RUNNERS)]
    others = [entry for entry in running if names.get(entry.uid) != policy.host.account]
    faults = [f"{brief(entry.name)} ({names.get(entry.uid, f'uid {entry.uid}')})" for entry in others]
    return every(
        sorted(set(faults)), f"{len(running)} programs, all of {policy.host.account}" if running else "none runs"
    )


@check(
    "vm-live",
    severity="critical",
    kind="probe",
    why="A VM that was started before its settings were changed still sees what it saw then.",
    fix="Stop the VM and start it again: colima stop, colima start; limactl stop, limactl start.",
    references=("NIST SP 800-53 AC-3",),
)
def no_running_vm_has_a_home_mounted(host: Host, policy: Policy) -> Verdict:
    """No running VM of Lima or Colima has a person's home mounted: each was asked."""
    found = machines(host)
    running = [machine for machine in found if machine.kind == "lima" and host.stat(_beside(machine, "ha.sock"))]
    if deaf := sorted({machine.kind for machine in found} - {"lima", "colima"}):
        raise CannotTell(f"the VM of {deaf[0]} cannot be asked what it has mounted")
    agents = [entry for entry in processes(host) if entry.name == "limactl" and "hostagent" in entry.words]
    if len(agents) > len(running):
        raise CannotTell(f"{len(agents)} VMs run, and of {len(running)} it is known where they can be asked")
    faults = [
        f"{machine.file}: {bad}"
        for machine in running
        for share in _mounted(host, machine)
        if (bad := fault(host, share))
    ]
    return every(faults, f"{len(running)} run" if found else _NONE)


def _beside(machine: Machine, name: str) -> str:
    return f"{machine.file.rpartition('/')[0]}/{name}"


def _mounted(host: Host, machine: Machine) -> list[Share]:
    """Return what the running VM has mounted of the Mac, asked over its own SSH as the account that runs it."""
    name = machine.file.split("/")[-2]
    ssh = ("/usr/bin/ssh", "-F", _beside(machine, "ssh.config"), "-oBatchMode=yes", f"lima-{name}", "mount")
    said = printed(host, "/usr/bin/sudo", "-n", "-u", machine.person, *ssh)
    rows = [re.fullmatch(r"(.+) on (/.*) type (\S+) \(([^()]*)\)", line) for line in said.splitlines()]
    if not rows or not all(rows) or not any(row.group(2) == "/" for row in rows if row):
        raise CannotTell(f"the VM said nothing that is known of its mounts: {brief(said)}")
    if odd := next((row for row in rows if row and row.group(3) not in _KINDS | _OWN), None):
        raise CannotTell(f"the VM has mounted something of a kind that is not known: {brief(odd.group())}")
    # Rosetta's is Apple's translator, shared by the framework and not by anybody's settings.
    shared = [row for row in rows if row and row.group(3) in _KINDS and row.group(1, 2) != _ROSETTA]
    return [Share(row.group(2), "rw" in row.group(4).split(",")) for row in shared]


@check(
    "vm-doors",
    severity="high",
    why="An SSH agent in the VM signs as its owner, and an engine's API on a port makes root of whoever reaches it.",
    fix="hostkit bootstrap (play 60-vm); by hand: "
    "Colima: forwardAgent: false, network.address: false. Lima: ssh.forwardAgent: false, no networks. Docker "
    "Desktop: Settings > General > Expose daemon on tcp://localhost:2375: off.",
    play="60-vm",
    references=("NIST SP 800-53 AC-4", "CIS Docker 2.7"),
)
def no_vm_lends_or_opens_anything(host: Host, policy: Policy) -> Verdict:
    """No virtual machine is lent an SSH agent, has an address on the network, or opens its engine's API on a port."""
    found = machines(host)
    faults = [f"{machine.kind} ({machine.file}): {door}" for machine in found for door in _doors(machine)]
    return every(faults, f"{len(found)} machines" if found else _NONE)


def _doors(machine: Machine) -> list[str]:
    told = machine.told
    ssh, network = told.get("ssh"), told.get("network")
    agent = told.get("forwardagent") or (isinstance(ssh, dict) and ssh.get("forwardAgent"))
    address = told.get("networks") or (isinstance(network, dict) and network.get("address"))
    exposed, shared = told.get("exposedockerapiontcp2375"), told.get("hostnetworkingenabled")
    doors = {"an SSH agent is lent": agent, "it has an address on the network": address}
    doors |= {"the engine's API is on port 2375": exposed, "containers may share the Mac's network": shared}
    return [word for word, is_open in doors.items() if is_open]
