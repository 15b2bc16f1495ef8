from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Process
from hostkit.posture.checks import account as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
GROUP = "root:x:0:\nsudo:x:27:ann\ndocker:x:998:\n"
GOOD = "hostkit-agent:x:990:990::/var/lib/hostkit-agent:/usr/sbin/nologin\n"


def seen(passwd=GOOD, group=GROUP, **more):
    files = {"/etc/sudoers." + name: text for name, text in more.items()}
    named = {path.replace("sudoers.d_", "sudoers.d/"): text for path, text in files.items()}
    return FakeHost(files={"/etc/passwd": passwd, "/etc/group": group, "/etc/sudoers": "root ALL=(ALL) ALL\n", **named})


NOBODY = "ann:x:1000:1000::/home/ann:/bin/bash\n"
SHADOW = "root:$y$j9T$x:19000:0:99999:7:::\nhostkit-agent:!:19000::::::\n"


def kept(shadow=SHADOW, passwd=GOOD, *, root=True, **files):
    return FakeHost(files={"/etc/passwd": passwd, "/etc/shadow": shadow, **files}, root=root)


locked = subject.account_has_no_password
LOCKED = [
    (locked, kept(), P, "ok", "locked"),
    (locked, kept(SHADOW.replace(":!:", ":*:")), P, "ok", "locked"),
    (locked, kept(SHADOW.replace(":!:", ":!$y$SEKRET:")), P, "ok", "locked"),
    (locked, kept(SHADOW.replace(":!:", ":$y$SEKRET:")), P, "fail", "it has a password"),
    (locked, kept(SHADOW.replace(":!:", "::")), P, "fail", "is empty"),
    (locked, kept(passwd=GOOD.replace(":x:", "::")), P, "fail", "is empty"),
    (locked, kept(passwd=NOBODY), P, "fail", "no account hostkit-agent"),
    (locked, kept(root=False), P, "unknown", "is root's"),
    (locked, kept("root:*:1::::::\n"), P, "unknown", "says nothing of hostkit-agent"),
    (locked, kept("hostkit-agent:!\n"), P, "unknown", "says nothing of hostkit-agent"),
]

LOOKS = "authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2\nauthorizedkeyscommand none\n"
T, C = ("/usr/sbin/sshd", "-T"), "user=hostkit-agent,host=localhost,addr=127.0.0.1"
INIT, DROPBEAR = Process(1, 0, "systemd", (), 0), Process(9, 1, "dropbear", (), 0)


def server(said=LOOKS, passwd=GOOD, *, root=True, **paths):
    """Return a machine whose sshd says this of the agent's account; a path of `paths` is what it names."""
    there = {"/usr/sbin/sshd": "", "/etc/passwd": passwd, **dict.fromkeys(paths.values(), "")}
    return FakeHost({T: "port 22\n", (*T, "-C", C): said}, there, root=root)


keys = subject.account_lets_no_key_in
KEYS = [
    (keys, server(), P, "ok", "nothing at /var/lib/hostkit-agent/.ssh/authorized_keys,"),
    (keys, server(at="/var/lib/hostkit-agent/.ssh/authorized_keys2"), P, "fail", ".ssh/authorized_keys2"),
    (keys, server("authorizedkeysfile /etc/k/%u-%U%%\n", at="/etc/k/hostkit-agent-990%"), P, "fail", "/etc/k/hostkit"),
    (keys, server("authorizedkeysfile %h/k\n", at="/var/lib/hostkit-agent/k"), P, "fail", "/var/lib/hostkit-agent/k"),
    (keys, server("authorizedkeysfile none\n"), P, "ok", "nothing at any place"),
    (keys, server(f"{LOOKS}denyusers hostkit-agent\n", at="/var/lib/hostkit-agent/.ssh/authorized_keys"), P, "ok",
     "denies it by name"),
    (keys, server(LOOKS.replace("command none", "command /usr/bin/sss_ssh_authorizedkeys")), P, "unknown",
     "authorizedkeyscommand"),
    (keys, server(f"{LOOKS}trustedusercakeys /etc/ssh/ca.pub\n"), P, "unknown", "trustedusercakeys"),
    (keys, server(""), P, "unknown", "does not say where"),
    (keys, server(root=False), P, "unknown", "to root only"),
    (keys, server(passwd=NOBODY), P, "fail", "no account"),
    (keys, FakeHost(files={"/etc/passwd": GOOD}, processes=(INIT,)), P, "ok", "no SSH server"),
    (keys, FakeHost(files={"/etc/passwd": GOOD}, processes=(DROPBEAR,)), P, "unknown", "hidden"),
    (keys, FakeHost(files={"/etc/passwd": GOOD}, processes=(INIT, DROPBEAR)), P, "unknown", "dropbear runs"),
]  # fmt: skip

