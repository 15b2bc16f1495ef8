import json

import pytest

from hostkit.host import FileFacts, Process, Said
from hostkit.posture import vms
from hostkit.posture.checks import vm as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import ACCOUNTS, PEOPLE, mac, recorded

P = make_policy()
COLIMA = "/Users/ann/.colima/default/colima.yaml"
MADE = "/Users/ann/.colima/_lima/colima/lima.yaml"
LIMA = "/Users/ann/.lima/default/lima.yaml"
RANCHER = "/Users/ann/Library/Application Support/rancher-desktop/lima/0/lima.yaml"
DOCKER = "/Users/ann/Library/Group Containers/group.com.docker/settings-store.json"
PODMAN = "/Users/ann/.config/containers/podman/machine/applehv/podman-machine-default.json"
ORBSTACK = "/Users/ann/.orbstack/run/docker.sock"
WORK = "mounts:\n- location: ~/work\n  writable: true\n"
VZ = Process(7, 1, "com.apple.Virtualization.VirtualMachine", ("vz",), 501)


BREW, CELLAR = "/opt/homebrew/bin/colima", "../Cellar/colima/{}/bin/colima"


def having(files, processes=(), root=True, commands=None, links=None, brewed="0.10.1", **facts):
    told, linked = {**ACCOUNTS, **(commands or {})}, {BREW: CELLAR.format(brewed), **(links or {})}
    return mac(told, {BREW: "", **files}, processes=processes, root=root, links=linked, **facts)


def judged_share(path, writable=False, links=None):
    return vms.fault(having({}, links=links), vms.Share(path, writable))


def colima(text, **more):
    return having({COLIMA: text}, **more)


def docker(**settings):
    return having({DOCKER: json.dumps(settings)})


def podman(*mounts):
    return having({PODMAN: json.dumps({"Mounts": [{"Source": path, "ReadOnly": False} for path in mounts]})})


SSH = ("/usr/bin/ssh", "-F", "/Users/ann/.colima/_lima/colima/ssh.config", "-oBatchMode=yes", "lima-colima", "mount")
ASKED = ("/usr/bin/sudo", "-n", "-u", "ann", *SSH)
ROOT = "/dev/vda1 on / type ext4 (rw,relatime)\nvz-rosetta on /mnt/lima-rosetta type virtiofs (rw,relatime)\n"
HOME = ROOT + recorded("vm-mount-colima-default.txt").replace("agentop", "ann")
AGENT = Process(8, 1, "limactl", ("limactl", "hostagent", "colima"), 501)


def live(said=ROOT, **more):
    files = {MADE: WORK, "/Users/ann/.colima/_lima/colima/ha.sock": ""}
    return having(more.pop("files", files), commands={ASKED: said}, **more)


def run_by(*uids, root=True):
    names = ("limactl", "com.apple.Virtualization.VirtualMachine.xpc")
    running = [Process(pid, 1, name, (name,), uid) for pid, (name, uid) in enumerate(zip(names, uids, strict=False), 7)]
    listed = {PEOPLE: ACCOUNTS[PEOPLE] + "hostkit-agent           450\n"}
    return mac(listed, processes=(*running, Process(1, 0, "launchd", ("launchd",), 0)), root=root)


