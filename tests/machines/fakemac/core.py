"""What every tool of the fake Mac stands on: the state that they share, and how one of them ends."""

import fcntl
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

HOME = Path("/var/fakemac")
STATE, LOCK, RECORDINGS = HOME / "state.json", HOME / "lock", HOME / "recordings"
PATHS = (
    "/usr/libexec/ApplicationFirewall/socketfilterfw", "/usr/bin/fdesetup", "/usr/bin/csrutil", "/sbin/mount",
    "/usr/sbin/system_profiler", "/usr/sbin/spctl", "/usr/bin/xprotect", "/usr/sbin/nvram", "/usr/bin/security",
    "/usr/bin/dscl", "/usr/bin/dsmemberutil", "/usr/sbin/dseditgroup", "/usr/bin/defaults", "/usr/sbin/sysadminctl",
    "/usr/sbin/softwareupdate", "/sbin/pfctl", "/usr/bin/pmset", "/usr/bin/profiles", "/bin/launchctl",
    "/usr/libexec/mdmclient", "/usr/sbin/systemsetup", "/sbin/nfsd", "/usr/sbin/cupsctl", "/usr/bin/killall",
    "/usr/bin/AssetCacheManagerUtil", "/usr/sbin/netstat", "/usr/bin/sw_vers", "/usr/sbin/automount", "/sbin/umount",
    "/usr/sbin/sysctl", "/opt/homebrew/Cellar/colima/0.10.1/bin/colima", "/usr/local/bin/fakemac",
    "/System/Library/CoreServices/RemoteManagement/ARDAgent.app/Contents/Resources/kickstart",
)  # fmt: skip
PORTS = {"com.apple.screensharing": 5900, "com.apple.AEServer": 3031, "com.apple.smbd": 445, "com.openssh.sshd": 22}
PLISTS = {
    "ssh": "com.openssh.sshd",
    "com.apple.eppc": "com.apple.AEServer",
    **{label: label for label in ("com.apple.screensharing", "com.apple.smbd")},
}
ARD = Path("/Library/Application Support/Apple/Remote Desktop/RemoteManagement.launchd")
PASSWORD = Path("/etc/kcpassword")


@contextmanager
def held():
    """Hold the state, alone; it is written when this ends. Every account may: it is the fake's, not the Mac's."""
    with LOCK.open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = json.loads(STATE.read_text())
        before = json.dumps(state)
        try:
            yield state
        finally:
            if json.dumps(state) != before:
                STATE.write_text(json.dumps(state, indent=1))


class End(Exception):
    """A tool's end, with its code and what it says on its error stream."""

    def __init__(self, code, said=""):
        super().__init__(said)
        self.code, self.said = code, said


def recorded(name):
    return (RECORDINGS / name).read_text()


def is_root():
    return os.geteuid() == 0


def logged(words):
    print(f"2026-06-26 10:00:00.000 sysadminctl[123:456] {words}", file=sys.stderr)