ASKED = ("sudo", "-n", "-l", "-U", "hostkit-agent")
NONE = "User hostkit-agent is not allowed to run sudo on box.\n"
SOME = """\
Matching Defaults entries for hostkit-agent on box:
    env_reset

User hostkit-agent may run the following commands on box:
    (root) NOPASSWD: /usr/bin/less
"""
DOAS = "# permit hostkit-agent\npermit nopass keepenv :sudo\npermit ann as root\ndeny hostkit-agent\n"


def rules(said=NONE, *, passwd=GOOD, group=GROUP, root=True, sudo="/usr/bin/sudo", **doas):
    files = {
        "/etc/passwd": passwd,
        "/etc/group": group,
        sudo: "",
        **{f"/etc/{k}.conf": text for k, text in doas.items()},
    }
    return FakeHost({ASKED: said} if said else {}, files, root=root)


sudo = subject.account_may_run_nothing_as_another
SUDO = [
    (sudo, rules(), P, "ok", "sudo allows it nothing"),
    (sudo, rules(SOME), P, "fail", "(root) NOPASSWD: /usr/bin/less"),
    (sudo, rules(sudo="/x"), P, "ok", "no sudo here"),
    (sudo, rules(doas=DOAS), P, "ok", "nothing"),
    (sudo, rules(doas=DOAS, group="sudo:x:27:hostkit-agent\n"), P, "fail", "permit nopass keepenv :sudo"),
    (sudo, rules(sudo="/x", opendoas="permit hostkit-agent\n"), P, "fail", "/etc/opendoas.conf: permit hostkit-agent"),
    (sudo, rules(passwd=NOBODY), P, "fail", "no account"),
    (sudo, rules(root=False), P, "unknown", "to root only"),
    (sudo, rules("sudo: parse error\n"), P, "unknown", "not understood"),
    (sudo, rules("User not-hostkit-agent-at-all is allowed\n"), P, "unknown", "not understood"),
    (sudo, rules(None), P, "unknown", "not taught"),
]

root = subject.only_root_is_root
ROOT = [
    (root, FakeHost(files={"/etc/passwd": f"root:x:0:0::/root:/bin/bash\n{GOOD}"}), P, "ok", "root"),
    (root, FakeHost(files={"/etc/passwd": "root:x:0:0::/root:/bin/sh\ntoor:x:00:0::/:/bin/sh\n"}), P, "fail", "toor"),
    (root, FakeHost(files={"/etc/passwd": "root:x:0:0::/:/\nshort:x:0\n"}), P, "fail", "short"),
    (root, FakeHost(files={"/etc/passwd": GOOD}), P, "unknown", "shows no root"),
    (root, FakeHost(), P, "unknown", "not taught"),
]

PEOPLE = f"root:x:0:0::/root:/bin/bash\n{NOBODY}svc:x:104:104::/srv/svc:/bin/sh\n{GOOD}"


def living(mode, uid=1000, links=None, **more):
    closed, outer = FileFacts(0o700, 0, 0, "directory"), FileFacts(0o755, 0, 0, "directory")
    home = {"/home/ann": FileFacts(mode, uid, 1000, "directory"), "/srv/svc": outer, "/root": closed}
    return FakeHost(files={"/etc/passwd": PEOPLE}, facts={"/": outer, "/home": outer, "/srv": outer, **home},
                    links=links or {}, **more)  # fmt: skip


def unreadable():
    raise CannotTell("/home: Permission denied")


homes = subject.homes_are_closed
HOMES = [
    (homes, living(0o700), P, "ok", "2 homes"),
    (homes, living(0o750), P, "ok", "2 homes"),
    (homes, living(0o755), P, "fail", "/home/ann is 0755"),
    (homes, living(0o711), P, "fail", "/home/ann is 0711"),
    (homes, living(0o770), P, "fail", "/home/ann is 0770"),
    (homes, living(0o700, names={"/home": unreadable}), P, "unknown", "Permission denied"),
]