BIG = {COLIMA: FileFacts(0o644, 501, 20, "file", 10**6)}
LINK = {COLIMA: FileFacts(0o644, 501, 20, "link", 10)}
CASES = [
    (subject.no_vm_sees_a_home, having({}), P, "ok", "no virtual machine of Colima"),
    (subject.no_vm_sees_a_home, colima(WORK), P, "ok", "1 machines, 1 directories"),
    (subject.no_vm_sees_a_home, colima("mounts: null\n"), P, "ok", "1 machines, 0 directories"),
    (subject.no_vm_sees_a_home, having({LIMA: "mounts: []\n"}), P, "ok", "0 directories"),
    (subject.no_vm_sees_a_home, having({LIMA: "plain: true\n"}), P, "ok", "0 directories"),
    (subject.no_vm_sees_a_home, docker(FilesharingDirectories=["/Users/ann/work"]), P, "ok", "1 directories"),
    (subject.no_vm_sees_a_home, podman("/Users/ann/work"), P, "ok", "1 directories"),
    (subject.no_vm_sees_a_home, colima("mounts: null\n", brewed="1.0.0"), P, "ok", "0 directories"),
    (subject.no_vm_sees_a_home, colima("mounts: null\n", brewed="0.9.1"), P, "unknown", "before 0.10 Colima takes"),
    (subject.no_vm_sees_a_home, colima("mounts: null\n", links={BREW: "/x"}), P, "unknown", "before 0.10 Colima"),
    (subject.no_vm_sees_a_home, colima("mounts: []\n"), P, "fail", "/Users/ann holds a home"),
    (subject.no_vm_sees_a_home, colima("cpu: 2\n"), P, "fail", "/Users/ann holds a home"),
    (subject.no_vm_sees_a_home, having({LIMA: 'mounts:\n- location: "~"\n'}), P, "fail", "/Users/ann holds a home"),
    (subject.no_vm_sees_a_home, having({RANCHER: "mounts:\n- location: /Users\n"}), P, "fail", "/Users holds a home"),
    (subject.no_vm_sees_a_home, docker(), P, "fail", "docker"),
    (subject.no_vm_sees_a_home, docker(filesharingDirectories=["/"]), P, "fail", "/ holds a home"),
    (subject.no_vm_sees_a_home, podman("/Users", "/private"), P, "fail", "/Users holds a home"),
    (subject.no_vm_sees_a_home, having({ORBSTACK: ""}), P, "fail", "orbstack"),
    (subject.no_vm_sees_a_home, having({LIMA: "images: []\n"}), P, "unknown", "leaves its mounts to a template"),
    (subject.no_vm_sees_a_home, having({LIMA: "base: template\nmounts: []\n"}), P, "unknown", "to a template"),
    (subject.no_vm_sees_a_home, having({PODMAN: "{}"}), P, "unknown", "form that is not known"),
    (subject.no_vm_sees_a_home, colima("mounts:\n- location: '{{.Home}}'\n"), P, "unknown", "names a directory"),
    (subject.no_vm_sees_a_home, colima("mounts:\n- location: ~bo/x\n"), P, "unknown", "names a directory"),
    (subject.no_vm_sees_a_home, having({LIMA.replace("default", f"vm{n}"): "" for n in range(51)}), P, "unknown", "51"),
    (subject.no_vm_sees_a_home, colima(WORK, links={"/Users/ann/work": "/"}), P, "fail", "/Users/ann/work is a link"),
    (subject.no_vm_sees_a_home, colima("mounts:\n- location: ~/.ssh\n"), P, "fail", "/Users/ann/.ssh holds settings"),
    (subject.no_vm_sees_a_home, colima("mounts:\n- location: /private/tmp/x\n"), P, "ok", "1 directories"),
    (subject.no_vm_sees_a_home, colima("mounts:\n- ~/x\n"), P, "unknown", "lists its mounts"),
    (subject.no_vm_sees_a_home, colima("mounts: yes\n"), P, "unknown", "lists its mounts"),
    (subject.no_vm_sees_a_home, colima("a: [\n"), P, "unknown", "form that is not known"),
    (subject.no_vm_sees_a_home, colima("[" * 9000), P, "unknown", "form that is not known"),
    (subject.no_vm_sees_a_home, having({DOCKER: "[" * 60000}), P, "unknown", "form that is not known"),
    (subject.no_vm_sees_a_home, having({COLIMA: WORK}, facts=BIG), P, "unknown", "at most 64 KiB"),
    (subject.no_vm_sees_a_home, having({COLIMA: WORK}, facts=LINK), P, "unknown", "is no file of"),
    (subject.no_vm_sees_a_home, having({}, (VZ,)), P, "unknown", "a virtual machine runs"),
    (subject.no_vm_sees_a_home, having({}, root=False), P, "unknown", "without root"),
    (subject.no_vm_sees_a_home, mac(dict.fromkeys(ACCOUNTS, "root /var/root\n")), P, "unknown", "no home below /Users"),
    (subject.no_running_vm_has_a_home_mounted, live(), P, "ok", "1 run"),
    (subject.no_running_vm_has_a_home_mounted, live(files={MADE: WORK}), P, "ok", "0 run"),
    (subject.no_running_vm_has_a_home_mounted, having({}), P, "ok", "no virtual machine"),
    (subject.no_running_vm_has_a_home_mounted, live(HOME), P, "fail", "/Users/ann holds a home"),
    (
        subject.no_running_vm_has_a_home_mounted,
        live(ROOT + "mac on /Users/ann type newfs (rw)\n"),
        P,
        "unknown",
        "mounted something of a kind that is not known: mac on /Users/ann",
    ),
    (subject.no_running_vm_has_a_home_mounted, live(""), P, "unknown", "the VM said nothing"),
    (
        subject.no_running_vm_has_a_home_mounted,
        live(recorded("vm-mount-colima-default.txt")),
        P,
        "unknown",
        "the VM said",
    ),
    (subject.no_running_vm_has_a_home_mounted, live(Said(255, err="Connection refused\n")), P, "unknown", "refused"),
    (subject.no_running_vm_has_a_home_mounted, live(processes=(AGENT, AGENT)), P, "unknown", "2 VMs run"),
    (subject.no_running_vm_has_a_home_mounted, having({DOCKER: "{}"}), P, "unknown", "docker cannot be asked"),
    (
        subject.no_vm_lends_or_opens_anything,
        colima("forwardAgent: false\nnetwork:\n  address: false\n"),
        P,
        "ok",
        "1 m",
    ),
    (subject.vms_run_as_the_agents_account, run_by(450, 450), P, "ok", "2 programs, all of hostkit-agent"),
    (subject.vms_run_as_the_agents_account, run_by(), P, "ok", "none runs"),
    (
        subject.vms_run_as_the_agents_account,
        run_by(450, 501),
        P,
        "fail",
        "VirtualMachine.xpc (ann)",
    ),
    (subject.vms_run_as_the_agents_account, run_by(777), P, "fail", "(uid 777)"),
    (subject.vms_run_as_the_agents_account, run_by(450, root=False), P, "unknown", "without root"),
    (subject.vms_run_as_the_agents_account, mac({PEOPLE: ""}), P, "unknown", "lists an account"),
    (subject.no_vm_lends_or_opens_anything, having({}), P, "ok", "no virtual machine"),
    (subject.no_vm_lends_or_opens_anything, colima("forwardAgent: true\n"), P, "fail", "an SSH agent is lent"),
    (subject.no_vm_lends_or_opens_anything, colima("network:\n  address: true\n"), P, "fail", "address on the network"),
    (subject.no_vm_lends_or_opens_anything, having({LIMA: "ssh:\n  forwardAgent: true\n"}), P, "fail", "SSH agent"),
    (subject.no_vm_lends_or_opens_anything, having({LIMA: "networks:\n- vzNAT: true\n"}), P, "fail", "address on the"),
    (subject.no_vm_lends_or_opens_anything, docker(ExposeDockerAPIOnTCP2375=True), P, "fail", "port 2375"),
    (subject.no_vm_lends_or_opens_anything, colima("- x\n"), P, "unknown", "form that is not known"),
]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/", "holds a home"),
        ("/users/ANN", "holds a home"),
        ("/System/Volumes/Data/Users/ann", "holds a home"),
        ("/System", "holds a home"),
        ("/private/var", "holds a home"),
        ("/Users/ann/.ssh", "holds settings"),
        ("/Users/ann/library/Keychains", "holds settings"),
        ("/Users/ann/work/.git", "holds settings"),
        ("/.vol/1/2", "holds settings"),
    ],
)
def test_a_home_is_a_home_however_its_path_is_spelled(path, word):
    assert word in judged_share(path)


def test_a_directory_may_be_shared_but_the_systems_only_to_read():
    assert judged_share("/opt/data") == judged_share("/Users/ann/work", writable=True) == ""
    assert judged_share("/tmp/lima", writable=True) == judged_share("/private/tmp/lima", writable=True) == ""
    assert "is the system's" in judged_share("/usr/local/bin", writable=True)


def test_a_link_on_the_way_is_named():
    assert "/Users/ann/work is a link" in judged_share("/Users/ann/work/x", links={"/Users/ann/work": "/"})
