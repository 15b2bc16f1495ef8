from hostkit.host import FileFacts, Space
from hostkit.posture.checks import audit as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
LOCKED = make_policy({"audit_immutable": True})
TOOL = "/sbin/auditctl"
ASKED = ((TOOL, "-s"), (TOOL, "-l"))
STATE = "enabled 1\nfailure 1\npid 312\nlost 0\n"
RULES = "".join(
    f"-a always,exit -F arch={arch} -S execve,execveat -F uid>=70000 -F uid<=70511 -F key=hostkit-exec\n"
    for arch in ("b64", "b32")
)
INSIDE = {"/run/systemd/container": "lxc"}
CONFIG = "max_log_file = 16\nnum_logs = 10\nmax_log_file_action = ROTATE\ndisk_full_action = ROTATE\n"
COMMANDS, LOG = subject.the_kernel_records_commands, subject.the_record_turns_over


def kernel(state=STATE, rules=RULES, **more):
    return FakeHost(dict(zip(ASKED, (state, rules), strict=True)), files={TOOL: ""}, **more)


def config(text, mode=0o640, path="/var/log/audit/audit.log"):
    return FakeHost(files={"/etc/audit/auditd.conf": text}, facts={path: FileFacts(mode, 0, 4, "file")})


MIB = 1024 * 1024
SPACE, WATCHES = subject.the_record_has_room, subject.the_kernel_watches_the_walls
LOST, READ = subject.no_record_was_lost, subject.the_record_is_closed
WALLS = ("/etc/hostkit", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssh", "/etc/audit", "/run/docker.sock")
WATCHED = "".join(f"-w {path} -p wa -k hostkit-walls\n" for path in WALLS)
LONG = "-a always,exit -F arch=b64 -S all -F dir=/etc/ssh -F perm=rwa -F key=hostkit-walls\n"
ROOMY = CONFIG + "space_left = 200\n"


def room(free, text=ROOMY, written=0, **more):
    files = {"/etc/audit/auditd.conf": text}
    facts = {"/var/log/audit/audit.log": FileFacts(0o640, 0, 4, "file", written * MIB)}
    spaces = {"/var/log/audit": Space(1000 * MIB, free * MIB)}
    return FakeHost(files=files, facts=facts, spaces=spaces, **more)


def walls(rules=WATCHED, state=STATE, **more):
    return kernel(state, rules, facts=dict.fromkeys(WALLS, FileFacts(0o755, 0, 0, "directory")), **more)


def counted(**changed):
    told = {"enabled": "1", "failure": "1", "pid": "312", "backlog_limit": "8192", "lost": "0", "backlog": "4"}
    return kernel("".join(f"{name} {value}\n" for name, value in {**told, **changed}.items()))


def logs(mode=0o640, uid=0, gid=4, members="", folder=0o750, **more):
    facts = {"/var/log/audit": FileFacts(folder, 0, gid, "directory"),
             "/var/log/audit/audit.log.1": FileFacts(mode, uid, gid, "file")}  # fmt: skip
    files = {"/etc/audit/auditd.conf": CONFIG, "/etc/group": f"root:x:0:\nadm:x:4:{members}\n", "/etc/passwd": ""}
    return FakeHost(files=files, facts=facts, **more)


CASES = [
    (SPACE, room(500), P, "ok", "500 MiB free, 360 wanted"),
    (SPACE, room(359), P, "fail", "359 MiB free, 360 wanted"),
    (SPACE, room(250, written=150), P, "ok", "210 wanted"),
    (SPACE, room(250, ROOMY.replace("200", "10%")), P, "fail", "260 wanted"),
    (SPACE, room(500, CONFIG), P, "unknown", "does not say space_left"),
    (SPACE, room(500, ROOMY.replace("num_logs = 10", "num_logs = many")), P, "unknown", "does not say num_logs"),
    (SPACE, room(500, root=False), P, "unknown", "root's to read"),
    (SPACE, FakeHost(), P, "fail", "auditd is not installed"),
    (SPACE, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (WATCHES, walls(), P, "ok", "6 watches"),
    (WATCHES, walls(WATCHED.replace("-w /etc/ssh -p wa -k hostkit-walls\n", LONG)), P, "ok", "6 watches"),
    (WATCHES, walls(WATCHED.replace("/run/docker", "/var/run/docker").replace("sudoers.d", "sudoers.d/")), P,
     "ok", "6 watches"),
    (WATCHES, walls(WATCHED.replace("-w /etc/hostkit", "-w /etc/others")), P, "fail",
     "/etc/hostkit/hostkit.yml is not watched, /etc/hostkit is not watched"),
    (WATCHES, walls(WATCHED.replace("/etc/ssh -p wa", "/etc/ssh -p r")), P, "fail", "/etc/ssh is not watched"),
    (WATCHES, walls(WATCHED.replace("-w /etc/ssh -p wa", LONG.strip().replace("dir", "uid=0 -F dir"))), P,
     "fail", "/etc/ssh is not watched"),
    (WATCHES, walls("No rules\n"), P, "fail", "is not watched"),
    (WATCHES, walls(state=STATE.replace("enabled 1", "enabled 0")), P, "fail", "audit is off"),
    (WATCHES, walls(), make_policy(path="/srv/hostkit.yml"), "fail", "/srv/hostkit.yml is not watched"),
    (WATCHES, FakeHost(), P, "fail", "auditd is not installed"),
    (WATCHES, walls(root=False), P, "unknown", "to root only"),
    (WATCHES, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (LOST, counted(), P, "ok", "none lost, 4 of 8192 wait"),
    (LOST, counted(enabled="0"), P, "fail", "audit is off"),
    (LOST, counted(lost="12"), P, "fail", "12 records are lost"),
    (LOST, counted(backlog="5000"), P, "fail", "5000 of 8192 wait"),
    (LOST, counted(failure="2"), P, "fail", "halts the machine"),
    (LOST, counted(lost="-"), P, "unknown", "does not tell lost"),
    (LOST, kernel(root=False), P, "unknown", "to root only"),
    (LOST, FakeHost(), P, "fail", "auditd is not installed"),
    (LOST, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (READ, logs(), P, "ok", "2 files and folders"),
    (READ, logs(gid=0, mode=0o600), P, "ok", "2 files"),
    (READ, logs(0o644), P, "fail", "audit.log.1: mode 0644"),
    (READ, logs(0o660), P, "fail", "audit.log.1: owner 0, mode 0660"),
    (READ, logs(folder=0o755), P, "fail", "/var/log/audit: mode 0755"),
    (READ, logs(uid=1000), P, "fail", "audit.log.1: owner 1000"),
    (READ, logs(members="hostkit-agent"), P, "fail", "hostkit-agent is in adm"),
    (READ, logs(root=False), P, "unknown", "root's to read"),
    (READ, FakeHost(), P, "fail", "auditd is not installed"),
    (READ, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (COMMANDS, kernel(), P, "ok", "uids 70000-70511, 0 records lost"),
    (COMMANDS, kernel(rules=RULES.splitlines()[0]), P, "fail", "no rule for b32"),
    (COMMANDS, kernel(rules=RULES.replace("uid<=70511", "uid<=70001")), P, "fail", "no rule for b64, no rule for b32"),
    (COMMANDS, kernel(rules=RULES.replace("execve,execveat", "execve")), P, "fail", "no rule for b64"),
    (COMMANDS, kernel(rules=RULES.replace("-F key", "-F success=0 -F key")), P, "fail", "no rule for b64"),
    (COMMANDS, kernel(STATE.replace("enabled 1", "enabled 0")), P, "fail", "audit is off"),
    (COMMANDS, kernel(STATE.replace("pid 312", "pid 0")), P, "fail", "no daemon takes its records"),
    (COMMANDS, kernel(), LOCKED, "fail", "not locked until the next boot"),
    (COMMANDS, kernel(STATE.replace("enabled 1", "enabled 2")), LOCKED, "ok", "uids"),
    (COMMANDS, FakeHost(), P, "fail", "auditd is not installed"),
    (COMMANDS, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (COMMANDS, kernel(root=False), P, "unknown", "to root only"),
    (LOG, config(CONFIG), P, "ok", "10 files of 16 MB"),
    (LOG, config(CONFIG.replace("file_action = ROTATE", "file_action = KEEP_LOGS")), P,
     "fail", "max_log_file_action is keep_logs"),
    (LOG, config(CONFIG.replace("full_action = ROTATE", "full_action = HALT")), P, "fail", "disk_full_action is halt"),
    (LOG, config(CONFIG, 0o644), P, "fail", "mode is 0644"),
    (LOG, config(f"{CONFIG}log_file = /srv/Audit.log\n", 0o644, "/srv/Audit.log"), P, "fail", "mode is 0644"),
    (LOG, FakeHost(), P, "fail", "auditd is not installed"),
    (LOG, FakeHost(files=INSIDE), P, "skip", "around this container"),
    (LOG, FakeHost(facts={"/etc/audit/auditd.conf": FileFacts(0o640, 0, 0, "file")}), P, "unknown", "not taught"),
]  # fmt: skip

RULES_FILE = "/etc/audit/rules.d/50-hostkit.rules"
LAID = "\n".join(f"-w {path} -p wa -k hostkit-walls" for path in WALLS)
RUNS = f"""
mkdir -p /etc/hostkit
cat >{RULES_FILE} <<'END'
{LAID}
END
sed -i '/^space_left =/d; /^num_logs =/d; /^max_log_file =/d' /etc/audit/auditd.conf
printf 'space_left = 75\\nnum_logs = 5\\nmax_log_file = 8\\n' >>/etc/audit/auditd.conf
systemctl start auditd
systemctl kill --signal=HUP auditd
augenrules --load
auditctl -e 1
"""
SMALL = "umount /var/log/audit 2>/dev/null || true"
BROKEN = [
    Broken(WATCHES, RUNS, f"sed -i '/sudoers/d' {RULES_FILE}; augenrules --load", "/etc/sudoers is not watched", "vm"),
    Broken(WATCHES, RUNS, "auditctl -e 0", "audit is off", "vm"),
    Broken(
        LOST, f"{RUNS} auditctl -b 8192; auditctl -f 1; auditctl --reset-lost",
        "auditctl -f 2", "halts the machine", "vm",
    ),
    Broken(
        SPACE, f"{SMALL}; {RUNS}", "mount -t tmpfs -o size=20m,mode=0750 tmpfs /var/log/audit", "MiB free, 115 wanted",
        "vm",
    ),
    Broken(
        READ, f"{RUNS} chmod 0750 /var/log/audit; chmod 0640 /var/log/audit/*",
        "chmod 0644 /var/log/audit/audit.log", "audit.log: mode 0644", "vm",
    ),
]  # fmt: skip
