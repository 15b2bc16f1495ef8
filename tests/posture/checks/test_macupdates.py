from datetime import UTC, datetime, timedelta

from hostkit.posture.checks import macupdates as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import absent, erred, mac, recorded

P = make_policy()
SCHEDULE = ("/usr/sbin/softwareupdate", "--schedule")
ON = recorded("softwareupdate-schedule-on.txt")
KEYS = ("AutomaticCheckEnabled", "AutomaticDownload", "ConfigDataInstall", "CriticalUpdateInstall")


def read(key):
    return ("/usr/bin/defaults", "read", subject._DOMAIN, key)


def updates(schedule=ON, **told):
    answers = {read(key): told.get(key, "1\n") for key in KEYS}
    return mac({SCHEDULE: schedule, **answers})


def unset(key):
    return absent(subject._DOMAIN, key)


def last(**ago):
    return mac({read("LastFullSuccessfulDate"): f"{datetime.now(UTC) - timedelta(**ago):%Y-%m-%d %H:%M:%S %z}\n"})


CASES = [
    (subject.updates_are_taken, updates(), P, "ok", "looked for"),
    (subject.updates_are_taken, updates(AutomaticCheckEnabled=unset("AutomaticCheckEnabled")), P, "ok", "looked for"),
    (subject.updates_are_taken, updates(ON.replace("on\n", "off\n")), P, "fail", "does not look for updates"),
    (subject.updates_are_taken, updates(ConfigDataInstall="0\n"), P, "fail", "ConfigDataInstall is off"),
    (
        subject.updates_are_taken,
        updates(CriticalUpdateInstall=unset("CriticalUpdateInstall")),
        P,
        "unknown",
        "CriticalUpdateInstall was never set",
    ),
    (subject.updates_are_taken, updates(erred("systemsetup-noroot.txt")), P, "unknown", "administrator access"),
    (subject.updates_are_taken, updates(AutomaticDownload=""), P, "unknown", "nothing that is known"),
    (subject.updates_were_looked_for, last(days=6), P, "ok", "last on"),
    (subject.updates_were_looked_for, last(days=8), P, "fail", "8 days ago"),
    (subject.updates_were_looked_for, last(days=-3), P, "fail", "lies in the future"),
    (
        subject.updates_were_looked_for,
        mac({read("LastFullSuccessfulDate"): unset("LastFullSuccessfulDate")}),
        P,
        "fail",
        "never with success",
    ),
    (
        subject.updates_were_looked_for,
        mac({read("LastFullSuccessfulDate"): "gestern\n"}),
        P,
        "unknown",
        "form that is not known: gestern",
    ),
]
