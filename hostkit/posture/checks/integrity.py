"""That macOS is what Apple shipped: what protects the system from root itself."""

import re

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, heard, pairs, printed
from hostkit.posture.model import Verdict, every, fail, ok

_RECOVERY = "Start in Recovery (hold the power button)"


@check(
    "integrity-protection",
    severity="high",
    why="Without System Integrity Protection root may change the tools that say what root did.",
    fix=f"{_RECOVERY}, open Terminal: csrutil enable.",
    references=("mSCP os_sip_enable", "NIST SP 800-53 SI-7"),
)
def system_integrity_protection_is_on(host: Host, policy: Policy) -> Verdict:
    """System Integrity Protection is on, whole."""
    form = r"^System Integrity Protection status: (enabled|disabled|unknown \(Custom Configuration\))\.$"
    word = heard(host, "/usr/bin/csrutil", "status", form=form)
    return ok("enabled") if word == "enabled" else fail(word)


@check(
    "integrity-volume",
    severity="high",
    why="A system volume without its seal may hold anything, and starts all the same.",
    fix=f"{_RECOVERY}, open Terminal: csrutil authenticated-root enable; reinstall macOS if the seal is broken.",
    references=("mSCP os_authenticated_root_enable", "NIST SP 800-53 SI-7"),
)
def the_system_volume_is_sealed(host: Host, policy: Policy) -> Verdict:
    """The system runs from a sealed volume that is mounted read-only."""
    form = r"^/dev/disk\S+ on / \(([a-z]+(?:, [a-z -]+)*)\)$"
    options = heard(host, "/sbin/mount", form=form).split(", ")
    return every([f"/ is not {word}" for word in ("sealed", "read-only") if word not in options], "sealed, read-only")


_POLICY = {
    "Secure Boot": "Full Security",
    "System Integrity Protection": "Enabled",
    "Signed System Volume": "Enabled",
    "Kernel CTRR": "Enabled",
    "Boot Arguments Filtering": "Enabled",
    "Allow All Kernel Extensions": "No",
}


@check(
    "integrity-boot",
    severity="high",
    why="With less than full security this Mac starts old or altered systems, and somebody else's kernel code.",
    fix=f"{_RECOVERY}, Startup Security Utility: Full Security. sudo bputil -d shows the policy in full.",
    references=("NIST SP 800-53 SI-7(9)",),
)
def only_what_apple_signed_starts(host: Host, policy: Policy) -> Verdict:
    """The boot policy asks for full security: Apple's current signature, no boot arguments, no foreign kernel code."""
    said = printed(host, "/usr/sbin/system_profiler", "SPiBridgeDataType")
    told = pairs("system_profiler", said, r"^\s+([A-Z][\w ]+): (\S.*?)\s*$")
    if missing := [name for name in _POLICY if name not in told]:
        raise CannotTell(f"system_profiler does not say {missing[0]}: {brief(said)}")
    return every(
        [f"{name}: {brief(told[name])}" for name, good in _POLICY.items() if told[name] != good], "full security"
    )


@check(
    "integrity-gatekeeper",
    severity="medium",
    why="Gatekeeper is what stops a downloaded program that nobody signed, an agent's download too.",
    fix="macOS 15 and later: System Settings > Privacy & Security; macOS 14: sudo spctl --global-enable.",
    references=("mSCP os_gatekeeper_enable", "NIST SP 800-53 CM-7(5)"),
)
def gatekeeper_is_on(host: Host, policy: Policy) -> Verdict:
    """Gatekeeper looks at every downloaded program before it first runs."""
    word = heard(host, "/usr/sbin/spctl", "--status", form=r"^assessments (enabled|disabled)$")
    return ok("assessments enabled") if word == "enabled" else fail("assessments disabled")


@check(
    "integrity-malware",
    severity="medium",
    why="XProtect is the one scanner that knows what Apple has seen elsewhere.",
    fix="System Settings > General > Software Update > Automatic Updates: security responses and system files.",
    references=("mSCP os_anti_virus_installed", "NIST SP 800-53 SI-3"),
)
def xprotect_scans(host: Host, policy: Policy) -> Verdict:
    """XProtect scans programs when they start, and in the background."""
    said = host.ask("/usr/bin/xprotect", "status").both
    told = pairs("xprotect", said, r"^\s*(?:XProtect )?(launch|background) scans: (enabled|disabled)\s*$")
    if set(told) != {"launch", "background"}:
        raise CannotTell(f"xprotect said nothing that is known: {brief(said)}")
    return every([f"{kind} scans are {word}" for kind, word in told.items() if word != "enabled"], "scans both ways")


_WEAK = re.compile(
    r"\b(amfi_get_out_of_my_way|amfi|cs_enforcement_disable|cs_debug|rootless|kext-dev-mode)=\S+|-arm64e_preview_abi"
)


@check(
    "integrity-arguments",
    severity="high",
    why="amfi_get_out_of_my_way turns off every signature that macOS looks at.",
    fix='sudo nvram boot-args="", then restart.',
    references=("mSCP os_mobile_file_integrity_enable", "NIST SP 800-53 SI-7"),
)
def no_boot_argument_weakens_the_kernel(host: Host, policy: Policy) -> Verdict:
    """No boot argument turns off what the kernel checks of a program's signature."""
    said = printed(host, "/usr/sbin/nvram", "-p")
    pairs = [line.partition("\t") for line in said.splitlines()]
    if not pairs or not all(tab for _, tab, _ in pairs):
        raise CannotTell(f"nvram said nothing that is known: {brief(said)}")
    arguments = " ".join(value for name, _, value in pairs if name.strip() == "boot-args")
    return every([brief(match.group()) for match in _WEAK.finditer(arguments)], "none")
