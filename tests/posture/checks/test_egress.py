import ipaddress
import json
import time

import pytest

from hostkit.host import Listener
from hostkit.host.attempts import Outcome
from hostkit.posture.checks import egress as subject
from hostkit.posture.trials import judged
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
UNIT = "/etc/systemd/system/hostkit-gateway.service"
ENABLED = "/etc/systemd/system/multi-user.target.wants/hostkit-gateway.service"
STATUS = "/var/lib/hostkit/host-gateway/status.json"
LOOPBACK = (Listener("tcp", "127.0.0.1", 3128, "python3"),)


def said(**changes):
    """Return what a gateway that lives says: its age counts from when it is asked."""
    return json.dumps({"at": time.time(), "state": "open", "why": "", "generation": 3, "denied": 7, **changes})


def closed():
    return said(state="closed", why="rules.json: not JSON")


def host(status=None, *, listeners=LOOPBACK, root=True, without=()):
    files = {UNIT: "", ENABLED: "", STATUS: said if status is None else status}
    return FakeHost(
        files={path: text for path, text in files.items() if path not in without}, root=root, listeners=listeners
    )


def apt(*lines):
    return FakeHost({("apt-config", "dump"): "".join(f"{line}\n" for line in lines)})


OURS = ('Acquire::http::Proxy "http://127.0.0.1:3128";', 'Acquire::https::Proxy "http://127.0.0.1:3128";')
gateway, asks = subject.the_hosts_gateway_stands, subject.apt_asks_the_gateway
CASES = [
    (gateway, host(), P, "ok", "open, generation 3, 7 denied"),
    (gateway, FakeHost(), P, "fail", "hostkit-gateway.service is not there"),
    (gateway, host(without=[ENABLED]), P, "fail", "not enabled"),
    (gateway, host(listeners=(Listener("udp", "127.0.0.1", 3128),)), P, "fail", "nobody listens on port 3128"),
    (gateway, host(listeners=(Listener("tcp", "::", 3128),)), P, "fail", "port 3128 is open on ::"),
    (gateway, host(closed), P, "fail", "it is closed: rules.json: not JSON"),
    (gateway, host(said(at=time.time() - 60)), P, "fail", "it has said nothing for"),
    (gateway, host("{"), P, "fail", "it has said nothing of itself"),
    (gateway, host(without=[STATUS]), P, "fail", "it has said nothing of itself"),
    (gateway, host(root=False), P, "unknown", "without root"),
    (gateway, host(listeners=None), P, "unknown", "not taught"),
    (asks, apt(*OURS), P, "ok", "by http://127.0.0.1:3128"),
    (asks, apt('APT "";'), P, "fail", "Acquire::http::Proxy is not set, Acquire::https::Proxy is not set"),
    (asks, apt(OURS[0], 'Acquire::https::Proxy "DIRECT";'), P, "fail", "Acquire::https::Proxy is DIRECT"),
    (
        asks,
        apt(*OURS, 'Acquire::http::Proxy::mirror.example "DIRECT";'),
        P,
        "fail",
        "mirror.example goes by DIRECT",
    ),
    (asks, FakeHost(), P, "unknown", "not taught"),
]

NFT, PASSWD = ("nft", "-j", "list"), {"/etc/passwd": "hostkit-agent:x:990:991:hostkit agents:/:/usr/sbin/nologin\n"}
TABLE = {"table": {"family": "inet", "name": "hostkit"}}
COUNTED, LOGGED, DROP = {"counter": {"packets": 5, "bytes": 300}}, {"log": {"prefix": "hostkit-"}}, {"drop": None}


def chain(hook, policy="drop"):
    return {"chain": {"family": "inet", "table": "hostkit", "name": hook, "hook": hook, "policy": policy}}


def rule(hook, *statements):
    return {"rule": {"family": "inet", "table": "hostkit", "chain": hook, "expr": list(statements)}}


