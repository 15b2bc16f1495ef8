import json

from hostkit.posture.checks import firewall as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
NFT = ("nft", "-j", "list", "ruleset")
WANTS = "/etc/systemd/system/sysinit.target.wants/"


def chain(hook, policy="drop", table="hostkit"):
    return {"chain": {"family": "inet", "table": table, "name": hook, "hook": hook, "policy": policy}}


def rule(hook):
    return {"rule": {"family": "inet", "table": "hostkit", "chain": hook, "expr": []}}


def ruleset(*entries, root=True):
    said = json.dumps({"nftables": [{"metainfo": {}}, *entries]})
    return FakeHost({NFT: said}, files={"/usr/sbin/nft": ""}, root=root)


TABLE = {"table": {"family": "inet", "name": "hostkit"}}
RULES = [rule(hook) for hook in ("input", "output", "forward")]
WHOLE = [TABLE, *(chain(hook) for hook in ("input", "output", "forward")), *RULES]
FILES = {WANTS + "hostkit-fence.service": "", "/etc/hostkit/fence.nft": ""}
FLUSHER = {WANTS + "nftables.service": "", "/etc/nftables.conf": "#!/usr/sbin/nft -f\nflush ruleset\n"}


class Blind(FakeHost):
    def stat(self, path):
        return self._told({}, path, path)


LIST = ("nft", "-s", "list", "table", "inet", "hostkit")
CONFIRMED = "/run/hostkit/fence.listing"
LISTED = "table inet hostkit {\n\tpolicy drop;\n\tdrop\n}\n"


def listed(live, confirmed=LISTED, root=True, **more):
    files = dict.fromkeys(more.get("files", ()), "")
    return FakeHost({LIST: live}, files={CONFIRMED: confirmed, **files}, root=root)


ASLEEP = [{"table": {**TABLE["table"], "flags": "dormant"}}, *WHOLE[1:]]
CASES = [
    (subject.fence_stands, ruleset(*ASLEEP), P, "fail", "the table is dormant"),
    (subject.fence_is_as_it_was_confirmed, listed(LISTED), P, "ok", "4 lines, all as confirmed"),
    (subject.fence_is_as_it_was_confirmed, listed(LISTED + "\taccept\n"), P, "fail", "more: accept"),
    (subject.fence_is_as_it_was_confirmed, listed("table inet hostkit {\n}\n"), P, "fail", "gone: policy drop;"),
    (
        subject.fence_is_as_it_was_confirmed,
        listed("table inet hostkit {\n\tdrop\n\tpolicy drop;\n}\n"),
        P,
        "fail",
        "order",
    ),
    (
        subject.fence_is_as_it_was_confirmed,
        listed(LISTED, files=["/run/hostkit/fence.pending"]),
        P,
        "fail",
        "waits to be confirmed",
    ),
    (subject.fence_is_as_it_was_confirmed, FakeHost(), P, "fail", "no fence was confirmed"),
    (subject.fence_is_as_it_was_confirmed, listed(LISTED, root=False), P, "unknown", "without root"),
    (subject.fence_is_as_it_was_confirmed, FakeHost(files={CONFIRMED: LISTED}), P, "unknown", "not taught"),
    (subject.fence_stands, ruleset(*WHOLE), P, "ok", "3 chains, 3 rules"),
    (subject.fence_stands, ruleset(*WHOLE[:3], chain("forward", "accept"), *RULES), P, "fail", "forward does not drop"),
    (subject.fence_stands, ruleset(*WHOLE[:4], *RULES[1:]), P, "fail", "input has no rules"),
    (subject.fence_stands, ruleset(chain("input", table="other")), P, "fail", "no table inet hostkit"),
    (subject.fence_stands, FakeHost(), P, "fail", "nft is not installed"),
    (subject.fence_stands, ruleset(*WHOLE, root=False), P, "unknown", "without root"),
    (subject.fence_stands, FakeHost(files={"/usr/sbin/nft": ""}), P, "unknown", "not taught"),
    (subject.fence_returns_at_boot, FakeHost(files=FILES), P, "ok", "nothing flushes"),
    (subject.fence_returns_at_boot, FakeHost(), P, "fail", "hostkit-fence.service is not enabled"),
    (subject.fence_returns_at_boot, FakeHost(files={**FILES, **FLUSHER}), P, "fail", "flushes every table"),
    (subject.fence_returns_at_boot, Blind(), P, "unknown", "not taught"),
]
owner = subject.one_front_end_writes_rules
FRONT_ENDS = ("ufw.service", "firewalld.service", "nftables.service", "netfilter-persistent.service")
SHOW = ("systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", *FRONT_ENDS)
UFW = "/etc/ufw/ufw.conf"


def fronts(files=(), said=None, **states):
    parts = []
    for name in FRONT_ENDS:
        active, unit = states.get(name.split(".")[0], "inactive disabled").split()
        parts.append(f"Id={name}\nLoadState=loaded\nActiveState={active}\nUnitFileState={unit}\n")
    return FakeHost({SHOW: "\n".join(parts) if said is None else said}, files=dict(files))


CASES += [
    (owner, fronts(), P, "ok", "none besides it"),
    (owner, fronts(firewalld="active enabled"), P, "ok", "firewalld besides it"),
    (owner, fronts({UFW: "ENABLED=no\n"}, ufw="active enabled", firewalld="active enabled"), P, "ok", "firewalld"),
    (owner, fronts({UFW: 'ENABLED="yes"\n'}, ufw="active enabled", firewalld="inactive enabled"), P, "fail", "ufw and"),
    (owner, fronts(ufw="active disabled", nftables="active disabled"), P, "fail", "ufw and nftables write rules"),
    (owner, fronts(said="Id=ufw.service\n"), P, "unknown", "did not say of each"),
    (owner, FakeHost(), P, "unknown", "not taught"),
]
BROKEN = [
    Broken(
        owner,
        "systemctl disable -q ufw nftables firewalld; systemctl stop nftables; sed -i s/ENABLED=.*/ENABLED=no/ " + UFW,
        f"sed -i s/ENABLED=.*/ENABLED=yes/ {UFW}; systemctl enable -q ufw firewalld",
        "ufw and firewalld write rules",
    ),
]
