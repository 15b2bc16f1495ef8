import json

import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Listener
from hostkit.posture import openclaw
from hostkit.posture.checks import openclaw as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
AUDIT, VERSION = subject.its_own_audit_finds_nothing_grave, subject.its_release_has_no_known_hole
BIND, FILES = subject.its_gateway_listens_on_loopback, subject.its_files_are_its_own
PACKAGE = "/usr/lib/node_modules/openclaw"
STATE = "/home/ann/.openclaw"

# What openclaw 2026.9.6 said of a gateway bound to the LAN with one finding suppressed, cut to what is read.
SAID = """\
{"ts": 1795915107637, "summary": {"critical": 3, "warn": 3, "info": 2},
 "findings": [
  {"checkId": "summary.attack_surface", "severity": "info", "title": "Attack surface summary", "detail": "..."},
  {"checkId": "gateway.control_ui.allowed_origins_required", "severity": "critical", "title": "...", "detail": "..."},
  {"checkId": "gateway.auth_no_rate_limit", "severity": "warn", "title": "...", "detail": "..."},
  {"checkId": "gateway.http.no_auth", "severity": "critical", "title": "...", "detail": "..."},
  {"checkId": "security.audit.suppressions.active", "severity": "info", "title": "...", "detail": "..."}],
 "suppressedFindings": [
  {"checkId": "gateway.bind_no_auth", "severity": "critical", "title": "...", "detail": "...",
   "suppression": {"reason": "behind a firewall"}}],
 "secretDiagnostics": []}
"""
CLEAN = '{"summary": {"critical": 0}, "findings": [{"checkId": "fs.state_dir.perms_readable", "severity": "warn"}]}'
SILENCED = json.dumps({"findings": [], "suppressedFindings": json.loads(SAID)["suppressedFindings"]})


def host(paths=(), said=None, version="2026.9.6", root=True, package=PACKAGE, **more):
    """Return a host with one home, these modes of paths in it, and openclaw installed if it has a version."""
    folder = {"/home/ann": FileFacts(0o700, 1000, 1000, "directory")}
    facts = {path: FileFacts(mode, uid, 1000, kind) for path, mode, uid, kind in paths}
    files = {"/etc/passwd": "ann:x:1000:1000::/home/ann:/bin/sh\n", "/usr/bin/node": ""}
    if version is not None:
        files |= {f"{package}/package.json": json.dumps({"version": version}), f"{package}/openclaw.mjs": ""}
    made = FakeHost(files=files, facts={**folder, **facts}, root=root, **more)
    made.commands = Audits(said)
    return made


class Audits(dict):
    """Whatever is run is the audit, and says this."""

    def __init__(self, said):
        super().__init__()
        self.said = said
        self.asked = []

    def get(self, command, default=None):
        self.asked.append(command)
        return self.said


HAS = ((STATE, 0o700, 1000, "directory"),)
CLOSED = (*HAS, (f"{STATE}/openclaw.json", 0o600, 1000, "file"), (f"{STATE}/credentials", 0o700, 1000, "directory"))


def listens(*entries, root=True):
    return FakeHost(listeners=tuple(Listener("tcp", *entry) for entry in entries), root=root)


