"""Every line that reads a Mac is reached by a case, and so by a recording or by words of a manual's."""

import sys
from collections import defaultdict
from contextlib import suppress
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType

from hostkit.errors import CannotTell
from hostkit.posture import readings
from hostkit.posture.model import collect
from tests.machines import fakemac
from tests.posture.checks.recorded import HERE, USED
from tests.posture.checks.test_every_case import CASES

HOSTKIT = Path(readings.__file__).parents[1]
MACS = [entry for entry in collect() if entry.platforms == ("darwin",)]
SUBJECTS = {entry.subject for entry in MACS} - {"timer"}  # that one is half of Linux's
PARSERS = [
    *(HOSTKIT / f"posture/checks/{subject}.py" for subject in sorted(SUBJECTS)),
    *(HOSTKIT / name for name in ("host/apple.py", "posture/mac.py", "posture/vms.py")),
]


def functions(code):
    """Yield the functions of a module's code, those within functions too."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from functions(inner)


def lines(path):
    """Return the lines of a module's functions that do something; those of a module itself run when it is loaded."""
    found = set()
    for code in functions(compile(path.read_text(), str(path), "exec")):
        if not code.co_flags & CO_OPTIMIZED:
            continue  # a class's body
        found |= {number for _, _, number in code.co_lines() if number and number > code.co_firstlineno}
    return found


def reached(steps):
    """Return the lines that the steps executed, by file."""
    found = defaultdict(set)
    wanted = {str(path) for path in PARSERS}

    def local(frame, event, _):
        found[frame.f_code.co_filename].add(frame.f_lineno)
        return local

    def traced(frame, event, argument):
        return local(frame, event, argument) if frame.f_code.co_filename in wanted else None

    before = sys.gettrace()
    for step in steps:
        readings.forget()
        sys.settrace(traced)  # anew for each: Python drops it where one runs out of stack
        try:
            with suppress(CannotTell):
                step()
        finally:
            sys.settrace(before)
    return found


def steps():
    """Yield the judgement of every case, and every change that a check may make."""
    for check, host, policy, *_ in CASES:
        if check in MACS:
            yield lambda check=check, host=host, policy=policy: check.judge(host, policy)
            if check.mend:
                yield lambda check=check, host=host, policy=policy: check.mend(host, policy)


def test_every_recording_is_read_by_a_case_or_printed_by_the_fake():
    # They ask for recordings when they are loaded.
    from tests.bootstrap.mac import test_known  # noqa: F401
    from tests.posture import test_mac  # noqa: F401

    fake = "".join(path.read_text() for path in Path(fakemac.__path__[0]).glob("*.py"))
    names = {path.name for path in HERE.iterdir()} - {"README.md"}
    assert {name for name in names - USED if f'"{name}"' not in fake} == set()


def test_every_line_that_reads_a_mac_is_reached_by_a_case():
    found = reached(steps())
    missing = {path.name: sorted(lines(path) - found[str(path)]) for path in PARSERS}
    assert {name: numbers for name, numbers in missing.items() if numbers} == {}
