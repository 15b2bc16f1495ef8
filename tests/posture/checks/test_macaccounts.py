from hostkit.host import FileFacts, Said
from hostkit.posture.checks import macaccounts as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import ACCOUNTS, AS_ANN, AS_BO, PEOPLE, absent, erred, mac, recorded

P = make_policy()
WINDOW = subject._WINDOW
GUEST = ("/usr/bin/defaults", "read", WINDOW, "GuestEnabled")
AUTO, NAME = ("/usr/sbin/sysadminctl", "-autologin", "status"), ("/usr/bin/defaults", "read", WINDOW, "autoLoginUser")
LOCK = ("/usr/sbin/sysadminctl", "-screenLock", "status")
ROOT = ("/usr/bin/dscl", ".", "-read", "/Users/root", "AuthenticationAuthority")
RECORD = ("/usr/bin/dscl", ".", "-read", "/Users/hostkit-agent", "UniqueID", "UserShell")
ADMINS = ("/usr/bin/dscl", ".", "-read", "/Groups/admin", "GroupMembership")
MEMBER = ("/usr/bin/dsmemberutil", "checkmembership", "-U", "hostkit-agent", "-G", "admin")
CLOUD = ("/usr/bin/defaults", "read", "MobileMeAccounts", "Accounts")
AUTO_OFF, AUTO_ON = (erred(f"sysadminctl-autologin-{word}.stderr", 0) for word in ("off", "on"))
NOBODY = absent(WINDOW, "autoLoginUser")
NOROOT = erred("systemsetup-noroot.txt")
HIDDEN = {f"{WINDOW}.plist": FileFacts(0o600, 0, 0, "file")}


def login(said=AUTO_OFF, name=NOBODY, **more):
    return mac({AUTO: said, NAME: name}, **more)


def each(words, ann, bo, **more):
    return mac({**ACCOUNTS, (*AS_ANN, *words): ann, (*AS_BO, *words): bo}, **more)


AT_ONCE, LATER = (erred(f"sysadminctl-screenlock-{word}.stderr", 0) for word in ("immediate", "300"))


def lock(word):
    return Said(0, err=f"2026-09-26 10:00:00.000 sysadminctl[1:2] screenLock {word}\n")


SOUND = "UniqueID: 450\nUserShell: /usr/bin/false\n"


def agent(record=SOUND, admins=recorded("dscl-admin-group.txt"), member="user is not a member of the group\n"):  # noqa: B008
    return mac({RECORD: record, ADMINS: admins, MEMBER: member})