CASES = [
    (AUDIT, host(HAS, CLEAN), P, "ok", "1 audited"),
    (AUDIT, host(), P, "ok", "no home holds"),
    (AUDIT, host(HAS, SAID), P, "fail", "gateway.http.no_auth, /home/ann: gateway.bind_no_auth (suppressed there)"),
    (AUDIT, host(HAS, SILENCED), P, "fail", "gateway.bind_no_auth (suppressed there)"),
    (AUDIT, host(HAS, '{"findings": [{"checkId": "a\\u001b[2J", "severity": "critical"}, 7]}'), P, "fail", "a?[2J"),
    (AUDIT, host(HAS, "not JSON"), P, "unknown", "nothing that can be read"),
    (AUDIT, host(HAS, "[" * 100_000), P, "unknown", "nothing that can be read"),
    (AUDIT, host(HAS, '{"findings": {}}'), P, "unknown", "nothing that can be read"),
    (AUDIT, host(HAS), P, "unknown", "not taught"),
    (AUDIT, host(HAS, CLEAN, version=None), P, "unknown", "no openclaw was found"),
    (AUDIT, host(HAS, CLEAN, root=False), P, "unknown", "without root"),
    (VERSION, host(), P, "ok", "2026.9.6"),
    (VERSION, host(version="2026.5.12"), P, "ok", "2026.5.12"),
    (VERSION, host(version="2026.7.1-2"), P, "ok", "2026.7.1-2"),
    (VERSION, host(version=None), P, "ok", "none found"),
    (VERSION, host(version="2026.5.11"), P, "fail", f"{PACKAGE} is openclaw 2026.5.11"),
    (VERSION, host(version="2027.1.1", package="/usr/lib/node_modules/clawdbot"), P, "fail", "is clawdbot 2027.1.1"),
    (VERSION, host(version="latest"), P, "unknown", "does not tell its version"),
    (VERSION, host(root=False), P, "unknown", "without root"),
    (BIND, listens(("127.0.0.1", 18789, "openclaw"), ("0.0.0.0", 22, "sshd")), P, "ok", "1 sockets, on loopback"),
    (BIND, listens(), P, "ok", "no gateway listens"),
    (BIND, listens(("0.0.0.0", 18789, "docker-proxy")), P, "fail", "0.0.0.0:18789 (docker-proxy)"),
    (BIND, listens(("::", 7777, "openclaw")), P, "fail", ":::7777 (openclaw)"),
    (BIND, listens(("0.0.0.0", 18789, ""), root=False), P, "fail", "0.0.0.0:18789"),
    (BIND, listens(("0.0.0.0", 7777, ""), root=False), P, "unknown", "without root"),
    (BIND, FakeHost(), P, "unknown", "not taught"),
    (FILES, host(CLOSED), P, "ok", "1 states"),
    (FILES, host(), P, "ok", "0 states"),
    (FILES, host(((STATE, 0o755, 1000, "directory"),)), P, "fail", f"{STATE}: mode 0755"),
    (
        FILES,
        host((*HAS, (f"{STATE}/openclaw.json.bak", 0o644, 1000, "file"))),
        P,
        "fail",
        "openclaw.json.bak: mode 0644",
    ),
    (FILES, host((*HAS, (f"{STATE}/.env", 0o600, 0, "file"))), P, "fail", ".env: owner 0"),
    (FILES, host((*HAS, (f"{STATE}/openclaw.json", 0o777, 1000, "link"))), P, "fail", "openclaw.json is a link"),
    (FILES, host(root=False), P, "unknown", "without root"),
]
# A stand-in for node, which leaves a file in its home and tells who it is and which interfaces it has, as a finding.
NODE = """\
#!/bin/sh
touch "$HOME/.openclaw/left-behind"
told="$(id -u) $(cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' ') $(grep NoNewPrivs /proc/self/status | tr -d '\\t')"
printf '{"findings": [{"checkId": "%s", "severity": "%s"}]}' "$told" "$(cat "$HOME/.openclaw/severity")"
"""
REMOVED = (
    "userdel -rf claw 2>/dev/null || true; rm -rf /root/.openclaw /usr/lib/node_modules/openclaw /usr/local/bin/node"
)
PLACED = f"""\
useradd -m -u 4321 claw
install -d -o claw -m 700 /home/claw/.openclaw
install -d /usr/lib/node_modules/openclaw
echo '{{"version": "2026.9.6"}}' > /usr/lib/node_modules/openclaw/package.json
touch /usr/lib/node_modules/openclaw/openclaw.mjs
cat > /usr/local/bin/node <<'END'
{NODE}END
chmod 755 /usr/local/bin/node
echo critical > /home/claw/.openclaw/severity
hostkit check --only openclaw-audit > /dev/null || true
test ! -e /home/claw/.openclaw/left-behind
"""
BROKEN = [
    Broken(AUDIT, REMOVED, PLACED, "/home/claw: 4321 lo NoNewPrivs:1"),
    Broken(BIND, "systemctl stop feigned 2>/dev/null || true",
           "systemd-run --quiet --unit feigned python3 -m http.server 18789; "
           "until ss -lnt | grep -q :18789; do sleep .2; done", "0.0.0.0:18789"),
    Broken(FILES, "install -d -m 700 /root/.openclaw && echo {} > /root/.openclaw/openclaw.json && "
           "chmod 600 /root/.openclaw/openclaw.json", "chmod 644 /root/.openclaw/openclaw.json", "mode 0644"),
    Broken(VERSION, "rm -rf /usr/lib/node_modules/openclaw",
           "install -d /usr/lib/node_modules/openclaw && "
           "echo '{\"version\": \"2026.1.1\"}' > /usr/lib/node_modules/openclaw/package.json", "openclaw 2026.1.1"),
]  # fmt: skip


def test_the_audit_runs_as_the_owner_of_the_home_alone_and_without_a_network():
    asked = host(HAS, CLEAN)
    openclaw.audit(asked, "/home/ann")
    (command,) = asked.commands.asked
    assert command[0] == "unshare"
    assert {"--net", "--mount", "--pid", "--kill-child"} <= set(command)
    assert command[-8:-3] == ("/home/ann", "1000", "1000", "/usr/bin/node", f"{PACKAGE}/openclaw.mjs")


def test_a_package_in_a_home_is_never_run_as_root():
    mine = "/root/.local/lib/node_modules/openclaw"
    files = {f"{mine}/package.json": '{"version": "2026.9.6"}', f"{mine}/openclaw.mjs": "", "/usr/bin/node": ""}
    files["/etc/passwd"] = "root:x:0:0::/root:/bin/sh\n"
    folders = ("/root", "/root/.openclaw", "/root/.local")
    there = FakeHost(files=files, facts={path: FileFacts(0o700, 0, 0, "directory") for path in folders})
    with pytest.raises(CannotTell, match="no openclaw was found"):
        openclaw.audit(there, "/root")


@pytest.mark.parametrize("home", ["/home/a,upperdir=x", "/home/a:b", "/home/a b", "/home/a\\b"])
def test_a_home_whose_name_would_be_a_mounts_option_is_not_audited(home):
    there = host(HAS, CLEAN)
    there.facts[home] = FileFacts(0o700, 1000, 1000, "directory")
    with pytest.raises(CannotTell, match="no home that can be audited"):
        openclaw.audit(there, home)


def test_what_closes_a_file_runs_as_its_owner_and_follows_no_link():
    link = (f"{STATE}/credentials", 0o777, 1000, "link")
    there = host(((STATE, 0o755, 1000, "directory"), link))
    assert FILES.mend(there, P) == (
        ("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "chmod", "go-rwx", "--", STATE),
    )