empty = subject.no_password_is_empty
PASSWORDS = [
    (empty, kept(), P, "ok", "2 accounts"),
    (empty, kept(SHADOW.replace(":!:", "::")), P, "fail", "hostkit-agent has an empty password"),
    (empty, kept(passwd=GOOD.replace(":x:", "::")), P, "fail", "hostkit-agent needs no password"),
    (empty, kept(passwd=GOOD.replace(":x:", ":$1$SEKRET:")), P, "fail", "hostkit-agent's password is in /etc/passwd"),
    (empty, kept(root=False), P, "unknown", "is root's"),
    (empty, kept(""), P, "unknown", "shows no account"),
]

cron = subject.account_leaves_nothing_to_run
JOB = "/var/spool/cron/atjobs/a0001"


def jobs(*there, passwd=GOOD, more=None, **facts):
    return FakeHost(files={"/etc/passwd": passwd, **dict.fromkeys(there, "")}, facts=more or {}, **facts)


CRON = [
    (cron, jobs(), P, "ok", "no crontab"),
    (cron, jobs("/var/spool/cron/crontabs/ann", "/var/lib/systemd/linger/ann"), P, "ok", "no crontab"),
    (cron, jobs("/var/spool/cron/crontabs/hostkit-agent"), P, "fail", "/var/spool/cron/crontabs/hostkit-agent"),
    (cron, jobs("/var/lib/systemd/linger/hostkit-agent"), P, "fail", "/var/lib/systemd/linger/hostkit-agent"),
    (cron, jobs(more={JOB: FileFacts(0o700, 990, 1, "file")}), P, "fail", JOB),
    (cron, jobs(more={JOB: FileFacts(0o700, 1000, 1, "file")}), P, "ok", "no job"),
    (cron, jobs(passwd=NOBODY), P, "fail", "no account"),
    (cron, jobs(root=False), P, "unknown", "are root's"),
    (cron, jobs(names={"/var/spool/at": unreadable}), P, "unknown", "Permission denied"),
]


CASES = [
    (subject.agent_has_an_account_of_its_own, seen(), P, "ok", "uid 990"),
    (
        subject.agent_has_an_account_of_its_own,
        seen("ann:x:1000:1000::/home/ann:/bin/bash\n"),
        P,
        "fail",
        "no account hostkit-agent",
    ),
    (
        subject.agent_has_an_account_of_its_own,
        seen(GOOD.replace("/usr/sbin/nologin", "/bin/bash")),
        P,
        "fail",
        "it has a shell, /bin/bash",
    ),
    (subject.agent_has_an_account_of_its_own, seen(GOOD.replace(":990:990:", ":0:0:")), P, "fail", "its uid is 0"),
    (
        subject.agent_has_an_account_of_its_own,
        seen(GOOD.replace(":990:990:", ":1000:1000:")),
        P,
        "fail",
        "uid 1000 is a person's",
    ),
    (subject.agent_has_an_account_of_its_own, FakeHost(), P, "unknown", "not taught"),
    (subject.account_has_no_power, seen(), P, "ok", "no powerful group"),
    (subject.account_has_no_power, seen(group="docker:x:998:hostkit-agent\n"), P, "fail", "group docker"),
    (subject.account_has_no_power, seen(GOOD.replace(":990:990:", ":990:998:")), P, "fail", "group docker"),
    (
        subject.account_has_no_power,
        seen(d_agent="hostkit-agent ALL=(ALL) NOPASSWD: ALL\n"),
        P,
        "fail",
        "/etc/sudoers.d/agent",
    ),
    (subject.account_has_no_power, seen("ann:x:1:1::/:/bin/sh\n"), P, "fail", "no account hostkit-agent"),
    (subject.account_has_no_power, FakeHost(), P, "unknown", "not taught"),
    *LOCKED,
    *KEYS,
    *SUDO,
    *ROOT,
    *HOMES,
    *PASSWORDS,
    *CRON,
]


def test_no_password_is_told():
    hosts = [case[1] for case in (*LOCKED, *PASSWORDS)]
    for host in hosts:
        for check in (locked, empty):
            try:
                told = check(host, P).detail
            except CannotTell as why:
                told = str(why)
            assert "SEKRET" not in told


