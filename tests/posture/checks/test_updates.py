import time

from hostkit.host import FileFacts
from hostkit.posture.checks import updates as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
ASKED = ("apt-config", "dump", "--format", "%f %v%n", "APT::Periodic::Unattended-Upgrade")
TOOL = {"/usr/bin/unattended-upgrade": ""}


class Blind(FakeHost):
    def stat(self, path):
        return self._told({}, path, path)


TIMERS = ("systemctl", "show", "-P", "ActiveState", "apt-daily.timer", "apt-daily-upgrade.timer")
HELD = ("apt-config", "dump", "--format", "%v%n", "Unattended-Upgrade::Package-Blacklist")


def said(value, files=TOOL, timers="active\n\nactive\n"):
    line = f"APT::Periodic::Unattended-Upgrade {value}\n" if value else "\n"
    return FakeHost({ASKED: line, TIMERS: timers}, files=files)


LISTS, HOUR = "/var/lib/apt/lists", 3600.0
LIST = f"{LISTS}/deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages.lz4"
FORM = "${Package} ${Architecture} ${Version} ${db:Status-Status}\\n"
PENDING, SOURCES = subject.no_security_update_waits, subject.apt_takes_only_what_is_signed
INDEX = """Package: openssl
Architecture: amd64
Version: {}
Description: Package: no

Package: other
Architecture: amd64
Version: 9
"""


def lists(have="3.0.15-1", newest="3.0.15-1", *, fetched=HOUR, ran=None, index=INDEX, name=LIST):
    """Return a host whose lists are `fetched` seconds old, and whose daily run was `ran` seconds ago."""
    now = time.time()
    commands = {
        ("dpkg-query", "-W", "-f", FORM): f"openssl amd64 {have} installed\nother amd64 1 config-files\n",
        ("/usr/lib/apt/apt-helper", "cat-file", name): index.format(newest),
    }
    stamp = {} if ran is None else {"/var/lib/apt/periodic/upgrade-stamp": FileFacts(0o644, 0, 0, "file", 0, now - ran)}
    facts = {name: FileFacts(0o644, 0, 0, "file", 9, now - fetched), **stamp}
    return FakeHost(commands, files={"/var/lib/dpkg/status": ""}, facts=facts)


NEWER = "3.0.15-1+deb12u2"
PENDING_CASES = [
    (PENDING, lists(), P, "ok", "none waits, lists of "),
    (PENDING, lists("3.0.16-1"), P, "ok", "none waits"),
    (PENDING, lists(newest=NEWER, ran=5 * HOUR), P, "ok", "1 wait for the daily run"),
    (PENDING, lists(newest=NEWER), P, "fail", f"openssl is 3.0.15-1, not {NEWER}"),
    (PENDING, lists(newest=NEWER, fetched=5 * HOUR, ran=HOUR), P, "fail", f"not {NEWER}"),
    (PENDING, lists(newest=NEWER, ran=50 * HOUR), P, "fail", f"not {NEWER}"),
    (PENDING, lists(fetched=15 * 24 * HOUR), P, "fail", "lists are 15 days old"),
    (PENDING, lists(name=LIST.replace("-security_main", "_main")), P, "fail", "no list of security updates"),
    (PENDING, lists(index=INDEX.replace("Package: openssl", "?")), P, "unknown", "not readable as such"),
    (PENDING, lists(index=INDEX.replace("amd64", "i386")), P, "ok", "none waits"),
    (
        PENDING,
        FakeHost(files={"/var/lib/dpkg/status": ""}, facts={LIST: FileFacts(0o644, 0, 0, "file")}),
        P,
        "unknown",
        "not taught",
    ),
    (PENDING, FakeHost(), P, "skip", "no dpkg"),
]
LINE, FIELDS = "/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources"
GOOD = (
    "deb http://deb.debian.org/debian bookworm main\ndeb http://deb.debian.org/debian-security bookworm-security main\n"
)
FORM822 = """Types: deb deb-src
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN
 .
 key: Trusted: yes
"""
SETTINGS = ("apt-config", "dump", "--format", "%f %v%n", "APT::Get::AllowUnauthenticated",
            "Acquire::AllowInsecureRepositories", "Acquire::AllowWeakRepositories",
            "Acquire::AllowDowngradeToInsecureRepositories")  # fmt: skip


