from hostkit.host import FileFacts, Said
from hostkit.posture.checks import filevault as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import absent, mac, recorded

P, RETURN = make_policy(), make_policy({"power_cut": "return"})
ASKED = {"/etc/hostkit/power-cut": "wait\n"}
STATUS = ("/usr/bin/fdesetup", "status")
KEY = ("/usr/bin/defaults", "read", subject._WINDOW, "DisableFDEAutoLogin")
ON, OFF = recorded("fdesetup-on.txt"), recorded("fdesetup-off.txt")
ENCRYPTING = "FileVault is On.\nEncryption in progress: Percent completed = 42\n"
UNSET = absent(subject._WINDOW, "DisableFDEAutoLogin")


def login(status=ON, key="1\n", **more):
    return mac({STATUS: status, KEY: key}, **more)


HIDDEN = {f"{subject._WINDOW}.plist": FileFacts(0o600, 0, 0, "file")}
CASES = [
    (subject.the_disk_is_encrypted, mac({STATUS: ON}), P, "ok", "on"),
    (subject.the_disk_is_encrypted, mac({STATUS: OFF}), P, "fail", "FileVault is Off."),
    (subject.the_disk_is_encrypted, mac({STATUS: recorded("fdesetup-deferred.txt")}), P, "fail", "Deferred enablement"),
    (subject.the_disk_is_encrypted, mac({STATUS: ENCRYPTING}), P, "fail", "Percent completed = 42"),
    (subject.the_disk_is_encrypted, mac({STATUS: OFF}), RETURN, "fail", "Off. as was chosen for a power cut"),
    (subject.the_disk_is_encrypted, mac({STATUS: OFF}, ASKED), P, "fail", "though `wait` was chosen for a power cut"),
    (subject.the_disk_is_encrypted, mac({STATUS: ON}), RETURN, "ok", "after a power cut it waits"),
    (subject.the_disk_is_encrypted, mac({STATUS: ""}), P, "unknown", "fdesetup said nothing that is known: nothing"),
    (
        subject.the_disk_is_encrypted,
        mac({STATUS: "FileVault ist aktiviert.\n"}),
        P,
        "unknown",
        "FileVault ist aktiviert.",
    ),
    (subject.the_disk_is_encrypted, mac({STATUS: Said(1, ON, "Error\n")}), P, "unknown", "failed: Error"),
    (subject.unlocking_logs_nobody_in, login(), P, "ok", "opens the disk only"),
    (subject.unlocking_logs_nobody_in, login(key="0\n"), P, "fail", "who unlocks the disk is logged in"),
    (subject.unlocking_logs_nobody_in, login(key=UNSET), P, "fail", "who unlocks the disk is logged in"),
    (subject.unlocking_logs_nobody_in, login(OFF), P, "fail", "a start asks for nothing: FileVault is Off."),
    (subject.unlocking_logs_nobody_in, login(files={"/etc/kcpassword": ""}), P, "fail", "holds a login password"),
    (subject.unlocking_logs_nobody_in, login(key=UNSET, facts=HIDDEN, root=False), P, "unknown", "without root"),
    (subject.unlocking_logs_nobody_in, login(key="ja\n"), P, "unknown", "neither 0 nor 1: ja"),
]