def listing(*entries):
    return json.dumps({"nftables": [{"metainfo": {}}, *entries]})


class Kernel:
    """A kernel with a fence that drops and counts all but what goes to a leak, and `noise` packets of others."""

    def __init__(self, leaks=(), noise=0, word="sent", policy="drop"):
        self.leaks, self.noise, self.word, self.policy = leaks, noise, word, policy
        self.count, self.passed, self.sent = 100, 100, []

    def listed(self):
        last = rule("output", {"counter": {"packets": self.count}})
        # A rule that counts and lets go on is no witness of a drop, nor one that lets through.
        passing = rule("output", {"counter": {"packets": self.passed}})
        letting = rule("output", {"counter": {"packets": self.passed}}, {"accept": None})
        return listing(TABLE, chain("output", self.policy), passing, letting, last)

    def tried(self, uid, gid, tries):
        assert (uid, gid) == (990, 991)
        self.sent += tries
        for entry in tries:
            word = "no-way" if entry.place[0] == self.word else self.word if self.word == "answered" else "sent"
            self.passed += word == "sent"
            self.count += word == "sent" and entry.place not in self.leaks
            yield Outcome(word)
        self.count += self.noise


def behind(kernel, *, root=True, files=PASSWD, **readings):
    tables = {(*NFT, "tables"): listing(TABLE), (*NFT, "table", "inet", "hostkit"): kernel.listed}
    return FakeHost(tables, {"/usr/sbin/nft": "", **files}, root=root, attempts=kernel.tried, **readings)


def no_fence(kernel, said="", **more):
    tables = {(*NFT, "tables"): said or listing()}
    return FakeHost(tables, {"/usr/sbin/nft": "", **PASSWD}, attempts=kernel.tried, **more)


denied, lan, metadata = (
    subject.agent_sends_nothing_by_itself,
    subject.agent_does_not_reach_the_lan,
    subject.agent_does_not_reach_metadata,
)
ROUTES = (("192.0.2.1", "eth0"), ("fe80::1", "eth0"))
LAN = make_policy({"lan": ["192.0.2.0/24", "198.51.100.0/25"]})
ASLEEP = listing({"table": {**TABLE["table"], "flags": ["dormant"]}})


def probe_cases(check, leak, policy=P, **more):
    return [
        (check, behind(Kernel(), **more), policy, "ok", "each dropped and counted by the fence"),
        (
            check,
            behind(Kernel(leaks=[leak]), **more),
            policy,
            "fail",
            f"{leak[0]}]:" if ":" in leak[0] else f"{leak[0]}:",
        ),
        (check, behind(Kernel(word="answered"), **more), policy, "fail", "answered"),
        (check, no_fence(Kernel(), **more), policy, "fail", "there is no table inet hostkit"),
        (check, no_fence(Kernel(), ASLEEP, **more), policy, "fail", "dormant"),
        (check, behind(Kernel(policy="accept"), **more), policy, "fail", "does not drop what goes out"),
        (check, FakeHost(files=PASSWD, **more), policy, "fail", "nft is not installed"),
        (check, FakeHost(**more), policy, "fail", "nft is not installed"),
        (check, no_fence(Kernel(), "<html>", **more), policy, "unknown", "cannot be read"),
        (check, no_fence(Kernel(), "[]", **more), policy, "unknown", "cannot be read"),
        (check, behind(Kernel(noise=1), **more), policy, "unknown", "drops other packets all the while"),
        (check, behind(Kernel(), root=False, **more), policy, "unknown", "without root"),
        (check, behind(Kernel(), files={"/etc/passwd": ""}, **more), policy, "unknown", "no account hostkit-agent"),
        (
            check,
            behind(Kernel(), files={"/etc/passwd": "hostkit-agent:x:0:0::/:/bin/sh\n"}, **more),
            policy,
            "unknown",
            "is root",
        ),
    ]