def sources(text=GOOD, form="", settings="", path=LINE, lists=(), **more):
    files = {path: text, **({FIELDS: form} if form else {}), **dict.fromkeys(lists, "")}
    return FakeHost({SETTINGS: settings or "\n"}, files=files, facts={"/etc/apt": ROOTS}, **more)


ROOTS = FileFacts(0o755, 0, 0, "directory")
SOURCES_CASES = [
    (SOURCES, sources(), P, "ok", "2 sources, bookworm-security"),
    (SOURCES, sources("", FORM822), P, "ok", "1 sources, bookworm-security"),
    (SOURCES, sources(GOOD.splitlines()[0]), P, "fail", "no security suite"),
    (SOURCES, sources("", FORM822 + "Enabled: no\n"), P, "fail", "no security suite"),
    (SOURCES, sources("# " + GOOD.replace("\n", "\n# ")), P, "fail", "no security suite"),
    (SOURCES, sources(GOOD + "deb [arch=amd64 trusted=yes] http://x.example stable main\n"), P, "fail", "trusted=yes"),
    (SOURCES, sources(GOOD + "deb [ allow-insecure=yes ] http://x.example ./\n"), P, "fail", "allow-insecure=yes"),
    (SOURCES, sources(GOOD + "# deb [trusted=yes] http://x.example ./\n"), P, "ok", "2 sources"),
    (
        SOURCES,
        sources(GOOD, "Types: deb\nURIs: http://x.example\nSuites: stable\nTrusted: Yes\n"),
        P,
        "fail",
        "debian.sources: trusted=yes",
    ),
    (SOURCES, sources(settings="Acquire::AllowInsecureRepositories 1\n"), P, "fail", "AllowInsecureRepositories is 1"),
    (SOURCES, sources(settings="Acquire::AllowInsecureRepositories 0\n"), P, "ok", "2 sources"),
    (SOURCES, sources(lists=[f"{LISTS}/x_Release"]), P, "fail", "x_Release is not signed"),
    (SOURCES, sources(lists=[f"{LISTS}/x_Release", f"{LISTS}/x_Release.gpg"]), P, "ok", "2 sources"),
    (SOURCES, FakeHost(files={LINE: GOOD}, facts={"/etc/apt": ROOTS}), P, "unknown", "not taught"),
    (SOURCES, FakeHost(), P, "skip", "no apt"),
]
KEYS, RING = subject.no_strangers_key_signs_for_every_source, "/etc/apt/trusted.gpg.d/debian-archive-bookworm.asc"


def rings(**more):
    facts = {"/etc/apt": ROOTS, "/etc/apt/trusted.gpg.d": ROOTS, RING: FileFacts(0o644, 0, 0, "file", 9)}
    return FakeHost(files={LINE: GOOD}, facts={**facts, **more})


class Hidden(FakeHost):
    def stat(self, path):
        return ROOTS if path == "/etc/apt" else self._told({}, path, path)


KEYS_CASES = [
    (KEYS, rings(), P, "ok", "1 common keys"),
    (KEYS, rings(**{"/etc/apt/trusted.gpg": FileFacts(0o644, 0, 0, "file", 0)}), P, "ok", "1 common keys"),
    (KEYS, rings(**{"/etc/apt/trusted.gpg": FileFacts(0o644, 0, 0, "file", 9)}), P, "fail", "trusted.gpg signs for"),
    (KEYS, rings(**{"/etc/apt/trusted.gpg.d/docker.gpg": FileFacts(0o644, 0, 0, "file", 9)}), P, "fail", "docker.gpg"),
    (KEYS, rings(**{"/etc/apt/keyrings/docker.gpg": FileFacts(0o664, 0, 100, "file", 9)}), P, "fail", "mode 0664"),
    (KEYS, rings(**{"/etc/apt/keyrings/docker.gpg": FileFacts(0o644, 0, 0, "file", 9)}), P, "ok", "1 common keys"),
    (KEYS, rings(**{LINE: FileFacts(0o644, 1000, 0, "file", 9)}), P, "fail", "sources.list: owner 1000"),
    (KEYS, Hidden(files={RING: ""}), P, "unknown", "not taught"),
    (KEYS, FakeHost(), P, "skip", "no apt"),
]


