import pytest

from hostkit.errors import CannotTell
from hostkit.host import Entry, FileFacts, Process
from hostkit.posture.checks import credentials as subject
from hostkit.posture.homes import lying, people, searched
from hostkit.posture.model import Check
from hostkit.posture.personal import FAMILIES
from hostkit.posture.trials import judged
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
PASSWD = """\
root:x:0:0::/root:/bin/bash
bin:x:2:2::/bin:/usr/sbin/nologin
backup:x:34:34::/var/backups:/usr/sbin/nologin
jenkins:x:105:105::/var/lib/jenkins:/usr/sbin/nologin
ann:x:1000:1000::/home/ann:/bin/bash
hostkit-agent:x:990:990::/var/lib/hostkit-agent:/usr/sbin/nologin
"""
GROUP = "root:x:0:\nstaff:x:50:ann,hostkit-agent\n"
HOME = "/home/ann"
FIRST = Process(1, 0, "systemd", ("/sbin/init",), 0)
MANY = (FIRST, *(Process(n, 1, "a", (), 70001) for n in range(2, 5003)))
FOLDER = FileFacts(0o755, 0, 0, "directory")


def seen(*things, home=0o755, root=True, text="", taught=None, **more):
    """Return a machine on which ann's home has this mode and things (path, mode, uid, gid, kind) lie."""
    facts = {}
    for path, mode, *rest in things:
        uid, gid, kind, *_ = (*rest, *(1000, 1000, "file")[len(rest) :])
        words = path.split("/")
        facts |= {"/".join(words[:n]) or "/": FOLDER for n in range(1, len(words))}
        facts[path] = FileFacts(mode, uid, gid, kind, 100)
    facts |= {"/": FOLDER, "/home": FOLDER, HOME: FileFacts(home, 1000, 1000, "directory")}
    files = {"/etc/passwd": PASSWD, "/etc/group": GROUP} | {path: text for path, *_ in things} | (taught or {})
    return FakeHost(files=files, facts=facts, root=root, **{"processes": (FIRST,), **more})