CASES += [
    *probe_cases(denied, ("203.0.113.53", 53)),
    *probe_cases(denied, ("2001:db8::7", 443)),
    (denied, behind(Kernel(word="2001:db8::7")), P, "ok", "no way to tcp [2001:db8::7]:443"),
    *probe_cases(lan, ("192.0.2.1", 53), LAN, routes=ROUTES),
    *probe_cases(lan, ("fe80::1%eth0", 80), P, routes=ROUTES),
    *probe_cases(lan, ("198.51.100.1", 80), LAN, routes=ROUTES),
    (lan, behind(Kernel(), routes=()), P, "unknown", "no default route, and host.lan names no network"),
    (lan, behind(Kernel(word="192.0.2.1"), routes=ROUTES[:1]), P, "unknown", "no way to tcp 192.0.2.1:80"),
    *probe_cases(metadata, ("169.254.169.254", 80)),
    *probe_cases(metadata, ("fd00:ec2::254", 80)),
]
counted = subject.drops_are_counted_and_logged
END = ({"limit": {"rate": 5}}, LOGGED)


def whole(**changed):
    """Return a fence whose chains end as they should but for the changed ones, their rules given."""
    rules = {
        hook: [[{"accept": None}], [COUNTED, DROP], list(END), [COUNTED]] for hook in ("input", "output", "forward")
    }
    entries = [rule(hook, *words) for hook, found in {**rules, **changed}.items() for words in found]
    table = listing(TABLE, *(chain(hook) for hook in rules), *entries)
    return FakeHost(
        {(*NFT, "tables"): listing(TABLE), (*NFT, "table", "inet", "hostkit"): table}, {"/usr/sbin/nft": ""}
    )


CASES += [
    (counted, whole(), P, "ok", "30 packets dropped"),
    (counted, whole(output=[[DROP], list(END), [COUNTED]]), P, "fail", "1 rules of output drop without counting"),
    (counted, whole(forward=[[COUNTED]]), P, "fail", "forward logs nothing"),
    (counted, whole(input=[list(END), [{"accept": None}], [COUNTED]]), P, "fail", "input logs nothing"),
    (counted, whole(input=[[COUNTED], list(END)]), P, "fail", "input does not count what comes to its end"),
    (counted, whole(input=[]), P, "fail", "input does not count"),
    (counted, no_fence(Kernel()), P, "fail", "no table"),
    (counted, FakeHost(files={"/usr/sbin/nft": ""}, root=False), P, "unknown", "without root"),
    (counted, FakeHost(files={"/usr/sbin/nft": ""}), P, "unknown", "not taught"),
]
listed, unlisted = subject.every_listed_name_answers, subject.no_unlisted_name_is_let_through
WAYS = make_policy({"egress": [
    {"name": "a.example"}, {"name": "m.example", "ports": [80, 8443]}, {"name": "*.wild.example"},
    {"name": "db.example", "raw": 5432},
]})  # fmt: skip
MANY = make_policy({"egress": [{"name": f"n{n}.example"} for n in range(97)]})
NOT_LISTED = Outcome("denied", "403 not-listed")


def through(**said):
    """Return a host whose gateway says this for names that begin so, and answers all others."""

    def tried(uid, gid, tries):
        return [said.get(entry.name.partition(".")[0].partition("-")[0], Outcome("answered")) for entry in tries]

    return FakeHost(files=PASSWD, attempts=tried)


