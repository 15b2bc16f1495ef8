"""A Mac's checks: no question on Linux, and on a Mac never green from what is no answer."""

import time

import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Process, Said
from hostkit.posture import mac as tools
from hostkit.posture import readings
from hostkit.posture.model import Status, collect
from hostkit.posture.trials import judged
from tests.conftest import FakeHost, make_policy
from tests.posture.checks.recorded import DISABLED, NETSTAT, mac, recorded, wired
from tests.posture.checks.test_every_case import CASES

MACS = [entry for entry in collect() if entry.platforms == ("darwin",)]
POLICY = make_policy()
SOLO = make_policy({"profile": "solo", "management": ["en0"]})


class Babel(FakeHost):
    """A Mac all of whose tools say the same, and that has none of the files that are asked for."""

    def __init__(self, said, *, root=True, **more):
        super().__init__(platform="darwin", root=root, processes=(), listeners=(), **more)
        self._said = said

    def ask(self, *command, timeout=5.0, stdin=""):
        if isinstance(self._said, str):
            raise CannotTell(self._said.format(command[0]))
        return self._said


class Missing(FakeHost):
    """The Mac of a case, but one of its commands is not there."""

    def __init__(self, host, lost):
        super().__init__(
            host.commands, host.files, host.facts, platform=host.platform, root=host.is_root, **host.readings
        )
        self._lost, self.asked = lost, []

    def ask(self, *command, timeout=5.0, stdin=""):
        self.asked.append(command)
        if command == self._lost:
            raise CannotTell(f"{command[0]} is not installed")
        return super().ask(*command)


NO_ANSWERS = {
    "nothing": Said(0),
    "a newline": Said(0, "\n"),
    "nothing, and failed": Said(1),
    "needs root": Said(1, err=recorded("systemsetup-noroot.txt")),
    "denied": Said(1, err=recorded("pf-noroot.stderr")),
    "refused on a managed Mac": Said(0, recorded("alf-managed-refusal.txt")),
    "another language": Said(0, "Firewall ist aktiviert.\nFileVault ist aktiviert.\nBewertungen aktiviert\n"),
    "another release": Said(0, "Firewall: on\nFileVault: on\nassessments: yes\nsealed: true\n"),
    "what it says of another key": Said(1, err=recorded("defaults-absent.stderr")),
    "no such record": Said(56, err=recorded("dscl-notfound.txt")),
    "a long line": Said(0, "x" * 2_000_000),
    "many lines": Said(0, "enabled on (yes)\n" * 200_000),
    "what no terminal should get": Said(0, "\x1b[2J\x1b]0;x\x07\ufffd\u202eon\r\n"),
    "another tool's recording": Said(0, recorded("pmset-custom-mini.txt").replace("AC Power", "Power")),
    "needs root, in another tool's words": Said(1, recorded("bputil-noroot.txt")),
    "needs Full Disk Access": Said(1, err=recorded("eslogger-nofda.stderr")),
    "a table of sockets": Said(0, recorded("lsof-listen.txt")),
    "a table of connections": Said(0, recorded("pf-states.txt")),
    "a tool that is missing": "{} is not installed",
    "a tool that hangs": "{} gave no answer in 5 s",
}


def test_there_are_checks_of_a_mac():
    assert len(MACS) >= 40


@pytest.mark.parametrize("check", MACS, ids=lambda check: check.id)
def test_it_is_documented_to_be_no_question_on_an_unhardened_linux(check):
    assert Status.SKIP in check.unhardened


@pytest.mark.parametrize("policy", [POLICY, SOLO], ids=["strict", "solo"])
@pytest.mark.parametrize("root", [True, False], ids=["root", "not root"])
@pytest.mark.parametrize("said", NO_ANSWERS)
def test_what_is_no_answer_is_never_green(said, root, policy):
    green = []
    started = time.monotonic()
    for check in MACS:
        readings.forget()
        found = judged(check, Babel(NO_ANSWERS[said], root=root), policy)
        if found.status is not Status.UNKNOWN and not _is_a_finding(found):
            green.append((check.id, found))
        assert "the check itself broke" not in found.detail, (check.id, found)
        assert found.detail.isprintable()
        assert len(found.detail) < 400
    assert green == []
    assert time.monotonic() - started < 20


def _is_a_finding(found):
    return found.status is Status.FAIL and found.detail


GREEN = [case for case in CASES if case[0] in MACS and case[3] == "ok"]