EXAMPLES = {
    "cloud": ("/home/ann/.aws/credentials", ""),
    "keys": ("/home/ann/.ssh/work", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    "git": ("/home/ann/.config/gh/hosts.yml", "github.com:\n  oauth_token: x"),
    "packages": ("/home/ann/.npmrc", "//registry.example/:_authToken=x"),
    "warehouses": ("/home/ann/.dbt/profiles.yml", ""),
    "browsers": ("/home/ann/.config/google-chrome/Profile 1/Cookies", ""),
    "keyrings": ("/home/ann/.local/share/keyrings/login.keyring", ""),
    "clusters": ("/home/ann/.docker/config.json", '{"auths": {"r.example": {"auth": "eDp4"}}}'),
    "passwords": ("/home/ann/.netrc", ""),
    "history": ("/home/ann/.bash_history", ""),
}
CHECKS = {entry.id.partition("-")[2]: entry for entry in vars(subject).values() if isinstance(entry, Check)}


def cases():
    """For each family: in reach, behind a closed home, closed itself, hidden, and without root."""
    for family, (path, text) in EXAMPLES.items():
        check = CHECKS[family]
        yield check, seen((path, 0o644), text=text), P, "fail", path
        yield check, seen((path, 0o640, 1000, 50), text=text), P, "fail", path
        yield check, seen((path, 0o644), text=text, home=0o750), P, "ok", "1 in"
        yield check, seen((path, 0o600), text=text), P, "ok", "none in reach: 1 in"
        yield check, seen(), P, "ok", "none in reach: 0 in"
        yield check, seen((path, 0o644), text=text, root=False), P, "unknown", "without root"
        yield check, seen(names={HOME: hidden}), P, "unknown", "cannot be listed"


def hidden():
    raise CannotTell(f"{HOME} cannot be listed")


def one(check, status, word, *things, **more):
    return (check, seen(*things, **more), P, status, word)


AGENT = "/tmp/ssh-XX/agent.7"
SOCKET = (AGENT, 0o777, 1000, 1000, "socket")
LENT = {"processes": (FIRST, Process(7, 1, "node", ("node",), 70000), Process(8, 1, "bash", ("bash",), 1000))}
KEYRINGS, SOCKETS, KEYS = CHECKS["keyrings"], CHECKS["sockets"], CHECKS["keys"]


def environ(text, pid=7):
    return {f"/proc/{pid}/environ": f"HOME=/\0{text}\0", "/proc/8/environ": "SSH_AUTH_SOCK=/tmp/ssh-XX/agent.7\0"}


SHARES = "//nas/x /mnt cifs ro,credentials=/srv/nas.cred 0 0\n# //a /b cifs cred=/srv/old 0 0\n"
INLINE = "//n/x /m cifs user=a,password=b 0 0"
LONG = "-----BEGIN PRIVATE KEY-----" + "x" * 2**20
OWN = "/var/lib/hostkit-agent"
CASES = [
    *cases(),
    one(SOCKETS, "unknown", "hidden", processes=(Process(7, 1, "node", (), 70000),)),
    one(SOCKETS, "ok", "none in reach: 0 in"),
    one(SOCKETS, "fail", AGENT, SOCKET),
    one(SOCKETS, "ok", "1 in", (AGENT, 0o600, 1000, 1000, "socket")),
    one(SOCKETS, "ok", "1 in", (AGENT, 0o744, 1000, 1000, "socket")),  # a socket wants the right to write
    one(SOCKETS, "ok", "1 in", (AGENT, 0o777, 1000, 1000, "file")),
    one(SOCKETS, "unknown", "without root", SOCKET, root=False),
    one(SOCKETS, "fail", "process 7 has SSH_AUTH_SOCK of uid 1000", ("/proc/7/root/a", 0o600, 1000, 1000, "socket"),
        taught=environ("SSH_AUTH_SOCK=/a"), **LENT),
    one(SOCKETS, "ok", "none", ("/proc/7/root/a", 0o600, 70000, 70000, "socket"),
        taught=environ("SSH_AUTH_SOCK=/a"), **LENT),
    one(SOCKETS, "ok", "none", taught=environ("SSH_AUTH_SOCK=../../a"), **LENT),
    one(SOCKETS, "ok", "none", **LENT),  # it ended since it was listed
    one(SOCKETS, "unknown", "not taught", ("/proc/7", 0o555, 0, 0, "directory"), **LENT),
    one(SOCKETS, "unknown", "too many", processes=MANY),
    one(KEYRINGS, "fail", "process 7 has a session", taught=environ("OP_SESSION_my=SEKRET"), **LENT),
    one(KEYS, "ok", "1 in", ("/home/ann/.ssh/id_ed25519.pub", 0o644), text="ssh-ed25519 AAAA"),
    one(KEYS, "fail", "/etc/ssh/ssh_host_rsa_key", ("/etc/ssh/ssh_host_rsa_key", 0o644, 0, 0)),
    one(KEYS, "fail", "/home/ann/big.pem", ("/home/ann/big.pem", 0o644), text=LONG),
    one(CHECKS["passwords"], "fail", "/srv/nas.cred", ("/srv/nas.cred", 0o644, 0, 0),
        taught={"/etc/fstab": SHARES}),
    one(CHECKS["passwords"], "fail", "/etc/fstab", ("/etc/fstab", 0o644, 0, 0), text=INLINE),
    one(CHECKS["passwords"], "ok", "1 in", ("/etc/fstab", 0o644, 0, 0), text="/dev/sda1 / ext4 defaults 0 1"),
    one(CHECKS["packages"], "ok", "1 in", ("/home/ann/.npmrc", 0o644), text="fund=false"),
    one(CHECKS["clusters"], "ok", "1 in", ("/home/ann/.docker/config.json", 0o644), text='{"auths": {"r": {}}}'),
    one(CHECKS["cloud"], "fail", f"{OWN}/.aws", (f"{OWN}/.aws/credentials", 0o600, 990)),
    one(CHECKS["cloud"], "fail", "/var/lib/jenkins", ("/var/lib/jenkins/.aws/credentials", 0o644)),
    one(CHECKS["cloud"], "fail", "/home/ldap", ("/home/ldap/.aws/credentials", 0o644)),  # in no passwd file
    one(CHECKS["cloud"], "fail", "/home/ann/.aws", ("/home/ann/.aws/credentials", 0o660),
        acls={"/home/ann/.aws/credentials": (Entry(0x02, 4, 990), Entry(0x10, 4, 0))}),
    one(CHECKS["cloud"], "ok", "1 in", ("/home/ann/.aws/credentials", 0o660),
        acls={"/home/ann/.aws/credentials": (Entry(0x02, 4, 990), Entry(0x10, 0, 0))}),
]  # fmt: skip


def test_every_family_has_a_check():
    assert set(CHECKS) == set(FAMILIES)


def test_a_credential_in_reach_is_told_though_another_home_cannot_be_seen():
    def closed():
        raise CannotTell("/home/eve: Permission denied")

    host = seen(("/home/ann/.netrc", 0o644), ("/home/eve/x", 0o644), names={"/home/eve": closed})
    assert judged(CHECKS["passwords"], host, P).status == "fail"
    assert judged(CHECKS["cloud"], host, P).status == "unknown"


def test_a_link_into_a_share_is_followed():
    host = seen(("/srv/team/creds", 0o644, 0, 0), ("/home/ann/.aws/credentials", 0o777, 1000, 1000, "link"),
                links={"/home/ann/.aws/credentials": "/srv/team/creds"})  # fmt: skip
    assert judged(CHECKS["cloud"], host, P).detail == "/home/ann/.aws/credentials"


def test_no_value_of_a_credential_is_told():
    host = seen(("/home/ann/.npmrc", 0o644), text="//r/:_authToken=SEKRET", taught=environ("BW_SESSION=SEKRET"), **LENT)
    told = [judged(check, host, P).detail for check in CHECKS.values()]
    assert any("/home/ann/.npmrc" in detail for detail in told)
    assert "SEKRET" not in " ".join(told)


def test_the_systems_own_folders_are_no_homes():
    assert set(searched(seen(("/home/ldap/x", 0o644)))) == {
        "/root", "/var/lib/jenkins", "/home/ann", "/home/ldap", "/var/lib/hostkit-agent",
    }  # fmt: skip
    assert set(people(seen(("/home/ldap/y", 0o644)))) == {"/root", "/home/ann", "/home/ldap"}


def test_homes_past_the_five_hundredth_are_not_green():
    passwd = "".join(f"p{n}:x:{n}:{n}::/home/p{n}:/bin/sh\n" for n in range(1000, 1600))
    host = FakeHost(files={"/etc/passwd": passwd, "/etc/group": ""}, processes=(FIRST,))
    assert "101 homes past the first 500" in judged(CHECKS["cloud"], host, P).detail


def test_a_folder_is_listed_once_a_run():
    asked = []

    class Counting(FakeHost):
        def names(self, path):
            asked.append(path)
            return super().names(path)

    host = Counting(
        files={"/etc/passwd": PASSWD, "/home/ann/.config/gh/hosts.yml": "", "/home/ann/.aws/credentials": ""}
    )
    lying(host)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("form", [form for forms in FAMILIES.values() for form in forms], ids=lambda form: form.path)
def test_every_form_of_the_tables_finds_what_it_stands_for(form):
    path = form.path.replace("*", "x")
    host = seen((path if path.startswith("/") else f"{HOME}/{path}", 0o600, 1000, 1000, form.kind))
    assert any(form in [found for _, found in entries] for entries in lying(host).found.values())


ACCOUNT = """
id -u hostkit-agent >/dev/null 2>&1 ||
  useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hostkit-agent
chmod 0700 /home/admin
"""


def at(path, text="x"):
    return f"install -D -o admin -m 0644 /dev/null {path}; echo '{text}' > {path}"


OPEN = "chmod 0755 /home/admin; "
BIND = """
install -d -o admin -m 0755 /tmp/ssh-XX
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/tmp/ssh-XX/agent.1")'
chown admin /tmp/ssh-XX/agent.1
"""
ENDED = "if [ -e /run/lent ]; then kill $(cat /run/lent) 2>/dev/null || true; rm -f /run/lent; fi; rm -rf /tmp/ssh-XX"


def lent(variable):
    """Return what starts a process of the agent's account with this variable."""
    runs = f"setpriv --reuid=hostkit-agent --clear-groups env {variable} sleep 900"
    return f"{runs} >/dev/null 2>&1 & echo $! > /run/lent; sleep 0.3"


LIST = """
import os, pwd, struct
agent = pwd.getpwnam("hostkit-agent").pw_uid
lines = [(1, 6, 2**32 - 1), (2, 4, agent), (4, 0, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1)]
raw = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *line) for line in lines)
os.setxattr("/home/admin/.pgpass", "system.posix_acl_access", raw)
"""
BROKEN = [
    Broken(CHECKS["cloud"], ACCOUNT, OPEN + at("/home/admin/.aws/credentials"), "/home/admin/.aws/credentials"),
    Broken(
        CHECKS["keys"],
        ACCOUNT + "rm -f /home/admin/.ssh/work",
        OPEN
        + "chmod 0711 /home/admin/.ssh; ssh-keygen -q -t ed25519 -N '' -f /home/admin/.ssh/work;"
        + "chgrp hostkit-agent /home/admin/.ssh/work; chmod 0640 /home/admin/.ssh/work",
        "/home/admin/.ssh/work",
    ),
    Broken(CHECKS["sockets"], ACCOUNT + ENDED, BIND + "chmod 0777 /tmp/ssh-XX/agent.1", "/tmp/ssh-XX/agent.1"),
    Broken(
        CHECKS["sockets"],
        ACCOUNT + ENDED,
        BIND + "chmod 0700 /tmp/ssh-XX; " + lent("SSH_AUTH_SOCK=/tmp/ssh-XX/agent.1"),
        "has SSH_AUTH_SOCK of uid",
    ),
    Broken(
        CHECKS["git"],
        ACCOUNT + "rm -rf /srv/team /home/admin/.git-credentials",
        OPEN + at("/srv/team/creds") + "; ln -s /srv/team/creds /home/admin/.git-credentials",
        "/home/admin/.git-credentials",
    ),
    Broken(CHECKS["packages"], ACCOUNT, OPEN + at("/home/admin/.npmrc", "//r/:_authToken=x"), "/home/admin/.npmrc"),
    Broken(
        CHECKS["warehouses"],
        ACCOUNT,
        OPEN + at("/home/admin/.pgpass") + f"; chmod 0600 /home/admin/.pgpass; python3 -c '{LIST}'",
        "/home/admin/.pgpass",
    ),
    Broken(
        CHECKS["browsers"], ACCOUNT, OPEN + at("/home/admin/.mozilla/firefox/a.default/key4.db"), "a.default/key4.db"
    ),
    Broken(CHECKS["keyrings"], ACCOUNT + ENDED, lent("OP_SESSION_x=x"), "has a session"),
    Broken(CHECKS["clusters"], ACCOUNT, OPEN + at("/home/admin/.kube/config"), "/home/admin/.kube/config"),
    Broken(
        CHECKS["passwords"],
        ACCOUNT + "touch /etc/fstab; sed -i '/nas/d' /etc/fstab; rm -f /etc/nas",
        "echo '//nas/x /mnt/x cifs noauto,credentials=/etc/nas 0 0' >> /etc/fstab; touch /etc/nas; chmod 0644 /etc/nas",
        "/etc/nas",
    ),
    Broken(CHECKS["history"], ACCOUNT, OPEN + at("/home/admin/.bash_history"), "/home/admin/.bash_history"),
]
