"""Which fence waits, for whom, and whether a run would put up another."""

import pytest

from hostkit.bootstrap.confirm import PROGRAM, confirm, pending, resolved, stands
from hostkit.bootstrap.guard import Pending
from hostkit.errors import CannotTell, HostkitError
from tests.conftest import FakeHost

MARK, KEPT = "/run/hostkit/fence.pending", "/etc/hostkit/fence.nft"
STANDS, CONFIRMED = {(PROGRAM, "stands"): ""}, {(PROGRAM, "confirm"): ""}


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("192.0.2.1", ("192.0.2.1",)),
        ("2001:DB8::0:1", ("2001:db8::1",)),
        ("::ffff:192.0.2.1", ("192.0.2.1",)),
    ],
)
def test_whoever_confirms_from_afar_is_known_by_address(name, addresses):
    assert resolved(name) == addresses


@pytest.mark.parametrize("name", ["x" * 64 + ".example", "a\0b"])
def test_a_host_that_does_not_resolve_is_refused_before_anything(name):
    with pytest.raises(HostkitError, match=r"--confirm-from .*: .*name a host that resolves here, or its address"):
        resolved(name)


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        ('{"at": 1.5, "over": "ssh"}', Pending(1.5, "ssh")),
        ('{"at": 1.5, "over": "ssh", "from": ""}', Pending(1.5, "ssh")),
        (
            '{"at": 1, "over": "unattended", "from": "192.0.2.1 fd00::1"}',
            Pending(1.0, "unattended", ("192.0.2.1", "fd00::1")),
        ),
    ],
)
def test_the_mark_says_since_when_how_and_for_whom(text, waits):
    assert pending(FakeHost(files={MARK: text})) == waits
    assert pending(FakeHost()) is None


def test_a_mark_that_says_nothing_is_no_mark_to_confirm_by():
    with pytest.raises(CannotTell, match=r"fence.pending is not readable as JSON"):
        pending(FakeHost(files={MARK: "{"}))


def test_who_connects_is_asked_only_where_it_matters():
    plain = FakeHost(CONFIRMED, {MARK: '{"at": 1, "over": "ssh"}'}, session=2.0)
    confirm(plain)  # its peer was not taught
    named = {MARK: '{"at": 1, "over": "ssh", "from": "192.0.2.1"}'}
    confirm(FakeHost(CONFIRMED, named, session=2.0, peer="192.0.2.1"))
    with pytest.raises(HostkitError, match=r"comes from 192.0.2.2, and only 192.0.2.1 may confirm"):
        confirm(FakeHost(CONFIRMED, named, session=2.0, peer="192.0.2.2"))
    with pytest.raises(CannotTell, match=r"this session's other end"):
        confirm(FakeHost(CONFIRMED, named, session=2.0))


@pytest.mark.parametrize(
    ("commands", "files", "stood"),
    [
        (STANDS, {KEPT: "rules"}, True),
        (STANDS, {KEPT: "other rules"}, False),
        (STANDS, {}, False),
        ({}, {KEPT: "rules"}, False),
        (STANDS, {KEPT: "rules", MARK: '{"at": 1, "over": "ssh"}'}, False),
    ],
)
def test_the_same_fence_up_and_confirmed_is_no_new_one(commands, files, stood):
    assert stands(FakeHost(commands, files), "rules") == stood
