import json

from hostkit.host import Listener, Process
from hostkit.posture.checks import listeners as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import HELD, Broken

MANAGED = make_policy({"management": ["wg0"], "listen": [{"protocol": "udp", "port": 51820}]})
ADDRESSES = {"eth0": ("192.0.2.2",), "wg0": ("10.8.0.1", "fd00::1")}


def seen(*entries, root=True):
    return FakeHost(listeners=tuple(Listener(*entry) for entry in entries), addresses=ADDRESSES, root=root)


API = subject.engine_api_is_not_on_the_network
HIDDEN = ("tcp", "0.0.0.0", 9999)


CASES = [
    (
        subject.only_declared_sockets_listen,
        seen(("tcp", "127.0.0.1", 80), ("tcp", "::1", 25)),
        MANAGED,
        "ok",
        "no undeclared",
    ),
    (subject.only_declared_sockets_listen, seen(("tcp", "10.8.0.1", 22, "sshd")), MANAGED, "ok", "no undeclared"),
    (subject.only_declared_sockets_listen, seen(("udp", "0.0.0.0", 51820), ("udp", "0.0.0.0", 68)), MANAGED, "ok", ""),
    (
        subject.only_declared_sockets_listen,
        seen(("tcp", "0.0.0.0", 22, "sshd")),
        MANAGED,
        "fail",
        "tcp 0.0.0.0:22 (sshd)",
    ),
    (subject.only_declared_sockets_listen, seen(("tcp", "10.8.0.1", 23)), MANAGED, "fail", "tcp 10.8.0.1:23"),
    (subject.only_declared_sockets_listen, seen(("tcp", "::", 631, "cupsd")), MANAGED, "fail", "tcp [::]:631 (cupsd)"),
    (subject.only_declared_sockets_listen, seen(("tcp", "0.0.0.0", 51820)), MANAGED, "fail", "tcp 0.0.0.0:51820"),
    (subject.only_declared_sockets_listen, FakeHost(), MANAGED, "unknown", "sockets: not taught"),
    (subject.engine_api_is_not_on_the_network, seen(("tcp", "0.0.0.0", 22)), MANAGED, "ok", ""),
    (subject.engine_api_is_not_on_the_network, seen(("tcp", "127.0.0.1", 2375)), MANAGED, "fail", "127.0.0.1:2375"),
    (subject.engine_api_is_not_on_the_network, seen(("tcp", "0.0.0.0", 9999, "dockerd")), MANAGED, "fail", "dockerd"),
    (API, seen(HIDDEN, root=False), MANAGED, "unknown", "cannot be seen without root"),
    (API, seen(HIDDEN, ("tcp", "::1", 2376), root=False), MANAGED, "fail", "[::1]:2376"),
    (API, seen(("udp", "0.0.0.0", 9), ("tcp", "::1", 9, "mine"), root=False), MANAGED, "ok", "no engine API"),
    (subject.engine_api_is_not_on_the_network, FakeHost(), MANAGED, "unknown", "not taught"),
]
INIT = Process(1, 0, "systemd", ("/sbin/init",), 0)
desktop, over_ssh, discovery = (
    subject.nobody_sits_at_a_remote_desktop,
    subject.ssh_is_for_management_only,
    subject.nothing_announces_this_machine,
)


def runs(*commands, listens=(), first=INIT):
    made = [Process(n, 1, word.rpartition("/")[2][:15], (word,), 0) for n, word in enumerate(commands, start=50)]
    return FakeHost(listeners=tuple(Listener(*entry) for entry in listens), processes=(first, *made))


CASES += [
    (
        desktop,
        runs("/usr/sbin/sshd", listens=[("tcp", "127.0.0.1", 5901), ("udp", "0.0.0.0", 5901)]),
        MANAGED,
        "ok",
        "",
    ),
    (desktop, runs(listens=[("tcp", "0.0.0.0", 5901, "Xtigervnc")]), MANAGED, "fail", "0.0.0.0:5901 (Xtigervnc)"),
    (desktop, runs(listens=[("tcp", "::", 3389)]), MANAGED, "fail", "[::]:3389"),
    (desktop, runs("/usr/libexec/gnome-remote-desktop-daemon"), MANAGED, "fail", "gnome-remote-desktop-daemon runs"),
    (desktop, runs("/opt/teamviewer/tv_bin/TeamViewerd"), MANAGED, "fail", "teamviewerd runs"),
    (desktop, runs(first=Process(1, 0, "", (), 0)), MANAGED, "unknown", "hidden"),
    (desktop, FakeHost(), MANAGED, "unknown", "not taught"),
]
NFT = ("nft", "-j", "list")


def rule(*statements):
    return {"rule": {"family": "inet", "table": "hostkit", "chain": "input", "expr": [*statements, {"accept": None}]}}


def match(left, right, op="=="):
    return {"match": {"op": op, "left": left, "right": right}}


def port(*numbers, field="dport", protocol="tcp"):
    found = numbers[0] if len(numbers) == 1 else {"set": list(numbers)}
    return match({"payload": {"protocol": protocol, "field": field}}, found)


def card(*names):
    return match({"meta": {"key": "iifname"}}, names[0] if len(names) == 1 else {"set": list(names)})


STATE = match({"ct": {"key": "state"}}, ["established", "related"], "in")
OWN = [rule(card("lo")), rule(card("hkd*")), rule(STATE), rule(port(68, protocol="udp"))]


