"""Who else commands a Mac: management servers, and authorities that somebody told it to believe."""

import re

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, pairs, printed
from hostkit.posture.model import Verdict, every, fail, ok


@check(
    "profiles-enrollment",
    severity="medium",
    why="Whoever runs the management server is root here, and no policy names them.",
    fix="Remove the enrolment (sudo profiles remove, or its server's owner does), or waive this with who runs it.",
    references=("NIST SP 800-53 AC-6",),
)
def no_server_manages_this_mac(host: Host, policy: Policy) -> Verdict:
    """No management server (MDM) commands this Mac."""
    said = printed(host, "/usr/bin/profiles", "status", "-type", "enrollment")
    told = pairs("profiles", said, r"^(Enrolled via DEP|MDM enrollment): (Yes|No)\b")
    if set(told) != {"Enrolled via DEP", "MDM enrollment"}:
        raise CannotTell(f"profiles said nothing that is known: {brief(said)}")
    server = re.search(r"^MDM server: (\S+)$", said, re.MULTILINE)
    name = f" by {brief(server.group(1))}" if server else ""
    return every([f"{key}: yes{name}" for key, word in told.items() if word == "Yes"], "not enrolled")


@check(
    "profiles-trust",
    severity="high",
    why="An authority that somebody added here can read and forge everything that goes over TLS.",
    fix="sudo security dump-trust-settings -d names them; remove each in Keychain Access, System.",
    references=("NIST SP 800-53 SC-17",),
)
def nobody_added_an_authority(host: Host, policy: Policy) -> Verdict:
    """Nobody told this Mac to trust a certificate beyond Apple's own list."""
    form = r"^(?:SecTrustSettingsCopyCertificates: (No Trust Settings were found)\.|Number of trusted certs = (\d+))$"
    said = host.ask("/usr/bin/security", "dump-trust-settings", "-d").both
    match = re.search(form, said, re.MULTILINE)
    if match is None or match.group(2) == "0":
        raise CannotTell(f"security said nothing that is known: {brief(said)}")
    return ok("none added") if match.group(1) else fail(f"{match.group(2)} added")
