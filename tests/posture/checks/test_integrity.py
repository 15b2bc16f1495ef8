import pytest

from hostkit.posture.checks import integrity as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import erred, mac, recorded

P = make_policy()
SIP, MOUNT, BOOT = ("/usr/bin/csrutil", "status"), ("/sbin/mount",), ("/usr/sbin/system_profiler", "SPiBridgeDataType")
GATE, SCAN, NVRAM = ("/usr/sbin/spctl", "--status"), ("/usr/bin/xprotect", "status"), ("/usr/sbin/nvram", "-p")
NOROOT = erred("systemsetup-noroot.txt")
CLEAN, FULL = recorded("mount-clean.txt"), recorded("bootpolicy-full.txt")
SCANS = "XProtect launch scans: enabled\nXProtect background scans: enabled\n"
FIRMWARE = "SystemAudioVolume\t%80\nauto-boot\ttrue\n"


def sip(word):
    return mac({SIP: f"System Integrity Protection status: {word}\n"})


def armed(arguments):
    return mac({NVRAM: f"{FIRMWARE}boot-args\t{arguments}\n"})


CASES = [
    (subject.system_integrity_protection_is_on, mac({SIP: recorded("csrutil-on.txt")}), P, "ok", "enabled"),
    (subject.system_integrity_protection_is_on, mac({SIP: recorded("csrutil-off.txt")}), P, "fail", "disabled"),
    (subject.system_integrity_protection_is_on, sip("unknown (Custom Configuration)."), P, "fail", "Custom"),
    (subject.system_integrity_protection_is_on, sip("enabled (Apple Internal)."), P, "unknown", "Apple Internal"),
    (subject.system_integrity_protection_is_on, mac({SIP: ""}), P, "unknown", "nothing that is known"),
    (subject.the_system_volume_is_sealed, mac({MOUNT: CLEAN}), P, "ok", "sealed, read-only"),
    (subject.the_system_volume_is_sealed, mac({MOUNT: CLEAN.replace("sealed, ", "")}), P, "fail", "/ is not sealed"),
    (
        subject.the_system_volume_is_sealed,
        mac({MOUNT: CLEAN.replace("read-only, ", "")}),
        P,
        "fail",
        "/ is not read-only",
    ),
    (subject.the_system_volume_is_sealed, mac({MOUNT: ""}), P, "unknown", "mount said nothing"),
    (subject.only_what_apple_signed_starts, mac({BOOT: FULL}), P, "ok", "full security"),
    (
        subject.only_what_apple_signed_starts,
        mac({BOOT: FULL.replace("Full Security", "Reduced Security")}),
        P,
        "fail",
        "Secure Boot: Reduced Security",
    ),
    (
        subject.only_what_apple_signed_starts,
        mac({BOOT: FULL.replace("Extensions: No", "Extensions: Yes")}),
        P,
        "fail",
        "Allow All Kernel Extensions: Yes",
    ),
    (
        subject.only_what_apple_signed_starts,
        mac({BOOT: FULL.replace("Secure Boot", "Sicherer Start")}),
        P,
        "unknown",
        "does not say Secure Boot",
    ),
    (subject.only_what_apple_signed_starts, mac({BOOT: ""}), P, "unknown", "does not say Secure Boot"),
    (subject.gatekeeper_is_on, mac({GATE: recorded("spctl-on.txt")}), P, "ok", "assessments enabled"),
    (subject.gatekeeper_is_on, mac({GATE: "assessments disabled\n"}), P, "fail", "assessments disabled"),
    (subject.gatekeeper_is_on, mac({GATE: ""}), P, "unknown", "spctl said nothing"),
    (subject.xprotect_scans, mac({SCAN: SCANS}), P, "ok", "both ways"),
    (
        subject.xprotect_scans,
        mac({SCAN: SCANS.replace("enabled", "disabled", 1)}),
        P,
        "fail",
        "launch scans are disabled",
    ),
    (subject.xprotect_scans, mac({SCAN: "XProtect launch scans: enabled\n"}), P, "unknown", "xprotect said nothing"),
    (subject.xprotect_scans, mac({SCAN: SCANS + SCANS.replace("en", "dis")}), P, "unknown", "said two things"),
    (subject.xprotect_scans, mac({SCAN: NOROOT}), P, "unknown", "administrator access"),
    (subject.no_boot_argument_weakens_the_kernel, mac({NVRAM: FIRMWARE}), P, "ok", "none"),
    (subject.no_boot_argument_weakens_the_kernel, armed("-v serial=3"), P, "ok", "none"),
    (
        subject.no_boot_argument_weakens_the_kernel,
        armed("-v amfi_get_out_of_my_way=1"),
        P,
        "fail",
        "amfi_get_out_of_my_way=1",
    ),
    (subject.no_boot_argument_weakens_the_kernel, mac({NVRAM: ""}), P, "unknown", "nvram said nothing"),
]


@pytest.mark.parametrize(
    "argument", ["amfi=0x80", "cs_enforcement_disable=1", "-arm64e_preview_abi", "kext-dev-mode=1"]
)
def test_each_argument_that_weakens_is_named(argument):
    assert argument in subject.no_boot_argument_weakens_the_kernel(armed(f"debug=0x14e {argument}"), P).detail
