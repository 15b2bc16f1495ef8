"""What two public auditors say of a VM before and after bootstrap: Lynis, and OpenSCAP with Debian's own content.

`python bench/auditors.py [SUITE [AUDITOR [PHASE]]]` takes about half an hour without KVM and prints all that each said;
AUDITOR is both, lynis or openscap, PHASE both, before or after.
Debian 12 ships the content of Debian 11 only, which calls itself not applicable to any other release: all its rules
are asked of a copy without that line, which is said beside the answers.
"""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e.test_bootstrap import bootstrapping, confirm, prepare  # noqa: E402 - found by the line above
from tests.machines import vm  # noqa: E402

LAYERS = ("vm.Dockerfile", "auditors.Dockerfile")
LYNIS = "lynis audit system --quick --quiet --no-colors >/dev/null 2>&1; cat /var/log/lynis-report.dat"
CONTENT = "ls /usr/share/xml/scap/ssg/content/ssg-debian*-ds.xml"
COPY = r"sed '/<[a-z0-9.-]*:\?platform idref=/d' {content} > /tmp/content.xml"
PROFILES = "oscap info --profiles /tmp/content.xml"
SCAN = (
    "oscap xccdf eval --profile {profile} --results /tmp/found.xml /tmp/content.xml >/dev/null 2>&1; cat /tmp/found.xml"
)
WANTED = ("anssi_np_nt28_high", "anssi_bp28_high", "standard")
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
    machine.run("sh", "-c", COPY.format(content=content), timeout=600)
    listed = machine.run("sh", "-c", PROFILES, timeout=600).stdout.splitlines()
    names = [line.partition(":")[0].rpartition("_profile_")[2] for line in listed]
    profile = next((name for name in WANTED if name in names), names[0])
    text = machine.run("sh", "-c", SCAN.format(profile=profile), timeout=3600, check=False).stdout
    results = ET.fromstring(text).iter(f"{XCCDF}rule-result")
    pairs = {str(one.get("idref")).rpartition("_rule_")[2]: one.findtext(f"{XCCDF}result", "") for one in results}
    return {"content": Path(content).name, "profile": profile, **{k: v for k, v in pairs.items() if v != "notselected"}}


def asked(machine: vm.VirtualMachine, auditor: str, number: str) -> dict[str, object]:
    """Return what each auditor that is wanted says of the machine as it is now."""
    told: dict[str, object] = {}
    if auditor in {"both", "lynis"}:
        told["lynis"] = lynis(machine)
    if auditor in {"both", "openscap"}:
        told["openscap"] = openscap(machine, number)
    return told


def main(suite: str = "bookworm", auditor: str = "both", phase: str = "both") -> int:
    with vm.machine(suite, LAYERS) as machine:
        machine.patience *= 4  # nothing here has a deadline, and other work may run beside it
        number = machine.run("sh", "-c", ". /etc/os-release; echo $VERSION_ID").stdout.strip()
        prepare(machine)
        if phase in {"both", "before"}:
            print(json.dumps({"before": asked(machine, auditor, number)}, indent=1), flush=True)
        if phase == "before":
            return 0
        with bootstrapping(machine) as session:
            print(confirm(machine).stdout, session.communicate(timeout=machine.patience)[0], flush=True)
        print(json.dumps({"after": asked(machine, auditor, number)}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
