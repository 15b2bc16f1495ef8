import pytest

from hostkit.bootstrap.confirm import pending, stands
from hostkit.bootstrap.look import look
from hostkit.bootstrap.mac.grammar import parse
from hostkit.bootstrap.mac.jobs import PROGRAM
from hostkit.bootstrap.mac.pf import ANCHOR, anchor
from hostkit.bootstrap.mac.samples import differing
from hostkit.bootstrap.mac.site import MacSite, lost
from hostkit.bootstrap.record import ABSENT, Record, Thing
from hostkit.bootstrap.site import site
from hostkit.bootstrap.undo import plan
from hostkit.errors import CannotTell
from hostkit.host import Connection, Said
from tests.bootstrap.mac.test_stand import standing
from tests.conftest import FakeHost, make_policy
from tests.posture.checks.recorded import gone, held, mac

P = make_policy({"management": ["en0"]})
RULES = parse(anchor(P, 450))
NAMES = {"192.0.2.10": "en0", "198.51.100.9": "en1"}
TALKS = [
    (Connection("tcp", "192.0.2.10", 22, "203.0.113.9", 50000, 0, inward=True), False),
    (Connection("tcp", "198.51.100.9", 22, "203.0.113.9", 50000, 0, inward=True), True),
    (Connection("tcp", "192.0.2.10", 5900, "203.0.113.9", 50000, 0, inward=True), True),
    (Connection("tcp", "192.0.2.10", 50001, "203.0.113.9", 443, 501), False),
    (Connection("udp", "192.0.2.10", 50001, "203.0.113.9", 443, 450), True),
    (Connection("tcp", "192.0.2.10", 50001, "198.51.100.9", 5432, 450), False),
]


@pytest.mark.parametrize(("one", "cut"), TALKS, ids=range(len(TALKS)))
def test_who_talks_now_and_could_not_again_is_named(one, cut):
    assert lost(RULES, NAMES, one) is cut


def test_a_mac_is_a_site_that_names_who_is_cut_and_asks_what_it_does_not_decide():
    host = standing()
    host.readings["connections"] = tuple(one for one, _ in TALKS)
    here = site(host, P)
    assert isinstance(here, MacSite)
    assert [(cut.account, cut.far) for cut in here.cuts()] == [
        ("root", ("tcp from 203.0.113.9 on 192.0.2.10:5900", "tcp from 203.0.113.9 on 198.51.100.9:22")),
        ("uid 450", ("udp to 203.0.113.9:443",)),
    ]
    question, words = here.question()
    assert "After a power cut" in question
    assert words == ("wait", "return")
    here.answer("return")
    assert here.variables("ssh", ())["power_cut"] == "return"
    assert here.question() == ("", ())
    assert site(standing(), make_policy({"power_cut": "wait"})).question() == ("", ())
    assert here.warnings() == []


def test_the_fence_of_a_mac_waits_and_stands_at_its_own_places():
    marked = FakeHost(
        {}, {"/var/run/hostkit/pf.pending": '{"at": 7, "over": "ssh", "from": "192.0.2.1"}'}, platform="darwin"
    )
    assert pending(marked).far == ("192.0.2.1",)
    confirmed = {"/etc/hostkit/pf.anchor": anchor(P, 450)}
    assert stands(mac({(PROGRAM, "stands"): ""}, confirmed), anchor(P, 450))
    assert not stands(mac({(PROGRAM, "stands"): Said(1)}, confirmed), anchor(P, 450))
    assert not stands(mac({(PROGRAM, "stands"): ""}, confirmed), anchor(P, 451))


PRINT, RULED = ("/bin/launchctl", "print", "system/org.hostkit.pf"), ("/sbin/pfctl", "-a", ANCHOR, "-sr")
NFS = ("/sbin/nfsd", "status")
KEYS = [("setting", "nfs"), ("job", "org.hostkit.pf"), ("table", ANCHOR)]