CASES += [
    (listed, through(), WAYS, "ok", "4 answer; 1 wildcards were not asked"),
    (listed, through(a=Outcome("denied", "502 no-address")), WAYS, "fail", "a.example:443 denied (502 no-address)"),
    (listed, through(m=Outcome("silent", "no answer in 3 s")), WAYS, "fail", "m.example:8443 silent"),
    (listed, through(db=Outcome("denied", "hung up")), WAYS, "fail", "db.example:5432 denied (hung up)"),
    (listed, through(db=Outcome("silent")), WAYS, "unknown", "db.example:5432 takes a connection and is silent"),
    (listed, through(), MANY, "unknown", "96 of 97 answered"),
    (listed, through(), P, "unknown", "lists no name"),
    (listed, FakeHost(files=PASSWD, root=False), WAYS, "unknown", "without root"),
    (listed, FakeHost(files=PASSWD), WAYS, "unknown", "not taught"),
    (unlisted, through(hostkit=NOT_LISTED), P, "ok", "403 not-listed"),
    (unlisted, through(), P, "fail", ".invalid:443 answered"),
    (unlisted, through(hostkit=Outcome("denied", "Connection refused")), P, "fail", "Connection refused"),
    (unlisted, through(hostkit=Outcome("denied", "403 closed")), P, "fail", "403 closed"),
    (unlisted, FakeHost(files=PASSWD, root=False), P, "unknown", "without root"),
    (unlisted, FakeHost(files={"/etc/passwd": ""}), P, "unknown", "no account"),
]


@pytest.mark.parametrize("host", [no_fence, lambda kernel: behind(kernel, root=False)])
def test_where_there_is_no_fence_or_no_root_nothing_is_sent(host):
    kernel = Kernel()
    for check in (denied, metadata):
        judged(check, host(kernel), P)
    assert kernel.sent == []


def test_each_place_is_tried_more_than_once_and_how_often_is_drawn_anew():
    numbers = set()
    for _ in range(20):
        kernel = Kernel()
        judged(metadata, behind(kernel), P)
        numbers.add(len(kernel.sent))
        assert min(kernel.sent.count(entry) for entry in set(kernel.sent)) >= 2
    assert len(numbers) > 3


def test_what_is_counted_and_goes_on_is_no_witness():
    """Everything leaks, and rules that only count, or that let through, have counted each packet."""
    kernel = Kernel(leaks=[entry.place for entry in subject._STRANGERS])
    found = judged(denied, behind(kernel), P)
    assert (found.status, "did not drop" in found.detail) == ("fail", True)


def test_no_place_of_a_negative_probe_is_anybodys():
    """Documentation, metadata and nothing else: a packet that gets out reaches nobody."""
    kernel = Kernel()
    judged(denied, behind(kernel), P)
    nobodys = [ipaddress.ip_network(network) for network in ("203.0.113.0/24", "2001:db8::/32")]
    assert all(any(ipaddress.ip_address(entry.place[0]) in network for network in nobodys) for entry in kernel.sent)


# In the container the documentation and metadata addresses end in a namespace of its own (tests/machines/start.sh).
ACCOUNT = (
    "id hostkit-agent >/dev/null 2>&1 || useradd -r -M -s /usr/sbin/nologin hostkit-agent; install -d /etc/hostkit; "
)
FENCE = """
printf 'version: 1\\nhost: {resolvers: [198.51.100.7], profile: solo}\\n' > /etc/hostkit/hostkit.yml
{ echo 'add table inet hostkit; delete table inet hostkit; table inet hostkit {'
  for hook in input output forward; do
    accept='oifname lo accept; ct state established,related accept;'
    [ $hook != input ] || accept='accept;'
    echo "chain $hook { type filter hook $hook priority -10; policy drop; $accept"
    echo "limit rate 5/second log prefix \\"x \\"; counter comment \\"dropped\\"; }"
  done; echo '}'; } > /run/fence.nft
nft -f /run/fence.nft
"""
LETS = "nft insert rule inet hostkit output meta skuid hostkit-agent {} accept"
GONE = "nft delete table inet hostkit"
# The default route leads to where nobody listens too, so that the router that is tried is none.
AWAY = (
    "ip route show default | grep -v void0 > /run/away || :; ip route replace default via 203.0.113.1 dev void0 onlink;"
)
BACK = "[ ! -s /run/away ] || ip route replace $(cat /run/away); rm -f /run/away; "
WORLD = """
import http.server, socket, threading
import dns.message, dns.rrset
def names():
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind(("198.51.100.7", 53))
    while True:
        data, peer = wire.recvfrom(4096)
        reply = dns.message.make_response(dns.message.from_wire(data))
        reply.answer.append(dns.rrset.from_text(reply.question[0].name, 5, "IN", "A", "198.51.100.7"))
        wire.sendto(reply.to_wire(), peer)
threading.Thread(target=names, daemon=True).start()
http.server.ThreadingHTTPServer(("198.51.100.7", 80), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
RULES = """
import dataclasses, pathlib, sys, time
from hostkit.bootstrap.gateway import rules
from hostkit.gateway.rules import Grant
from hostkit.policy import load
made = rules(load(pathlib.Path("/etc/hostkit/hostkit.yml")), [])
more = (Grant("*.invalid", (80, 443)),) if sys.argv[1:] else ()
made = dataclasses.replace(made, generation=int(time.time() * 10), grants=made.grants + more)
open("/run/rules.json", "w").write(made.to_json())
"""
GATEWAY = f"""
cat > /etc/hostkit/hostkit.yml <<E
version: 1
host:
  resolvers: [198.51.100.7]
  egress: [{{name: mirror.example, ports: [80], networks: [198.51.100.7/32]}}]
