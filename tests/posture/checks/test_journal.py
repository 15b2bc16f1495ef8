from hostkit.posture.checks import journal as subject
from tests.conftest import FakeHost, make_policy

P = make_policy()
ASKED = ("systemd-analyze", "cat-config", "systemd/journald.conf")
GOOD = "# a file\n[Journal]\nStorage=auto\nStorage=persistent\nSystemMaxUse=1G\nMaxRetentionSec=90day\n"
THERE = {"/var/log/journal": ""}


def journal(said, files=THERE):
    return FakeHost({ASKED: said}, files=files)


CASES = [
    (subject.journal_is_kept_within_bounds, journal(GOOD), P, "ok", "SystemMaxUse 1G, MaxRetentionSec 90day"),
    (subject.journal_is_kept_within_bounds, journal(GOOD, {}), P, "fail", "/var/log/journal is not there"),
    (subject.journal_is_kept_within_bounds, journal(GOOD + "Storage=volatile\n"), P, "fail", "Storage is volatile"),
    (subject.journal_is_kept_within_bounds, journal("#SystemMaxUse=1G\n"), P, "fail", "SystemMaxUse is not set"),
    (subject.journal_is_kept_within_bounds, FakeHost(), P, "unknown", "not taught"),
]
