from hostkit.posture.checks import alf as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import mac, recorded

P = make_policy()
MANAGED = make_policy({"management": ["en0"]})
TOOL = "/usr/libexec/ApplicationFirewall/socketfilterfw"
STATE, STEALTH, BLOCK, SIGNED, APPS = (
    (TOOL, f"--get{word}") if word != "listapps" else (TOOL, "--listapps")
    for word in ("globalstate", "stealthmode", "blockall", "allowsigned", "listapps")
)
ON, OFF = recorded("alf-globalstate-on.txt"), recorded("alf-globalstate-off.txt")
REFUSED = recorded("alf-managed-refusal.txt")
FIFTEEN = "Firewall is blocking all non-essential incoming connections. (State = 2)\n"
UNSIGNED = (
    "Automatically allow built-in signed software DISABLED. \n"
    "Automatically allow downloaded signed software DISABLED. \n"
)
LISTED = recorded("alf-listapps-26.txt")
NONE = "Total number of apps = 0 \n"
ONE = "Total number of apps = 1 \n\n1 : /usr/libexec/sshd-keygen-wrapper \n             (Allow incoming connections) \n"


def incoming(block="alf-blockall-off.txt", signed=UNSIGNED, apps=NONE):
    return mac({BLOCK: recorded(block), SIGNED: signed, APPS: apps})


CASES = [
    (subject.application_firewall_is_on, mac({STATE: ON}), P, "ok", "on"),
    (subject.application_firewall_is_on, mac({STATE: recorded("alf-globalstate-blockall-old.txt")}), P, "ok", "blocks"),
    (subject.application_firewall_is_on, mac({STATE: FIFTEEN}), P, "ok", "blocks all"),
    (subject.application_firewall_is_on, mac({STATE: OFF}), P, "fail", "off"),
    (subject.application_firewall_is_on, mac({STATE: REFUSED}), P, "unknown", "Firewall settings cannot be modified"),
    (subject.application_firewall_is_on, mac({STATE: "Firewall is enabled.\n"}), P, "unknown", "nothing that is known"),
    (subject.application_firewall_is_on, mac({STATE: "Neu. (State = 3)\n"}), P, "unknown", "not known: 3"),
    (subject.application_firewall_is_on, mac({STATE: ON + OFF}), P, "unknown", "nothing that is known"),
    (subject.closed_ports_are_silent, mac({STEALTH: "Firewall stealth mode is on\n", STATE: ON}), P, "ok", "is on"),
    (subject.closed_ports_are_silent, mac({STEALTH: recorded("alf-14-combined.txt"), STATE: ON}), P, "ok", "enabled"),
    (
        subject.closed_ports_are_silent,
        mac({STEALTH: recorded("alf-stealth-off-15.txt"), STATE: ON}),
        P,
        "fail",
        "is off",
    ),
    (subject.closed_ports_are_silent, mac({STEALTH: "Stealth mode disabled\n", STATE: ON}), P, "fail", "disabled"),
    (
        subject.closed_ports_are_silent,
        mac({STEALTH: "Stealth mode enabled\n", STATE: OFF}),
        P,
        "fail",
        "firewall is off",
    ),
    (
        subject.closed_ports_are_silent,
        mac({STEALTH: "ALF: Error, kStealthEnableKey does not return the correct type.\n", STATE: ON}),
        P,
        "unknown",
        "kStealthEnableKey",
    ),
    (subject.closed_ports_are_silent, mac({STEALTH: REFUSED, STATE: ON}), P, "unknown", "managed Mac"),
    (subject.closed_ports_are_silent, mac({STEALTH: "Stealth mode odd\n", STATE: ON}), P, "unknown", "said to be odd"),
    (subject.no_program_is_let_in, mac({BLOCK: recorded("alf-blockall-on.txt")}), P, "ok", "blocks all"),
    (subject.no_program_is_let_in, incoming(), P, "ok", "no program is let in"),
    (subject.no_program_is_let_in, incoming(apps=LISTED), P, "fail", "/Applications/Example App.app is let in"),
    (subject.no_program_is_let_in, incoming(apps=LISTED), P, "fail", "/usr/local/bin/tool"),
    (
        subject.no_program_is_let_in,
        incoming(signed=recorded("alf-14-combined.txt")),
        P,
        "fail",
        "built-in programs are let in, downloaded programs are let in",
    ),
    (subject.no_program_is_let_in, incoming(apps=ONE), P, "fail", "sshd-keygen-wrapper is let in"),
    (subject.no_program_is_let_in, incoming(apps=ONE), MANAGED, "ok", "no program"),
    (subject.no_program_is_let_in, incoming(apps=NONE.replace("0", "2")), P, "unknown", "list of programs"),
    (subject.no_program_is_let_in, incoming(apps=""), P, "unknown", "list of programs"),
    (subject.no_program_is_let_in, mac({BLOCK: "Block all DISABLED!\n"}), P, "unknown", "Block all DISABLED!"),
    (
        subject.no_program_is_let_in,
        incoming(apps=LISTED.replace("tool", "x\n   (Block incoming connections)\n4 : y")),
        P,
        "unknown",
        "list of programs",
    ),
]