def fenced(*rules, listens=(("tcp", "0.0.0.0", 22, "sshd"),), policy="drop", **more):
    table = {"table": {"family": "inet", "name": "hostkit"}}
    chain = {"chain": {"family": "inet", "table": "hostkit", "name": "input", "hook": "input", "policy": policy}}
    said = {(*NFT, "tables"): [table], (*NFT, "table", "inet", "hostkit"): [table, chain, *OWN, *rules]}
    commands = {words: json.dumps({"nftables": entries}) for words, entries in said.items()}
    sockets = tuple(Listener(*entry) for entry in listens)
    return FakeHost(commands, {"/usr/sbin/nft": ""}, listeners=sockets, addresses=ADDRESSES, **more)


SOCKET = (("tcp", "::", 22, "systemd"),)
CASES += [
    (over_ssh, seen(("tcp", "10.8.0.1", 22, "sshd")), MANAGED, "ok", "tcp 10.8.0.1:22 (sshd)"),
    (over_ssh, seen(("tcp", "127.0.0.1", 22, "sshd")), MANAGED, "ok", "no SSH server listens"),
    (over_ssh, seen(("tcp", "0.0.0.0", 22, "sshd")), MANAGED, "fail", "0.0.0.0:22 (sshd), and nft is not installed"),
    (over_ssh, fenced(rule(card("wg0"), port(22))), MANAGED, "ok", "behind the fence: hkd*, lo, wg0"),
    (over_ssh, fenced(rule(card("wg0"), port(22)), listens=SOCKET), MANAGED, "ok", "[::]:22 (systemd)"),
    (over_ssh, fenced(rule(port(22, 80)), listens=SOCKET), MANAGED, "fail", "every interface leads to it"),
    (over_ssh, fenced(rule(card("wg0", "eth0"), port({"range": [20, 30]}))), MANAGED, "fail", "interface eth0 leads"),
    (over_ssh, fenced(rule(port(80)), rule(card("eth0"), port(23))), MANAGED, "ok", "behind the fence: hkd*, lo"),
    (over_ssh, fenced(rule(port(22, protocol="th"))), MANAGED, "fail", "every interface"),
    (over_ssh, fenced(rule(match({"meta": {"key": "iifname"}}, "lo", "!="))), MANAGED, "fail", "every interface"),
    (over_ssh, fenced(policy="accept"), MANAGED, "fail", "every interface"),
    (over_ssh, fenced(listens=[("tcp", "192.0.2.2", 2222, "sshd")]), MANAGED, "ok", "192.0.2.2:2222 (sshd)"),
    (over_ssh, fenced(root=False), MANAGED, "unknown", "without root"),
    (over_ssh, seen(HIDDEN, root=False), MANAGED, "unknown", "without root"),
    (over_ssh, FakeHost(), MANAGED, "unknown", "not taught"),
    (discovery, seen(("tcp", "0.0.0.0", 5353), ("udp", "127.0.0.1", 5353)), MANAGED, "ok", "nobody listens"),
    (
        discovery,
        seen(("udp", "0.0.0.0", 5353, "avahi-daemon")),
        MANAGED,
        "fail",
        "mDNS: udp 0.0.0.0:5353 (avahi-daemon)",
    ),
    (discovery, seen(("tcp", "::", 5355)), MANAGED, "fail", "LLMNR"),
    (discovery, FakeHost(), MANAGED, "unknown", "not taught"),
]
LISTEN = (
    'setsid python3 -c "import socket,time; s=socket.socket(socket.AF_INET, socket.SOCK_{kind}); '
    "s.bind(('0.0.0.0', {port})); {more}; time.sleep(600)\" >/dev/null 2>&1 </dev/null & echo $! > /run/l.pid; "
    "sleep 0.5"
)
END = "kill $(cat /run/l.pid 2>/dev/null) 2>/dev/null || :; rm -f /run/l.pid; sleep 0.2"
FENCE = HELD + (
    "nft 'add table inet hostkit; delete table inet hostkit; table inet hostkit { chain input { "
    "type filter hook input priority -10; policy drop; iifname lo accept; ct state established,related accept; "
    "iifname eth0 tcp dport 22 accept; counter; }; }'"
)
BROKEN = [
    Broken(
        subject.only_declared_sockets_listen,
        f"{HELD}\nsed -i 's/53]/53], listen: [{{port: 22}}]/' /etc/hostkit/hostkit.yml\n{END}",
        LISTEN.format(kind="STREAM", port=8081, more="s.listen()"),
        "tcp 0.0.0.0:8081",
    ),
    Broken(
        subject.engine_api_is_not_on_the_network,
        END,
        LISTEN.format(kind="STREAM", port=2375, more="s.listen()"),
        "tcp 0.0.0.0:2375",
    ),
    Broken(desktop, END, LISTEN.format(kind="STREAM", port=5901, more="s.listen()"), "tcp 0.0.0.0:5901"),
    Broken(desktop, END, "ln -sf /bin/sleep /opt/x11vnc; setsid /opt/x11vnc 600 & echo $! > /run/l.pid", "x11vnc runs"),
    Broken(over_ssh, FENCE, "nft add rule inet hostkit input tcp dport 22 accept", "every interface leads to it"),
    Broken(over_ssh, FENCE, "nft delete table inet hostkit", "there is no table inet hostkit"),
    Broken(discovery, END, LISTEN.format(kind="DGRAM", port=5353, more="0"), "mDNS: udp 0.0.0.0:5353"),
]
