"""The hand from outside, `fakemac`: what the owner does at the screen, a minute that is over, a start of the machine.

Called by a tool's path this program is that tool.
"""

import json
import subprocess
import sys
from pathlib import Path

from . import directory, firewall, launchd, pf, platform, settings
from .bare import BARE
from .core import ARD, PASSWORD, RECORDINGS, STATE, End, held

TOOLS = {
    name: tool
    for module in (directory, firewall, launchd, pf, platform, settings)
    for name, tool in vars(module).items()
    if callable(tool) and getattr(tool, "__module__", "") == module.__name__ and not name.startswith("_")
}


def fakemac(words):
    match words:
        case ["bare"]:
            STATE.write_text(json.dumps(BARE, indent=1))
            ARD.parent.mkdir(parents=True, exist_ok=True)
            ARD.write_text("enabled\n")
            PASSWORD.write_bytes(b"\x1c\xedC\x00")
            Path("/etc/pf.conf").write_text((RECORDINGS / "pf.conf.stock").read_text())
            Path("/etc/exports").write_text("/Users/ann -alldirs\n")
            Path("/etc/auto_master").write_text(
                "+auto_master\t\t# Use directory service\n/home auto_home -nobrowse\n/net/share auto_share\n"
            )
            Path("/etc/fstab").write_text("# comment\nnas:/export /Volumes/nas nfs ro\n")
        case ["set", *pairs]:
            with held() as state:
                for pair in pairs:
                    name, _, value = pair.partition("=")
                    *above, last = name.split("/") if not name.startswith("/") else [name]
                    place = state
                    for word in above:
                        place = place[word]
                    place[last] = json.loads(value)
        case ["tick", label]:
            done = launchd.run_job(label)
            sys.stdout.buffer.write(done.stdout + done.stderr)
        case ["reboot"]:
            with held() as state:
                state["pf"].update(enabled=False, tokens=[], main=list(BARE["pf"]["main"]))
                state["pf"]["anchors"] = {name: [] for name in BARE["pf"]["anchors"]}
                jobs = [label for label, job in state["jobs"].items() if job["plist"].startswith("/Library/")]
                state["jobs"] = {
                    label: job for label, job in state["jobs"].items() if not job["plist"] or label in jobs
                }
            subprocess.run(["/bin/sh", "-c", "rm -rf /var/run/hostkit"], check=True)
            for label in jobs:
                launchd.run_job(label)
        case _:
            raise SystemExit(f"fakemac: {words}")


def main():
    name, words = Path(sys.argv[0]).name, sys.argv[1:]
    if name == "fakemac":
        fakemac(words)
        return 0
    started = None
    try:
        with held() as state:
            started = TOOLS[name](state, words)
    except End as end:
        print(end.said.rstrip("\n"), file=sys.stderr)
        return end.code
    if started:
        launchd.run_job(started)
    return 0