@pytest.mark.parametrize("case", GREEN, ids=lambda case: f"{case[0].id}-{case[4]}")
def test_without_any_one_of_the_tools_it_asks_it_is_not_green(case):
    check, host, policy, *_ = case
    whole = Missing(host, None)
    readings.forget()
    assert judged(check, whole, policy).status is Status.OK
    assert whole.asked
    for command in set(whole.asked):
        readings.forget()
        assert judged(check, Missing(host, command), policy).status is Status.UNKNOWN, command


@pytest.mark.parametrize("case", GREEN, ids=lambda case: f"{case[0].id}-{case[4]}")
def test_every_tool_is_called_by_its_whole_path(case):
    check, host, policy, *_ = case
    whole = Missing(host, None)
    readings.forget()
    judged(check, whole, policy)
    assert [command[0] for command in whole.asked if not command[0].startswith(("/usr/", "/bin/", "/sbin/"))] == []
    assert not any(command[0].startswith("/usr/local") for command in whole.asked)


def test_a_tool_is_heard_on_either_stream_and_not_when_it_says_two_things():
    form = r"^state (on|off)$"
    assert tools.heard(mac({("/t",): Said(9, err="state on\n")}), "/t", form=form) == "on"
    assert tools.heard(mac({("/t",): Said(0, "state on\nstate on\n")}), "/t", form=form) == "on"
    for said in ("state on\nstate off\n", "the state on\n", "state on" + "\n" * 2_000_000):
        with pytest.raises(CannotTell, match="t said nothing that is known"):
            tools.heard(mac({("/t",): said}), "/t", form=form)


def test_what_a_tool_said_is_told_short_and_harmless():
    assert tools.brief("\x1b[31ma\nb\u202ec\x00" + "x" * 10**6) == "[31ma b c " + "x" * 70
    assert tools.brief(" \n") == "nothing"


def test_a_preference_of_a_file_that_may_not_be_read_is_not_one_that_is_not_set():
    read = {
        ("/usr/bin/defaults", "read", "/x", "Key"): Said(1, err="The domain/default pair of (/x, Key) does not exist\n")
    }
    closed, open_ = ({"/x.plist": FileFacts(mode, 0, 0, "file")} for mode in (0o600, 0o644))
    assert tools.setting(mac(read), "/x", "Key") is None
    assert tools.setting(mac(read, facts=closed), "/x", "Key") is None
    assert tools.setting(mac(read, facts=open_, root=False), "/x", "Key") is None
    with pytest.raises(CannotTell, match="without root"):
        tools.setting(mac(read, facts=closed, root=False), "/x", "Key")


@pytest.mark.parametrize(("code", "out"), [(0, ""), (2, ""), (1, "1\n")])
def test_a_preference_is_not_set_only_where_defaults_fails_and_says_nothing_else(code, out):
    said = Said(code, out, "The domain/default pair of (x, Key) does not exist\n")
    read = {("/usr/bin/defaults", "read", "x", "Key"): said}
    with pytest.raises(CannotTell, match="nothing that is known of x Key"):
        tools.setting(mac(read), "x", "Key")


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_service_is_gone_only_by_launchctls_own_code(code):
    said = Said(code, recorded("launchctl-print-sshd-off.txt"))
    with pytest.raises(CannotTell, match=r"nothing that is known of com\.openssh\.sshd"):
        tools.job(mac({("/bin/launchctl", "print", "system/com.openssh.sshd"): said}), "com.openssh.sshd")


def test_one_service_whose_state_is_not_known_hides_all():
    said = recorded("launchctl-print-disabled-hardened.txt").replace('AEServer" => disabled', 'AEServer" => maybe')
    with pytest.raises(CannotTell, match="launchctl said nothing that is known"):
        tools.overrides(mac({DISABLED: said}))


@pytest.mark.parametrize("name", ["-u", "ann;id", "a b", ""])
def test_a_name_that_could_be_an_option_is_no_answer(name):
    listed = f"{name:<24}501\nbo                      503\n"
    with pytest.raises(CannotTell, match="lists an account in a form that is not known"):
        tools.persons(mac({("/usr/bin/dscl", ".", "-list", "/Users", "UniqueID"): listed}))


def test_twenty_thousand_sockets_are_read_in_no_time():
    started = time.monotonic()
    assert len(tools.open_ports(mac({NETSTAT: wired(*range(30000, 50000))}))) >= 20000
    assert time.monotonic() - started < 1.0


def test_a_process_that_only_looks_like_a_vm_is_none():
    from hostkit.posture import vms
    from tests.posture.checks.recorded import ACCOUNTS

    host = mac(ACCOUNTS, processes=(Process(1, 0, "not-limactl", ("x",), 0),))
    assert vms.machines(host) == ()
