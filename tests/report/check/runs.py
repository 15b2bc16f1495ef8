"""Runs to say in every form, and what hostile hosts say."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from hostkit.errors import Exit
from hostkit.posture.history import Run
from hostkit.posture.identity import Identity
from hostkit.posture.model import Check, Status, Verdict
from hostkit.posture.run import Report, Result
from hostkit.report.check.told import Told, tell
from tests.conftest import FakeHost, make_policy

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)
MACHINE = "a" * 32
HOST = FakeHost(
    files={"/proc/sys/kernel/hostname": "mini-1\n", "/etc/machine-id": "0123456789abcdef0123456789abcdef\n"}
)
NASTY = (
    "x\nok       high     b-two  All is well",
    "\r\n\x1b[32mgreen\x1b[0m\x07\x9b31m",
    "nul\x00nul",
    "a\u2028b\u2029c\u0085d\x0b\x0c",
    "\u202egpj.exe\u2066\u200b\ufeff",
    "half a pair: \ud800 \udfff",
    b"\xff\xfe broken".decode("utf-8", errors="replace"),
    "]]></failure><testcase name='forged'/>",
    "</script></style><script>alert(1)</script><!--",
    "\ufffe\uffff\x01\x08\x1f\x7f",
    '"} 0\nhostkit_check_status{id="forged",severity="low"} 0 \\',
    '"},{"id":"forged","status":"ok"',
    "{{ told }} {% raw %} &amp; &#10; <b>",
    "\U0001f600 \U000e0001 \U0010ffff",
    "y" * 1_000_000,
    "\x00" * 1_000_000,
)
"""What a process, a mount point, a label or a file may be called."""
words = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=()), max_size=60))


def result(name="a-one", status="ok", detail="", *, title="A thing is so.", severity="high", waived="", **more):
    """Return a result whose every word may be hostile."""
    told = {"why": "Because.", "fix": "Do this.", **more}
    made = Check(name, title, severity, told.pop("why"), told.pop("fix"), ("linux",), (), lambda *_: None, **told)
    return Result(made, Verdict(Status(status), detail), waived, 0.0125)


def run(*results, host=HOST, waive=None, whole=True, past=()) -> Told:
    """Return these results, told."""
    return tell(Report(results), host, make_policy({"waive": waive or {}}), NOW, whole=whole, past=past)


EVERY = (
    result("a-one", "ok", "fine"),
    result("a-two", "fail", "it is open", severity="critical", play="20-mounts", references=("CIS Docker 5.4",)),
    result("b-one", "unknown", "no root", severity="low"),
    result("b-two", "skip", "not a question on linux", severity="medium"),
    result("c-one", "fail", "open too", severity="medium", waived="the office, until 2027-01-01"),
)
WAIVE = {"c-one": {"why": "the office needs it", "owner": "ann", "until": "2027-01-01"}}


@st.composite
def hostile(draw):
    """Return a run in which all that is not fixed by hostkit's own code is hostile."""
    results = []
    for number in range(draw(st.integers(1, 4))):
        status = draw(st.sampled_from(("ok", "fail", "unknown", "skip")))
        waived = draw(words) if status == "fail" and draw(st.booleans()) else ""
        named = {"title": draw(words), "why": draw(words), "fix": draw(words), "references": (draw(words),)}
        severity = draw(st.sampled_from(("critical", "high", "medium", "low")))
        results.append(result(f"s-{number}", status, draw(words), severity=severity, waived=waived, **named))
    host = FakeHost(files={"/proc/sys/kernel/hostname": draw(words), "/etc/machine-id": draw(words)})
    return run(*results, host=host)


def earlier(day, *, whole=True, **answers):
    """Return a run of an earlier day."""
    counts = {word: list(answers.values()).count(word) for word in set(answers.values())}
    named = {name.replace("_", "-"): word for name, word in answers.items()}
    return Run(datetime(2026, 11, day, tzinfo=UTC), "0.1.0", whole, counts, named)


def bare(**more) -> Told:
    """Return a run without any check."""
    plain = {"host": Identity("mini-1", MACHINE, "linux"), "at": NOW, "policy": "hostkit.yml", "exit": Exit.CANNOT_TELL}
    return Told(**{**plain, "whole": True, "root": True, "lines": (), "waivers": (), **more})


DAY = date(2027, 1, 1)
