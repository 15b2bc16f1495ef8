import json
import sys

import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts, LocalHost
from hostkit.posture import attempt
from hostkit.posture.checks import reach as subject
from hostkit.posture.trials import judged
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
PASSWD = """\
root:x:0:0::/root:/bin/bash
ann:x:1000:1000::/home/ann:/bin/bash
hostkit-agent:x:990:990::/var/lib/hostkit-agent:/usr/sbin/nologin
"""
TRY = (sys.executable, "-I", "-S", attempt.__file__)
WANTED = ("/etc/shadow", "/etc/hostkit/hostkit.yml", "/run/docker.sock", "/home/ann", "/var/lib/docker/volumes")
FOLDER = FileFacts(0o755, 0, 0, "directory")


def answered(ways=None):
    """Return what an attempt says: everything is denied but what is named otherwise."""
    return json.dumps({"/": "opened", "/etc/passwd": "opened", **dict.fromkeys(WANTED, "EACCES"), **(ways or {})})


def tried(said, passwd=PASSWD, *, root=True, more=()):
    files = {**dict.fromkeys((*WANTED[:3], *more), ""), "/etc/passwd": passwd}
    facts = {"/home/ann": FOLDER, "/var/lib/docker/volumes": FOLDER}
    return FakeHost({TRY: said} if said is not None else {}, files, facts, root=root)


opens = subject.what_is_not_the_agents_does_not_open
OPENS = [
    (opens, tried(answered()), P, "ok", "5 tried as uid 990 and as 70511, all denied"),
    (opens, tried(answered({"/etc/shadow": "opened"})), P, "fail", "/etc/shadow opens for the agent's account"),
    (opens, tried(answered({"/home/ann": "opened"})), P, "fail", "/home/ann opens for a client"),
    (opens, tried(answered({"/run/docker.sock": "ECONNREFUSED"})), P, "fail", "/run/docker.sock opens"),
    (opens, tried(answered({"/run/docker.sock": "ENOENT"})), P, "ok", "5 tried"),  # it went away meanwhile
    (opens, tried(answered({"/etc/shadow": "EIO"})), P, "unknown", "/etc/shadow: EIO"),
    (opens, tried(answered({"/etc/passwd": "EACCES", "/": "EACCES"})), P, "unknown", "could open not even /"),
    (opens, tried(answered(), more=["/etc/sudoers"]), P, "unknown", "/etc/sudoers: None"),  # it said nothing of it
    (opens, tried("no JSON"), P, "unknown", "not understood"),
    (opens, tried("[]"), P, "unknown", "not understood"),
    (opens, tried(None), P, "unknown", "not taught"),
    (opens, tried(answered(), "ann:x:1000:1000::/home/ann:/bin/bash\n"), P, "fail", "no account hostkit-agent"),
    (opens, tried(answered(), root=False), P, "unknown", "only root can become another"),
]

takes = subject.no_process_can_be_taken_hold_of
DENIED = {f"/proc/1/{name}": "EACCES" for name in ("environ", "mem", "maps")}
SCOPE = "/proc/sys/kernel/yama/ptrace_scope"


def held(scope="1\n", *, root=True, **ways):
    files = {} if scope is None else {SCOPE: scope}
    said = answered({**DENIED, "beside": "EPERM", "child": "opened", **ways})
    return FakeHost({TRY: said}, files, root=root)


TAKES = [
    (takes, held(), P, "ok", "ptrace_scope is 1"),
    (takes, held("3\n", child="EPERM"), P, "ok", "ptrace_scope is 3"),
    (takes, held("0\n", beside="opened"), P, "fail", "takes hold of another of its uid"),
    (takes, held(None, beside="opened"), P, "fail", "takes hold of another of its uid"),
    (takes, held(**{"/proc/1/environ": "opened"}), P, "fail", "/proc/1/environ opens"),
    (takes, held(child="EPERM"), P, "unknown", "its own child either"),
    (takes, held(beside=""), P, "unknown", "beside: "),
    (takes, held(root=False), P, "unknown", "only root"),
]

writes = subject.nothing_that_root_runs_can_be_written


def written(path="/usr/bin/tool", mode=0o755, owner=(0, 0), kind="file", folder=0o755, **more):
    """Return a machine on which this path has this mode and owner, in a folder of this mode that is root's."""
    words = path.split("/")
    facts = {"/".join(words[:n]) or "/": FOLDER for n in range(1, len(words))}
    facts |= {"/".join(words[:-1]): FileFacts(folder, 0, 0, "directory"), path: FileFacts(mode, *owner, kind)}
    group = "users:x:100:hostkit-agent\n"
    return FakeHost(files={"/etc/passwd": PASSWD, "/etc/group": group}, facts=facts, **more)