E
cat > /run/world.py <<'E'{WORLD}E
cat > /run/rules.py <<'E'{RULES}E
nft delete table inet hostkit 2>/dev/null || :
/opt/hostkit/.venv/bin/python /run/rules.py
mkdir -p /run/records /run/web
cd /run/web
if ! ip netns list | grep -q world; then
  ip netns add world
  ip link add vethworld type veth peer name vethother netns world
  ip address add 192.0.2.1/24 dev vethworld
  ip -n world address add 192.0.2.2/24 dev vethother
  ip -n world address add 198.51.100.7/32 dev lo
  ip -n world link set lo up; ip -n world link set vethother up; ip link set vethworld up
  ip route add 198.51.100.7 via 192.0.2.2
fi
begin() {{ unit=$1; shift; systemctl is-active -q $unit || systemd-run -q --unit=$unit --collect -d "$@"; }}
begin world ip netns exec world python3 /run/world.py
begin way /opt/hostkit/.venv/bin/python -m hostkit.gateway --proxy /run/rules.json /run/records
sleep 1.5
"""
BROKEN = [
    Broken(denied, ACCOUNT + FENCE, LETS.format("udp dport 53"), "packets: udp 203.0.113.53:53, udp [2001:db8::53]:53"),
    Broken(
        denied, ACCOUNT + FENCE, LETS.format("tcp dport 443"), "packets: tcp 203.0.113.7:443, tcp [2001:db8::7]:443"
    ),
    Broken(denied, ACCOUNT + FENCE, GONE, "there is no table inet hostkit"),
    Broken(lan, ACCOUNT + AWAY + FENCE, LETS.format("tcp dport 80"), "packets: tcp 203.0.113.1:80"),
    Broken(metadata, BACK + ACCOUNT + FENCE, LETS.format("ip6 daddr fd00:ec2::254"), "packets: tcp [fd00:ec2::254]:80"),
    Broken(
        counted,
        FENCE,
        "nft insert rule inet hostkit output ip daddr 192.0.2.0/24 drop",
        "1 rules of output drop without counting",
    ),
    Broken(listed, ACCOUNT + GATEWAY, "systemctl stop world", "mirror.example:80 denied (502 no-address)"),
    Broken(
        unlisted,
        ACCOUNT + GATEWAY,
        "/opt/hostkit/.venv/bin/python /run/rules.py wide; sleep 1",
        ".invalid:80",
    ),
    Broken(unlisted, ACCOUNT + GATEWAY, "systemctl stop way", "Connection refused"),
]