SIGNED_IN = '(\n        {\n        AccountID = "x@example.com";\n        LoggedIn = 1;\n    }\n)\n'
NEVER = absent("MobileMeAccounts", "Accounts")
LONG = "".join(f"user{n:<20}{n}\n" for n in range(50_000))
CASES = [
    (subject.screens_lock_at_once, mac({PEOPLE: LONG}), P, "unknown", "more accounts than can be read"),
    (
        subject.screens_lock_at_once,
        mac({PEOPLE: "ann 501\nbo five\n"}),
        P,
        "unknown",
        "in a form that is not known: bo five",
    ),
    (subject.no_guests, mac({GUEST: "0\n"}), P, "ok", "not allowed"),
    (subject.no_guests, mac({GUEST: absent(WINDOW, "GuestEnabled")}), P, "ok", "never allowed"),
    (subject.no_guests, mac({GUEST: "1\n"}), P, "fail", "guests may log in"),
    (subject.no_guests, mac({GUEST: recorded("dscl-notfound.txt")}), P, "unknown", "neither 0 nor 1"),
    (subject.no_guests, mac({GUEST: erred("defaults-absent.stderr")}), P, "unknown", "nothing that is known"),
    (
        subject.no_guests,
        mac({GUEST: absent(WINDOW, "GuestEnabled")}, facts=HIDDEN, root=False),
        P,
        "unknown",
        "without root",
    ),
    (subject.nobody_is_logged_in_by_a_start, login(), P, "ok", "off"),
    (
        subject.nobody_is_logged_in_by_a_start,
        login(Said(0, err="sysadminctl[1:2] Automatic login disabled because FileVault is enabled.\n")),
        P,
        "ok",
        "off",
    ),
    (subject.nobody_is_logged_in_by_a_start, login(AUTO_ON), P, "fail", "an account is logged in at start"),
    (
        subject.nobody_is_logged_in_by_a_start,
        login(Said(0, err="Automatic login user: disabled\n")),
        P,
        "fail",
        "an account is logged in at start",
    ),
    (subject.nobody_is_logged_in_by_a_start, login(name="johndoe\n"), P, "fail", "autoLoginUser is johndoe"),
    (subject.nobody_is_logged_in_by_a_start, login(files={"/etc/kcpassword": ""}), P, "fail", "/etc/kcpassword"),
    (subject.nobody_is_logged_in_by_a_start, login(NOROOT), P, "unknown", "administrator access"),
    (subject.nobody_is_logged_in_by_a_start, login(""), P, "unknown", "nothing that is known"),
    (subject.screens_lock_at_once, each(LOCK, AT_ONCE, lock("delay is 5 seconds")), P, "ok", "2 persons"),
    (subject.screens_lock_at_once, each(LOCK, AT_ONCE, LATER), P, "fail", "bo: the screen lock's delay is 300 seconds"),
    (subject.screens_lock_at_once, each(LOCK, lock("is off"), AT_ONCE), P, "fail", "ann: the screen does not lock"),
    (
        subject.screens_lock_at_once,
        each(LOCK, AT_ONCE, lock("delay is -1.000000 seconds")),
        P,
        "fail",
        "delay is -1.000000 seconds",
    ),
    (subject.screens_lock_at_once, each(LOCK, AT_ONCE, Said(1)), P, "unknown", "nothing that is known"),
    (subject.screens_lock_at_once, each(LOCK, AT_ONCE, AT_ONCE, root=False), P, "unknown", "without root"),
    (
        subject.root_cannot_log_in,
        mac({ROOT: Said(0, err="No such key: AuthenticationAuthority\n")}),
        P,
        "ok",
        "root has no",
    ),
    (
        subject.root_cannot_log_in,
        mac({ROOT: "AuthenticationAuthority: ;ShadowHash;HASHLIST:<X>\n"}),
        P,
        "fail",
        "a way",
    ),
    (subject.root_cannot_log_in, mac({ROOT: erred("dscl-notfound.txt", 56)}), P, "unknown", "eDSRecordNotFound"),
    (subject.root_cannot_log_in, mac(root=False), P, "unknown", "without root"),
    (subject.agents_account_is_nobodys, agent(), P, "ok", "uid 450, /usr/bin/false"),
    (subject.agents_account_is_nobodys, agent(erred("dscl-notfound.txt", 56)), P, "fail", "no account hostkit-agent"),
    (
        subject.agents_account_is_nobodys,
        agent(admins="GroupMembership: root hostkit-agent\n"),
        P,
        "fail",
        "is an administrator",
    ),
    (subject.agents_account_is_nobodys, agent(member="user is a member of the group\n"), P, "fail", "administrator"),
    (subject.agents_account_is_nobodys, agent(SOUND.replace("450", "0")), P, "fail", "its uid is root's"),
    (subject.agents_account_is_nobodys, agent(SOUND.replace("usr/bin/false", "bin/zsh")), P, "fail", "/bin/zsh"),
    (subject.agents_account_is_nobodys, agent(admins=""), P, "unknown", "nothing that is known"),
    (subject.agents_account_is_nobodys, agent(""), P, "unknown", "nothing that is known"),
    (subject.agents_account_is_nobodys, agent(member=NOROOT), P, "unknown", "administrator access"),
    (subject.nobody_is_signed_in_to_apple, each(CLOUD, NEVER, "(\n)\n"), P, "ok", "2 persons, none"),
    (subject.nobody_is_signed_in_to_apple, each(CLOUD, NEVER, SIGNED_IN), P, "fail", "bo is signed in"),
    (subject.nobody_is_signed_in_to_apple, each(CLOUD, NEVER, "{\n}\n"), P, "unknown", "accounts of bo"),
    (subject.nobody_is_signed_in_to_apple, each(CLOUD, NEVER, NEVER, root=False), P, "unknown", "without root"),
]


def test_whose_apple_account_it_is_is_not_told():
    assert "example.com" not in subject.nobody_is_signed_in_to_apple(each(CLOUD, NEVER, SIGNED_IN), P).detail