def full():
    raise CannotTell("/usr/bin holds more than 10000 names")


WRITES = [
    (writes, written(), P, "ok", "paths in"),
    (writes, written(mode=0o757), P, "fail", "/usr/bin/tool"),
    (writes, written(mode=0o775, owner=(0, 100)), P, "fail", "/usr/bin/tool"),
    (writes, written(mode=0o775, owner=(0, 101)), P, "ok", "paths in"),
    (writes, written(owner=(990, 0)), P, "fail", "/usr/bin/tool"),
    (writes, written(owner=(70003, 0)), P, "fail", "/usr/bin/tool"),
    (writes, written(folder=0o757), P, "fail", "/usr/bin"),
    (writes, written("/etc/cron.d/job", mode=0o666), P, "fail", "/etc/cron.d/job"),
    (writes, written("/etc/systemd/system/x.service", mode=0o646), P, "fail", "/etc/systemd/system/x.service"),
    (writes, written(mode=0o777, kind="link", links={"/usr/bin/tool": "/dev/null"}), P, "ok", "paths in"),
    (writes, written(root=False), P, "unknown", "only root"),
    (writes, written(names={"/usr/bin": full}), P, "unknown", "more than 10000"),
]
CASES = [*OPENS, *TAKES, *WRITES]


def test_a_folder_that_a_link_leads_to_is_judged_where_it_is():
    host = written("/opt/tools/x", mode=0o666, links={"/usr/local/bin": "/opt/tools"})
    host.facts |= {"/usr": FOLDER, "/usr/local": FOLDER, "/usr/local/bin": FileFacts(0o777, 0, 0, "link")}
    assert judged(writes, host, P).detail == "/opt/tools/x"


def test_too_many_volumes_are_neither_tried_nor_green(monkeypatch):
    monkeypatch.setattr(subject, "_MOST", 4)
    assert judged(opens, tried(answered()), P).status == "unknown"


@pytest.mark.skipif(not LocalHost().is_root, reason="only root becomes another uid")
def test_the_attempt_itself_is_denied_what_is_closed_and_opens_what_is_not():
    order = {"paths": [("file", "/etc/shadow"), ("directory", "/root"), ("directory", "/usr")]}
    told = subject._tried(LocalHost(), 70511, 70511, order)
    assert (told["/etc/shadow"], told["/root"], told["/usr"]) == ("EACCES", "EACCES", "opened")


ACCOUNT = """
id -u hostkit-agent >/dev/null 2>&1 ||
  useradd --system --no-create-home --home-dir /var/lib/hostkit-agent --shell /usr/sbin/nologin hostkit-agent
usermod --lock --gid hostkit-agent --groups '' hostkit-agent
chmod 0700 /home/* /root; chmod 0640 /etc/shadow
"""
SHUT = ACCOUNT + "rm -f /run/docker.sock; "
BIND = """python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/run/docker.sock")'; """
BROKEN = [
    Broken(opens, SHUT, "chmod 0644 /etc/shadow", "/etc/shadow opens for a client"),
    Broken(opens, SHUT, "usermod -aG shadow hostkit-agent", "/etc/shadow opens for the agent's account"),
    Broken(opens, SHUT, "chmod 0755 /home/admin", "/home/admin opens for"),
    Broken(opens, SHUT, BIND + "chmod 0666 /run/docker.sock", "/run/docker.sock opens for"),
    Broken(writes, ACCOUNT + "chmod 0755 /usr/local/bin", "chmod 0777 /usr/local/bin", "/usr/local/bin"),
    Broken(
        writes,
        ACCOUNT + "rm -f /etc/cron.d/try",
        "install -m 0664 -g hostkit-agent /dev/null /etc/cron.d/try",
        "/etc/cron.d/try",
    ),
    Broken(
        writes,
        ACCOUNT + "rm -rf /usr/local/bin/try /srv/try",
        "install -d -o hostkit-agent /srv/try; touch /srv/try/tool; ln -s /srv/try/tool /usr/local/bin/try",
        "/usr/local/bin/try",
    ),
    Broken(
        takes,
        "sysctl -q -w kernel.yama.ptrace_scope=1",
        "sysctl -q -w kernel.yama.ptrace_scope=0",
        "takes hold of another",
        where="vm",
    ),
]
