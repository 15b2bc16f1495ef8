"""--undo is refused while a sandbox stands on what it would take away."""

import pytest

from hostkit import engine
from hostkit.errors import HostkitError
from hostkit.report.undo import refuse_sandboxes, run_undo, sandboxes
from tests.conftest import FakeHost

UNIT = "/etc/systemd/system/multi-user.target.wants/hostkit-client@acme.service"


def test_running_sandboxes_and_those_that_come_back_at_boot_are_named(monkeypatch):
    monkeypatch.setattr(engine, "exists", lambda: True)
    monkeypatch.setattr(engine, "containers", lambda: [{"Name": "/other", "Config": {}}])
    assert sandboxes(FakeHost()) == ()
    assert sandboxes(FakeHost(files={UNIT: ""})) == ("acme",)
    monkeypatch.setattr(engine, "owner", lambda document: document["Name"])
    monkeypatch.setattr(engine, "containers", lambda: [{"Name": "beta"}])
    assert sandboxes(FakeHost(files={UNIT: ""})) == ("acme", "beta")


def test_with_a_sandbox_it_is_refused_with_what_to_stop_first():
    refuse_sandboxes(())
    with pytest.raises(HostkitError, match="behind the fence: acme, beta; stop them first: hostkit stop acme"):
        refuse_sandboxes(("acme", "beta"))


def test_without_root_it_says_so():
    with pytest.raises(HostkitError, match="sudo hostkit bootstrap --undo"):
        run_undo(FakeHost(root=False), dry=True)
