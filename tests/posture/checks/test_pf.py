from hostkit.bootstrap.mac.pf import anchor
from hostkit.host import FileFacts, Said
from hostkit.posture.checks import pf as subject
from tests.conftest import make_policy
from tests.machines.fakemac.pf import shown
from tests.posture.checks.recorded import DISABLED, erred, gone, held, mac, recorded

P = make_policy()
PF = "/sbin/pfctl"
INFO, MAIN, ANCHORS = (PF, "-s", "info"), (PF, "-sr"), (PF, "-v", "-s", "Anchors")
OURS, HOLDERS = (PF, "-a", "com.apple/org.hostkit", "-sr"), (PF, "-s", "References")
UID = ("/usr/bin/dscl", ".", "-read", "/Users/hostkit-agent", "UniqueID")
ENABLED, HEALTHY = recorded("pf-info-enabled.txt"), recorded("pf-sr-main-healthy-vmnet.txt")
ALL = recorded("pf-anchors-verbose.txt")
WITH = ALL.replace("com.apple.internet", "com.apple/org.hostkit\n  com.apple.internet")
NOISE = recorded("pf-altq-noise.stderr")
DENIED = erred("pf-noroot.stderr")


def asked(info=ENABLED, main=HEALTHY, anchors=WITH, root=True):
    return mac({INFO: info, MAIN: Said(0, main, NOISE), ANCHORS: Said(0, anchors, NOISE)}, root=root)


KEPT = anchor(P, 450)
RULES = "\n".join(shown(KEPT)) + "\n"
"""The anchor as pfctl would print it."""


def ruled(rules=RULES, uid="UniqueID: 450\n", root=True, kept=KEPT):
    return mac({OURS: Said(0, rules, NOISE), UID: uid}, {"/etc/hostkit/pf.anchor": kept}, root=root)


def rules_fail(old, new, word):
    assert old in RULES
    return (subject.the_anchor_decides_as_the_policy_says, ruled(RULES.replace(old, new)), P, "fail", word)


LABEL = "org.hostkit.pf"
PLIST, FILE = "/Library/LaunchDaemons/org.hostkit.pf.plist", "/etc/hostkit/pf.anchor"
PROGRAM = "/Library/PrivilegedHelperTools/org.hostkit.pf"
PRINT = ("/bin/launchctl", "print", f"system/{LABEL}")
OVERRIDES = recorded("launchctl-print-disabled-hardened.txt")
ROOTS, OPEN = FileFacts(0o644, 0, 0, "file"), FileFacts(0o666, 0, 0, "file")


def boot(job=None, overrides=OVERRIDES, **facts):
    told = {name: facts.get(key, ROOTS) for name, key in ((PLIST, "plist"), (FILE, "file"), (PROGRAM, "program"))}
    there = {path: entry for path, entry in told.items() if entry}
    stock = facts.get("conf", recorded("pf.conf.stock"))
    return mac({DISABLED: overrides, PRINT: job or held(LABEL)}, {"/etc/pf.conf": stock} if stock else {}, facts=there)


