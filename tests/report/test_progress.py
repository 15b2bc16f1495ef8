import io
import sys

from hostkit.posture.trials import Progress
from hostkit.report import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_where_nobody_looks_on_nothing_is_said(monkeypatch):
    monkeypatch.setattr(sys, "stderr", said := io.StringIO())
    with progress.shown() as told:
        assert told is None
    assert said.getvalue() == ""


def test_a_terminal_has_one_line_that_is_gone_at_the_end(monkeypatch):
    monkeypatch.setattr(sys, "stderr", said := Terminal())
    with progress.shown() as told:
        told(Progress(3, 9, ("secrets-files",)))
    assert said.getvalue() == "\r\x1b[K3 of 9 checks; goes on: secrets-files\r\x1b[K"


def test_no_line_is_as_wide_as_the_terminal():
    assert len(progress.line(Progress(1, 99, ("a-long-name",) * 50), 40)) == 39