def test_the_keys_are_mended_by_name():
    ring = "/etc/apt/keyrings/docker.gpg"
    host = rings(**{ring: FileFacts(0o666, 0, 0, "file", 9)})
    assert KEYS.mend(host, P) == (("chown", "-h", "root:root", "--", ring), ("chmod", "go-w", "--", ring))
    assert KEYS.mend(rings(), P) == ()


CASES = [
    *PENDING_CASES,
    *SOURCES_CASES,
    *KEYS_CASES,
    (subject.security_updates_install_themselves, said("1"), P, "ok", "every 1 days"),
    (subject.security_updates_install_themselves, said("0"), P, "fail", "switched off"),
    (subject.security_updates_install_themselves, said(""), P, "fail", "switched off"),
    (subject.security_updates_install_themselves, said("1", files={}), P, "fail", "is not installed"),
    (subject.security_updates_install_themselves, FakeHost(), P, "unknown", "not taught"),
    (
        subject.security_updates_install_themselves,
        said("1", timers="active\n\ninactive\n"),
        P,
        "fail",
        "upgrade.timer is",
    ),
    (subject.updates_leave_the_engine_alone, FakeHost({HELD: "^docker\n^containerd\n"}), P, "ok", "^docker, ^con"),
    (subject.updates_leave_the_engine_alone, FakeHost({HELD: "\n"}), P, "fail", "docker is not held back"),
    (subject.updates_leave_the_engine_alone, FakeHost(), P, "unknown", "not taught"),
    (subject.no_restart_is_due, FakeHost(), P, "ok", "none due"),
    (subject.no_restart_is_due, FakeHost(files={"/run/reboot-required": ""}), P, "fail", "a restart is due"),
    (subject.no_restart_is_due, Blind(), P, "unknown", "not taught"),
]

INDEX_FILE = f"{LISTS}/deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages"
FRESH = f"""
dpkg-query -W -f 'Package: ${{Package}}\\nArchitecture: ${{Architecture}}\\nVersion: ${{Version}}\\n\\n' >{INDEX_FILE}
rm -f {LISTS}/*_Release
"""
SECURE = "echo 'deb http://deb.debian.org/debian-security bookworm-security main' >/etc/apt/sources.list.d/safe.list"
BROKEN = [
    Broken(subject.no_restart_is_due, "rm -f /run/reboot-required", "touch /run/reboot-required", "a restart is due"),
    Broken(
        PENDING, FRESH, f"printf 'Package: apt\\nArchitecture: amd64\\nVersion: 99:1\\n\\n' >>{INDEX_FILE}",
        "not 99:1",
    ),
    Broken(PENDING, FRESH, f"touch -d '20 days ago' {INDEX_FILE}", "lists are 20 days old"),
    Broken(
        SOURCES, f"{SECURE}; rm -f /etc/apt/sources.list.d/x.list /etc/apt/apt.conf.d/99x",
        "echo 'deb [trusted=yes] file:/srv/x ./' >/etc/apt/sources.list.d/x.list", "trusted=yes",
    ),
    Broken(
        SOURCES, f"{SECURE}; rm -f /etc/apt/sources.list.d/x.list /etc/apt/apt.conf.d/99x",
        "echo 'Acquire::AllowInsecureRepositories \"true\";' >/etc/apt/apt.conf.d/99x", "AllowInsecureRepositories is",
    ),
    Broken(
        KEYS, "rm -f /etc/apt/trusted.gpg.d/vendor.asc; chmod 0644 /usr/share/keyrings/*.gpg",
        "echo key >/etc/apt/trusted.gpg.d/vendor.asc", "vendor.asc signs for every source",
    ),
    Broken(
        KEYS, "rm -f /etc/apt/trusted.gpg.d/vendor.asc; chmod 0644 /usr/share/keyrings/*.gpg",
        "chmod 0666 /usr/share/keyrings/debian-archive-keyring.gpg", "mode 0666",
    ),
]  # fmt: skip