ENDED = held(LABEL).replace("state = not running", "state = not running\n    last exit code = 1")
OFF = OVERRIDES.replace("com.apple.ftpd", LABEL)
DECIDES = subject.the_anchor_decides_as_the_policy_says
CASES = [
    (subject.the_anchor_is_asked, asked(), P, "ok", "enabled, asked"),
    (subject.the_anchor_is_asked, asked(info=recorded("pf-info-enabled-long.txt")), P, "ok", ""),
    (subject.the_anchor_is_asked, asked(info=recorded("pf-info-disabled.txt")), P, "fail", "pf is disabled"),
    (subject.the_anchor_is_asked, asked(anchors=ALL), P, "fail", "there is no anchor com.apple/org.hostkit"),
    (subject.the_anchor_is_asked, asked(main=""), P, "fail", "does not ask"),
    (
        subject.the_anchor_is_asked,
        asked(main=HEALTHY.replace('anchor "com.apple/*" all\n', "")),
        P,
        "fail",
        'does not ask "com.apple/*"',
    ),
    (
        subject.the_anchor_is_asked,
        asked(main=HEALTHY.replace('\nanchor "com.apple/*"', '\npass quick all\nanchor "com.apple/*"')),
        P,
        "fail",
        "decides before the anchor: pass quick all",
    ),
    (
        subject.the_anchor_is_asked,
        asked(anchors=WITH.replace("com.apple/200", "com.apple/100.evil\n  com.apple/200")),
        P,
        "fail",
        "com.apple/100.evil is asked before",
    ),
    (subject.the_anchor_is_asked, asked(anchors=ALL + "  com.apple/a b\n"), P, "unknown", "lists an anchor in a form"),
    (subject.the_anchor_is_asked, asked(main="pass all\n" * 10_001), P, "unknown", "more than 10000 lines"),
    (subject.the_anchor_is_asked, asked(root=False), P, "unknown", "without root"),
    (subject.the_anchor_is_asked, asked(info=DENIED), P, "unknown", "Permission denied"),
    (subject.the_anchor_is_asked, asked(info=""), P, "unknown", "nothing that is known"),
    (DECIDES, ruled(), P, "ok", f"{len(RULES.splitlines())} rules, as the policy says"),
    (DECIDES, ruled(""), P, "fail", "holds no rule"),
    (DECIDES, ruled(kept="x"), P, "fail", "/etc/hostkit/pf.anchor is not what the policy asks for now"),
    (DECIDES, ruled("pass in quick on en0 proto tcp from any to any port = 445\n" + RULES), P, "fail", "port 445"),
    (DECIDES, ruled("pass in quick on en5 proto tcp all\n" + RULES), P, "fail", "passes tcp in on en5"),
    (
        DECIDES,
        ruled("pass out quick on lo0 proto tcp from any to any port = 8080 user = 450\n" + RULES),
        P,
        "fail",
        "8080",
    ),
    (
        DECIDES,
        ruled("pass out quick proto tcp from any to 192.168.7.64/28 user = 450\n" + RULES),
        P,
        "fail",
        "192.168.7.64",
    ),
    (DECIDES, ruled("block drop quick all\n"), P, "fail", "blocks tcp out on en0 of uid 501 to 198.51.100.80"),
    (DECIDES, ruled(recorded("pf-sr-anchor-group.txt")), P, "fail", "passes tcp in on en0 to 192.0.2.10 port 22"),
    (DECIDES, ruled("pass quick all flags any keep state\n" + RULES), P, "fail", "passes tcp in on en0"),
    rules_fail(
        "block return out quick proto udp all user = 450",
        "block return out quick proto udp all user = 451",
        "passes udp out on en0 of uid 450 to 198.51.100.80 port 22",
    ),
    rules_fail(
        "port = 60022 user = 450 no state",
        "user = 450 no state",
        "passes tcp out on lo0 of uid 450 to 127.0.0.1 port 22",
    ),
    rules_fail(
        "block drop in quick on ! lo0 all",
        "block drop in quick on ! lo0 inet all",
        "passes tcp in on en0 to 2001:db8:1::10 port 22",
    ),
    rules_fail("block drop in quick on ! lo0", "block drop in quick on en0", "passes tcp in on en1"),
    rules_fail(
        "block return out quick inet proto tcp from any to 169.254.0.0/16 user = 450\n",
        "",
        "passes tcp out on en0 of uid 450 to 169.254.0.0 port 22",
    ),
    (DECIDES, ruled(root=False), P, "unknown", "without root"),
    (DECIDES, mac({OURS: DENIED}), P, "unknown", "Permission denied"),
    (DECIDES, ruled("Regeln: keine\n"), P, "unknown", "form that is not known"),
    (DECIDES, ruled(recorded("pf-sr-anchor-v6.txt")), P, "unknown", "<yb_src6_0> is no network"),
    (DECIDES, ruled(recorded("pf-sr-anchor-nostate.txt")), P, "unknown", "form that is not known"),
    (DECIDES, ruled(uid=erred("dscl-notfound.txt", 56)), P, "unknown", "eDSRecordNotFound"),
    (subject.pf_is_held, mac({HOLDERS: recorded("pf-references-one.txt")}), P, "ok", "held by pfctl"),
    (subject.pf_is_held, mac({HOLDERS: recorded("pf-references-none.txt")}), P, "fail", "nobody holds"),
    (subject.pf_is_held, mac({HOLDERS: recorded("pf-references-pfd.txt")}), P, "fail", "only Apple's pfd"),
    (subject.pf_is_held, mac({HOLDERS: DENIED}), P, "unknown", "Permission denied"),
    (subject.pf_is_held, mac({HOLDERS: ""}), P, "unknown", "nothing that is known"),
    (subject.pf_is_held, mac({HOLDERS: "TOKENS:\nPID  Process Name\n"}), P, "unknown", "nothing that is known"),
    (subject.the_anchor_returns_at_boot, boot(), P, "ok", "is loaded"),
    (subject.the_anchor_returns_at_boot, boot(conf=None), P, "fail", '/etc/pf.conf does not ask "com.apple/*"'),
    (
        subject.the_anchor_returns_at_boot,
        boot(conf='nat-anchor "com.apple/*"\n'),
        P,
        "fail",
        "/etc/pf.conf does not ask",
    ),
    (subject.the_anchor_returns_at_boot, boot(gone(LABEL)), P, "fail", "org.hostkit.pf is not loaded"),
    (subject.the_anchor_returns_at_boot, boot(overrides=OFF), P, "fail", "org.hostkit.pf is disabled"),
    (subject.the_anchor_returns_at_boot, boot(ENDED), P, "fail", "ended with 1"),
    (subject.the_anchor_returns_at_boot, boot(plist=None), P, "fail", "org.hostkit.pf.plist is not there"),
    (subject.the_anchor_returns_at_boot, boot(file=OPEN), P, "fail", "pf.anchor is not root's alone"),
    (subject.the_anchor_returns_at_boot, boot(program=OPEN), P, "fail", "org.hostkit.pf is not root's alone"),
    (subject.the_anchor_returns_at_boot, boot(Said(1, err="Operation not permitted\n")), P, "unknown", "not permitted"),
    (subject.the_anchor_returns_at_boot, boot(overrides=""), P, "unknown", "nothing that is known"),
]
