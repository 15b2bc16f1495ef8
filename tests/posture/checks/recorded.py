"""What Macs really said; macos/README.md tells where each recording comes from."""

from pathlib import Path

from hostkit.host import Said
from tests.conftest import FakeHost

HERE = Path(__file__).parent / "macos"
PEOPLE = ("/usr/bin/dscl", ".", "-list", "/Users", "UniqueID")
HOMES = ("/usr/bin/dscl", ".", "-list", "/Users", "NFSHomeDirectory")
NETSTAT = ("/usr/sbin/netstat", "-anv", "-p", "tcp")
DISABLED = ("/bin/launchctl", "print-disabled", "system")
ACCOUNTS = {
    PEOPLE: "".join(f"{name:<24}{uid}\n" for name, uid in (("_www", 70), ("ann", 501), ("bo", 502), ("root", 0))),
    HOMES: "".join(
        f"{name:<24}{home}\n"
        for name, home in (
            ("_www", "/Library/WebServer"),
            ("ann", "/Users/ann"),
            ("hostkit-agent", "/Users/hostkit-agent"),
            ("nobody", "/var/empty"),
            ("root", "/var/root"),
        )
    ),
}
AS_ANN, AS_BO = (("/usr/bin/sudo", "-n", "-u", name) for name in ("ann", "bo"))


USED = set()
"""The recordings that a case or a test has asked for."""


def recorded(name):
    USED.add(name)
    return (HERE / name).read_text(encoding="utf-8")


def erred(name, code=1):
    """Return a tool that spoke on its error stream."""
    return Said(code, err=recorded(name))


def absent(domain, key):
    """Return the recorded words of `defaults` for another pair."""
    text = recorded("defaults-absent.stderr").replace("/Library/Preferences/com.apple.loginwindow", domain)
    return Said(1, err=text.replace("GuestEnabled_NONEXISTENT", key))


def mac(commands=None, files=None, **more):
    return FakeHost(commands, files, platform="darwin", **more)


def wired(*more, without=()):
    """Return the recorded sockets, with rows that listen on more ports and without those of others."""
    rows = [row for row in recorded("netstat-26-tcp.txt").splitlines() if not any(f".{p} " in row for p in without)]
    return "\n".join([*rows, *(f"tcp4 0 0 *.{port} *.* LISTEN 0 0" for port in more)]) + "\n"


def gone(label):
    """Return the recorded words of launchctl for a service that it does not hold."""
    return Said(113, err=recorded("launchctl-print-sshd-off.txt").replace("com.openssh.sshd", label))


def held(label):
    return recorded("launchctl-print-screensharing-on.txt").replace("com.apple.screensharing", label)
