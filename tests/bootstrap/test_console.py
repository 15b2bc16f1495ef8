"""At the console the fence is kept by its word, and only while the gateway and DNS answer."""

import json
import re
import sys

import pytest

from hostkit.bootstrap import console
from hostkit.bootstrap.confirm import PROGRAM
from hostkit.bootstrap.console import _ASK, dead, keep_by_word, word
from hostkit.host import Said
from hostkit.policy import GATEWAY_ACCOUNT
from tests.conftest import FakeHost, make_policy

POLICY = make_policy()
ASK = ("runuser", "-u", GATEWAY_ACCOUNT, "--", "/usr/bin/python3", "-I", "-c", _ASK, "198.51.100.53")
LINK = ("ip", "-j", "link", "show", "dev", "eth0")
NEIGH = ("ip", "-j", "neigh", "show", "192.168.7.1", "dev", "eth0")
PENDING = "/run/hostkit/fence.pending"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(console, "_PATIENCE", 0.1)


def machine(answer="0\n", state="REACHABLE", flags=("BROADCAST", "UP"), routes=(("192.168.7.1", "eth0"),)):
    commands = {
        ASK: answer,
        LINK: json.dumps([{"flags": list(flags)}]),
        NEIGH: json.dumps([{"state": [state]}] if state else []),
        (PROGRAM, "confirm"): "",
    }
    passwd = f"{GATEWAY_ACCOUNT}:x:998:998::/nonexistent:/usr/sbin/nologin\n"
    return FakeHost(commands, {"/etc/passwd": passwd, PENDING: '{"at": 1, "over": "console"}'}, routes=routes)


@pytest.mark.parametrize("answer", ["0\n", "3\n"])
def test_a_network_that_answers_is_alive(answer):
    assert dead(machine(answer), POLICY) == ()


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"answer": None}, "resolver 198.51.100.53 does not answer"),
        ({"answer": "5\n"}, "resolver 198.51.100.53 answers with error 5"),
        ({"answer": "stray\n"}, "resolver 198.51.100.53 answers with error stray"),
        ({"state": "FAILED"}, "gateway 192.168.7.1 does not answer on eth0"),
        ({"state": "STALE"}, "gateway 192.168.7.1 does not answer on eth0"),
        ({"state": None}, "gateway 192.168.7.1 does not answer on eth0"),
    ],
)
def test_what_does_not_answer_is_named(told, says):
    assert dead(machine(**told), POLICY) == (says,)


MAC_ASK = (sys.executable, "-I", "-c", _ASK, "198.51.100.53")
ARP = "? (192.168.7.1) at 0:1b:17:0:1:30 on en0 ifscope [ethernet]\n"


def mini(answer="0\n", arp=ARP, routes=(("192.168.7.1", "en0"), ("fe80::1", "en0"))):
    ping = ("/sbin/ping", "-c", "1", "-t", "2", "192.168.7.1")
    commands = {MAC_ASK: answer, ping: Said(2), ("/usr/sbin/arp", "-n", "192.168.7.1"): arp}
    return FakeHost(commands, platform="darwin", routes=routes)


def test_a_macs_network_answers_by_its_own_tools():
    assert dead(mini(), POLICY) == ()
    assert dead(mini(answer="5\n"), POLICY) == ("resolver 198.51.100.53 answers with error 5",)
    assert dead(mini(answer=None), POLICY) == ("resolver 198.51.100.53 does not answer",)
    silent = "? (192.168.7.1) at (incomplete) on en0 ifscope [ethernet]\n"
    assert dead(mini(arp=silent), POLICY) == ("gateway 192.168.7.1 does not answer on en0",)


def test_one_resolver_of_two_will_do_and_a_tunnels_end_has_no_neighbour_entry():
    policy = make_policy({"resolvers": ["203.0.113.53", "198.51.100.53"]})
    assert dead(machine(flags=("POINTOPOINT", "NOARP", "UP"), state=None), policy) == ()
    assert dead(machine(routes=(), state=None), policy) == ()


class Terminal:
    """A terminal at which these lines are typed; when they are all read the fence rolls back."""

    def __init__(self, host, *lines):
        self.host, self.lines = host, list(lines)

    def __call__(self, _):
        if self.lines:
            return self.lines.pop(0)
        self.host.files.pop(PENDING, None)
        return None


def kept(host, *lines):
    said = []
    return keep_by_word(host, POLICY, "bodefigo", Terminal(host, *lines), said.append), said


@pytest.mark.parametrize("line", ["bodefigo\n", " BodeFigo \n"])
def test_the_word_keeps_it(line):
    assert kept(machine(), None, line) == (True, [])


def test_another_word_does_not_and_may_be_put_right():
    found, said = kept(machine(), "\n", "bodefig\n", "bodefigo\n")
    assert found
    assert said == ["not kept yet: that is not the word; type bodefigo to try again"] * 2


def test_while_nothing_answers_the_right_word_does_not_keep_it_either():
    found, said = kept(machine(answer=None), "bodefigo\n")
    assert not found
    assert said == ["not kept yet: resolver 198.51.100.53 does not answer; type bodefigo to try again"]


def test_a_word_is_eight_plain_letters_and_another_each_time():
    words = {word() for _ in range(20)}
    assert len(words) > 15
    assert all(re.fullmatch("([bdfgkprst][eiou]){4}", one) for one in words)
