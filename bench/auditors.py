"""What two public auditors say of a VM before and after bootstrap: Lynis, and OpenSCAP with the content for its Debian.

`python bench/auditors.py [SUITE]` takes about half an hour without KVM and prints what changed and all that remains.
"""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e.test_bootstrap import harden, prepare  # noqa: E402 - found by the line above
from tests.machines import vm  # noqa: E402

LAYERS = ("vm.Dockerfile", "auditors.Dockerfile")
LYNIS = "lynis audit system --quick --quiet --no-colors >/dev/null 2>&1; cat /var/log/lynis-report.dat"
CONTENT = "ls /usr/share/xml/scap/ssg/content/ssg-debian*-ds.xml"
PROFILES = "oscap info --profiles {content}"
SCAN = "oscap xccdf eval --profile {profile} --results /tmp/found.xml {content} >/dev/null 2>&1; cat /tmp/found.xml"
MINIMAL = ("anssi_bp28_minimal", "anssi_np_nt28_minimal", "standard")
XCCDF = "{http://checklists.nist.gov/xccdf/1.2}"


def lynis(machine: vm.VirtualMachine) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for line in machine.run("sh", "-c", LYNIS, timeout=3600).stdout.splitlines():
        key, _, value = line.partition("=")
        if key in {"hardening_index", "warning[]", "suggestion[]"}:
            told.setdefault(key.removesuffix("[]"), []).append("|".join(value.split("|")[:2]))
    return told


def openscap(machine: vm.VirtualMachine, number: str) -> dict[str, str]:
    found = machine.run("sh", "-c", CONTENT, check=False).stdout.split()
    content = next((path for path in found if f"debian{number}-" in path), found[-1] if found else "")
    if not content:
        return {}
    listed = machine.run("sh", "-c", PROFILES.format(content=content), timeout=600).stdout.splitlines()
    names = [line.partition(":")[0].rpartition("_profile_")[2] for line in listed]
    profile = next((name for name in MINIMAL if name in names), names[0])
    text = machine.run("sh", "-c", SCAN.format(profile=profile, content=content), timeout=3600, check=False).stdout
    results = ET.fromstring(text).iter(f"{XCCDF}rule-result")
    pairs = {str(one.get("idref")).rpartition("_rule_")[2]: one.findtext(f"{XCCDF}result", "") for one in results}
    return {"content": Path(content).name, "profile": profile, **{k: v for k, v in pairs.items() if v != "notselected"}}


def main(suite: str = "bookworm") -> int:
    with vm.machine(suite, LAYERS) as machine:
        number = machine.run("sh", "-c", ". /etc/os-release; echo $VERSION_ID").stdout.strip()
        prepare(machine)
        before = {"lynis": lynis(machine), "openscap": openscap(machine, number)}
        print(json.dumps({"before": before}, indent=1), flush=True)
        print(harden(machine), flush=True)
        after = {"lynis": lynis(machine), "openscap": openscap(machine, number)}
        print(json.dumps({"after": after}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