def test_what_the_plays_may_touch_is_read_from_the_tools():
    here = mac({PRINT: held("org.hostkit.pf"), RULED: "block drop in all\n", NFS: "nfsd service is enabled\n"})
    assert look(here, None, KEYS) == {
        ("setting", "nfs"): {"value": "enabled"},
        ("job", "org.hostkit.pf"): {"loaded": True},
        ("table", ANCHOR): {"there": True},
    }
    bare = mac({PRINT: gone("org.hostkit.pf"), RULED: Said(1, err="pfctl: DIOCGETRULES: Invalid argument\n"), NFS: "x"})
    assert look(bare, None, KEYS[1:]) == {
        ("job", "org.hostkit.pf"): {"loaded": False},
        ("table", ANCHOR): {"there": False},
    }
    assert "nfs: nfsd said x" in look(bare, None, KEYS)["setting", "nfs"]["unknown"]
    with pytest.raises(CannotTell, match=r"nothing that is known of org\.hostkit\.pf"):
        look(mac({PRINT: Said(5, err="Input/output error")}), None, KEYS[1:2])


def thing(kind, name, was, wrote, **more):
    return Thing("30-sharing", kind, name, was, was, wrote, **more)


def told(things, now):
    way = plan(Record(tuple(things)), now)
    return [(act.says, act.commands) for act in way.acts], way.stays


def test_the_way_back_takes_the_fence_first_then_the_jobs_then_each_setting():
    things = [
        thing("setting", "nfs", {"value": "enabled"}, {"value": "disabled"}),
        thing("setting", "autologin", {"value": "user"}, {"value": "OFF"}),
        thing("job", "org.hostkit.pf", {"loaded": False}, {"loaded": True}),
        thing("table", ANCHOR, {"there": False}, {"there": True}),
        thing("file", PROGRAM, ABSENT, {"kind": "file", "mode": 0o755, "uid": 0, "gid": 0, "digest": "x"}),
    ]
    now = {one.key: one.wrote for one in things}
    acts, stays = told(things, now)
    assert acts[:3] == [
        ("take the fence down", ((PROGRAM, "undo"),)),
        ("end the job org.hostkit.pf", (("/bin/launchctl", "bootout", "system/org.hostkit.pf"),)),
        ("set nfs as it was", (("/sbin/nfsd", "enable"),)),
    ]
    assert [says for says, _ in acts[3:]] == [f"remove {PROGRAM}"]
    assert stays[0].startswith("autologin: automatic login stays off: it needs the password")


def test_without_its_program_the_fence_goes_by_its_own_rules_and_nobody_elses():
    things = [thing("table", ANCHOR, {"there": False}, {"there": True}), thing("file", PROGRAM, ABSENT, ABSENT)]
    acts, _ = told(things, {("table", ANCHOR): {"there": True}, ("file", PROGRAM): ABSENT})
    assert acts == [("take the fence down", (("/sbin/pfctl", "-a", ANCHOR, "-F", "rules"),))]


def test_what_is_not_known_is_left_and_keeps_nothing_else_from_going_back():
    things = [
        thing("setting", "airdrop@ann", {"value": "Everyone"}, {"value": "Off"}),
        thing("setting", "nfs", {"unknown": "nfsd said x"}, {"value": "disabled"}),
        thing("setting", "smb-guests", {"value": "enabled"}, {"value": "disabled"}),
    ]
    now = {one.key: one.wrote for one in things} | {("setting", "airdrop@ann"): {"unknown": "unknown user ann"}}
    acts, stays = told(things, now)
    assert [says for says, _ in acts] == ["set smb-guests as it was"]
    assert "airdrop@ann: somebody else has changed it since hostkit did (unknown unknown user ann)" in stays[0]
    assert stays[1] == "nfs: what it was is not known (nfsd said x)"


def test_what_somebody_else_set_since_is_left():
    things = [thing("setting", "power@sleep", {"value": "10"}, {"value": "0"})]
    acts, stays = told(things, {("setting", "power@sleep"): {"value": "5"}})
    assert acts == []
    assert "somebody else has changed it since hostkit did (value 5)" in stays[0]


def test_the_same_rules_do_not_differ_and_what_is_left_out_is_named():
    assert differing(RULES, RULES, 450) == []
    assert "passes tcp in on en0 to 192.0.2.10 port 5900" in differing(RULES, RULES[:-1], 450)
    assert "blocks tcp in on en0 to 192.0.2.10 port 22" in differing(RULES, RULES[-1:], 450)
