from hostkit.host import Said
from hostkit.posture.checks import profiles as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import erred, mac, recorded

P = make_policy()
ENROLMENT = ("/usr/bin/profiles", "status", "-type", "enrollment")
TRUST = ("/usr/bin/security", "dump-trust-settings", "-d")
NONE, YES = recorded("profiles-enroll-none.txt"), recorded("profiles-enroll-yes.txt")
CASES = [
    (subject.no_server_manages_this_mac, mac({ENROLMENT: NONE}), P, "ok", "not enrolled"),
    (
        subject.no_server_manages_this_mac,
        mac({ENROLMENT: YES}),
        P,
        "fail",
        "MDM enrollment: yes by https://mdm.example.com",
    ),
    (subject.no_server_manages_this_mac, mac({ENROLMENT: NONE.splitlines()[1]}), P, "unknown", "nothing that is known"),
    (subject.no_server_manages_this_mac, mac({ENROLMENT: ""}), P, "unknown", "nothing that is known"),
    (subject.no_server_manages_this_mac, mac({ENROLMENT: erred("systemsetup-noroot.txt")}), P, "unknown", "failed"),
    (subject.nobody_added_an_authority, mac({TRUST: erred("trust-settings-none.txt")}), P, "ok", "none added"),
    (
        subject.nobody_added_an_authority,
        mac({TRUST: "Number of trusted certs = 1\nCert 0: Some Proxy CA\n   Number of trust settings : 1\n"}),
        P,
        "fail",
        "1 added",
    ),
    (subject.nobody_added_an_authority, mac({TRUST: Said(0)}), P, "unknown", "security said nothing"),
    (subject.nobody_added_an_authority, mac({TRUST: "Number of trusted certs = 0\n"}), P, "unknown", "security said"),
]
