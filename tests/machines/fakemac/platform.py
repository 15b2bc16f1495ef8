"""What macOS says of itself: its protection, its disk, its mounts, its release."""

import os
import pwd
import time
from pathlib import Path

from .core import End, recorded


def fdesetup(state, words):
    print(f"FileVault is {state['filevault']}.")


def csrutil(state, words):
    print(f"System Integrity Protection status: {'enabled' if state['sip'] else 'disabled'}.")


def mount(state, words):
    print(recorded("mount-clean.txt").replace("sealed, " if not state["sealed"] else "\0", ""), end="")
    for line in state["mounts"]:
        print(line)


def umount(state, words):
    left = [line for line in state["mounts"] if f" on {words[0]} (" not in line]
    if left == state["mounts"]:
        raise End(1, f"umount: {words[0]}: not currently mounted")
    state["mounts"] = left


def automount(state, words):
    static = any(line.startswith("/net/share") for line in Path("/etc/auto_master").read_text().splitlines())
    state["mounts"] = [line for line in state["mounts"] if not line.startswith("map -static")]
    if static:
        state["mounts"].append("map -static on /net/share (autofs, automounted, nobrowse)")


def system_profiler(state, words):
    if words == ["SPBluetoothDataType"]:
        print(recorded("bluetooth-on.txt"), end="")
        return
    print(recorded("bootpolicy-full.txt").replace("Full Security", state["boot"]), end="")


def spctl(state, words):
    if words == ["--status"]:
        print(f"assessments {'enabled' if state['gatekeeper'] else 'disabled'}")
    else:
        said = {"--global-enable": "spctl-enable-15.stderr", "--global-disable": "spctl-disable-15.stderr"}
        raise End(1, recorded(said[words[0]]))


def xprotect(state, words):
    print(f"XProtect launch scans: {state['scans']}\nXProtect background scans: {state['scans']}")


def nvram(state, words):
    print(f"auto-boot\ttrue\nboot-args\t{state['arguments']}\nSystemAudioVolume\t%80")


def security(state, words):
    if words[:1] == ["dump-trust-settings"]:
        none = recorded("trust-settings-none.txt").rstrip("\n")
        print(f"Number of trusted certs = {state['authorities']}" if state["authorities"] else none)
    else:
        home = pwd.getpwuid(os.geteuid()).pw_dir
        print(
            *(f'    "{path}"' for path in (f"{home}/Library/Keychains/login.keychain-db", *state["keychains"])),
            sep="\n",
        )


def sw_vers(state, words):
    print(state["release"])


def sysctl(state, words):
    booted = next(line.split()[1] for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    print(f"{{ sec = {booted}, usec = 123456 }} {time.ctime(int(booted))}")


def colima(state, words):
    lima = Path(os.environ["HOME"], ".colima/_lima/colima")
    lima.mkdir(parents=True, exist_ok=True)
    (lima / "lima.yaml").write_text("vmType: vz\nmounts: []\nssh:\n  localPort: 60022\n")
