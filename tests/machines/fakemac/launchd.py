"""launchctl, and what launchd itself does: run a job as it is told to, and keep its exit code."""

import plistlib
import subprocess
from pathlib import Path

from .core import PLISTS, End, held, is_root, recorded


def launchctl(state, words):
    verb, *rest = words
    label = rest[0].partition("/")[2] if rest else ""
    if verb == "print-disabled":
        lines = [f'\t"{name}" => {word}' for name, word in state["overrides"].items()]
        print("disabled services = {", *lines, "}", "login item associations = {", "}", sep="\n")
    elif verb == "print":
        _print_job(state, label)
    elif not is_root():
        raise End(1, "Operation not permitted")
    elif verb in {"enable", "disable"}:
        state["overrides"][label] = f"{verb}d"
    elif verb == "bootout":
        if label == "com.apple.timed":
            raise End(150, "Boot-out failed: 150: Operation not permitted while System Integrity Protection is engaged")
        if state["jobs"].pop(label, None) is None:
            raise End(3, recorded("launchctl-bootout-absent.stderr"))
    elif verb == "bootstrap":
        return _bootstrap(state, rest[1])
    return None


def _print_job(state, label):
    if label not in state["jobs"]:
        said = recorded("launchctl-print-sshd-off.txt").replace("com.openssh.sshd", label)
        raise End(113, said)
    told = recorded("launchctl-print-screensharing-on.txt").replace("com.apple.screensharing", label)
    code = state["jobs"][label].get("code")
    last = "" if code is None else f"    last exit code = {code}\n"
    print(told.replace("    state = not running\n", f"    state = not running\n{last}"), end="")


def _bootstrap(state, path):
    place = Path(path)
    if path.startswith("/System/Library/LaunchDaemons/"):
        label = PLISTS[place.stem]
        run = None
    else:
        facts = place.stat()
        plain = plistlib.loads(place.read_bytes())
        label, run = plain["Label"], plain
        if facts.st_uid or facts.st_mode & 0o022:
            raise End(5, "Bootstrap failed: 5: Input/output error")
    if label in state["jobs"] or state["overrides"].get(label) == "disabled":
        raise End(5, "Bootstrap failed: 5: Input/output error")
    state["jobs"][label] = {"plist": path if run else ""}
    return label if run and run.get("RunAtLoad") else None


def run_job(label):
    """Run a job's program as launchd does, and keep its exit code."""
    with held() as state:
        path = state["jobs"][label]["plist"]
    plain = plistlib.loads(Path(path).read_bytes())
    as_whom = (
        ("/usr/bin/sudo", "-n", "-u", plain["UserName"], "--", "/usr/bin/env")
        if "UserName" in plain
        else ("/usr/bin/env",)
    )
    given = [f"{key}={value}" for key, value in plain.get("EnvironmentVariables", {}).items()]
    words = [*as_whom, "-C", plain.get("WorkingDirectory", "/"), *given, *plain["ProgramArguments"]]
    done = subprocess.run(words, check=False, capture_output=True, umask=plain.get("Umask", 0o022))
    with held() as state:
        if label in state["jobs"]:
            state["jobs"][label]["code"] = done.returncode
    return done