def test_what_mends_closes_only_the_homes_that_are_open_and_locks_only_an_account_that_is_there():
    assert homes.mend(living(0o755), P) == (("chmod", "--", "g-w,o-rwx", "/home/ann"),)
    assert homes.mend(living(0o750), P) == ()
    assert locked.mend(kept(), P) == (("usermod", "--lock", "hostkit-agent"),)
    assert locked.mend(kept(passwd=NOBODY), P) == ()


def test_a_home_that_is_a_link_is_judged_where_it_leads():
    host = living(0o700, links={"/home/bob": "/srv/svc"})
    host.facts["/home/bob"] = FileFacts(0o777, 0, 0, "link")
    assert homes(host, P).detail == "/srv/svc is 0755"


ACCOUNT = """
id -u hostkit-agent >/dev/null 2>&1 ||
  useradd --system --no-create-home --home-dir /var/lib/hostkit-agent --shell /usr/sbin/nologin hostkit-agent
usermod --lock --gid hostkit-agent --groups '' --home /var/lib/hostkit-agent hostkit-agent
"""
BROKEN = [
    Broken(
        subject.agent_has_an_account_of_its_own,
        ACCOUNT + "usermod -s /usr/sbin/nologin hostkit-agent",
        "usermod -s /bin/bash hostkit-agent",
        "it has a shell, /bin/bash",
    ),
    Broken(subject.account_has_no_power, ACCOUNT, "gpasswd -a hostkit-agent disk", "group disk"),
    Broken(locked, ACCOUNT, "echo hostkit-agent:one-Password | chpasswd", "it has a password"),
    Broken(locked, ACCOUNT, "passwd -d hostkit-agent", "is empty"),
    Broken(
        keys,
        ACCOUNT + "rm -rf /var/lib/hostkit-agent; rm -f /etc/ssh/sshd_config.d/99-match.conf /etc/ssh/their-keys",
        "install -D -m 0644 /root/.ssh/authorized_keys /var/lib/hostkit-agent/.ssh/authorized_keys",
        "/var/lib/hostkit-agent/.ssh/authorized_keys",
    ),
    Broken(
        keys,
        ACCOUNT + "rm -rf /var/lib/hostkit-agent; rm -f /etc/ssh/sshd_config.d/99-match.conf /etc/ssh/their-keys",
        "touch /etc/ssh/their-keys; mkdir -p /etc/ssh/sshd_config.d;"
        "printf 'Match User hostkit-agent\\n AuthorizedKeysFile /etc/ssh/their-keys\\n'"
        " >/etc/ssh/sshd_config.d/99-match.conf",
        "/etc/ssh/their-keys",
    ),
    Broken(
        sudo,
        ACCOUNT + "rm -f /etc/sudoers.d/99-try",
        "echo '#1000,%hostkit-agent ALL=(ALL) NOPASSWD: /usr/bin/less' > /etc/sudoers.d/99-try",
        "(ALL) NOPASSWD: /usr/bin/less",
    ),
    Broken(
        sudo,
        ACCOUNT + "rm -f /etc/sudoers.d/99-try",
        "echo 'ALL ALL=(root) /usr/bin/id' > /etc/sudoers.d/99-try",
        "(root) /usr/bin/id",
    ),
    Broken(root, "sed -i '/^toor:/d' /etc/passwd", "echo 'toor:x:0:0::/root:/bin/sh' >> /etc/passwd", "toor"),
    Broken(homes, "chmod 0700 /home/* /root", "chmod 0755 /home/admin", "/home/admin is 0755"),
    Broken(
        empty,
        ACCOUNT + "passwd -l admin",
        "passwd -d admin",
        "admin has an empty password",
    ),
    Broken(
        cron,
        ACCOUNT + "rm -f /var/spool/cron/crontabs/hostkit-agent",
        "install -D -m 0600 -o hostkit-agent /dev/null /var/spool/cron/crontabs/hostkit-agent",
        "/var/spool/cron/crontabs/hostkit-agent",
    ),
    Broken(
        cron,
        ACCOUNT + "rm -f /var/lib/systemd/linger/hostkit-agent",
        "loginctl enable-linger hostkit-agent || install -D /dev/null /var/lib/systemd/linger/hostkit-agent",
        "/var/lib/systemd/linger/hostkit-agent",
    ),
]
