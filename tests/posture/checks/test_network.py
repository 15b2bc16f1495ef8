from hostkit.host import Process
from hostkit.posture.checks import network as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import HELD, Broken

LAN = make_policy({"lan": ["192.0.2.0/24"]})
SIX = make_policy({"lan": ["192.0.2.0/24", "2001:db8::/64"]})
NONE = make_policy()


def seen(*routes):
    return FakeHost(routes=routes, addresses={"eth0": ("192.0.2.7", "2001:db8::7"), "usb0": ("172.20.10.2",)})


ONE, TETHER, ROUTE6 = ("192.0.2.1", "eth0"), ("172.20.10.1", "usb0"), ("fe80::1%eth0", "eth0")
CASES = [
    (subject.there_is_one_way_out, seen(ONE), LAN, "ok", "1 default route"),
    (subject.there_is_one_way_out, seen(), LAN, "ok", "0 default routes"),
    (subject.there_is_one_way_out, seen(ONE, TETHER), LAN, "fail", "172.20.10.1 on usb0"),
    (subject.there_is_one_way_out, seen(ONE, ROUTE6), LAN, "fail", "fe80::1%eth0 on eth0 (IPv6)"),
    (subject.there_is_one_way_out, seen(ONE, ROUTE6), SIX, "ok", "2 default routes"),
    (subject.there_is_one_way_out, FakeHost(), LAN, "unknown", "routes: not taught"),
    (subject.stands_on_the_declared_segment, seen(ONE), LAN, "ok", "192.0.2.7"),
    (subject.stands_on_the_declared_segment, seen(TETHER), LAN, "fail", "172.20.10.2"),
    (subject.stands_on_the_declared_segment, seen(ONE), NONE, "fail", "host.lan names no network"),
    (subject.stands_on_the_declared_segment, seen(), LAN, "ok", "no default route"),
    (subject.stands_on_the_declared_segment, FakeHost(), LAN, "unknown", "routes: not taught"),
]
resolvers, advertised = (
    subject.only_declared_resolvers_are_asked,
    subject.no_stranger_gives_an_ipv6_route,
)
CONF, STUB = "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"
TWO = make_policy({"resolvers": ["198.51.100.53", "2001:db8::53"]})


def asking(text=None, upstream=None):
    files = {CONF: text, STUB: upstream}
    return FakeHost(files={path: said for path, said in files.items() if said is not None})


def server(*addresses):
    return "# nameserver 1.1.1.1\n" + "".join(f"nameserver {address}\n" for address in addresses) + "search x\n"


CASES += [
    (resolvers, asking(server("198.51.100.53")), TWO, "ok", "198.51.100.53"),
    (resolvers, asking(server("198.51.100.53", "2001:DB8:0::53")), TWO, "ok", "2001:db8::53"),
    (resolvers, asking(server("198.51.100.53", "1.1.1.1")), TWO, "fail", "1.1.1.1 is asked"),
    (resolvers, asking(server("fe80::1%eth0")), TWO, "fail", "fe80::1 is asked"),
    (resolvers, asking(server("127.0.0.53"), server("198.51.100.53")), TWO, "ok", "198.51.100.53"),
    (resolvers, asking(server("127.0.0.53"), server("9.9.9.9")), TWO, "fail", "9.9.9.9 is asked"),
    (resolvers, asking(server("127.0.0.53")), TWO, "unknown", "cannot be seen; resolvectl dns"),
    (resolvers, asking(server("127.0.0.53"), "# nothing\n"), TWO, "unknown", "does not say whom it asks"),
    (resolvers, asking(server("127.0.0.1")), TWO, "unknown", "whom the resolver at 127.0.0.1 asks"),
    (resolvers, asking(), TWO, "unknown", "127.0.0.1"),
    (resolvers, asking(server("not-an-address")), TWO, "unknown", "not-an-address"),
]
INIT = Process(1, 0, "systemd", ("/sbin/init",), 0)


def card(accept, forward="0", off="0", name="eth0", runs=INIT):
    base = f"/proc/sys/net/ipv6/conf/{name}/"
    files = {base + "accept_ra": accept, base + "forwarding": forward, base + "disable_ipv6": off}
    return FakeHost(files=files, addresses={"lo": ("::1",), name: ()}, processes=(INIT, runs))


CASES += [
    (advertised, card("0\n"), NONE, "ok", "none of 1 cards"),
    (advertised, card("1", off="1"), NONE, "ok", "none of 0 cards"),
    (advertised, card("1", forward="1"), NONE, "ok", "none of 1 cards"),
    (advertised, card("1"), SIX, "ok", "host.lan names an IPv6 network"),
    (advertised, card("1\n"), NONE, "fail", "eth0 takes them"),
    (advertised, card("2", forward="1"), NONE, "fail", "eth0 takes them"),
    (advertised, card("0", runs=Process(9, 1, "NetworkManager", ("x",), 0)), NONE, "unknown", "whether NetworkManager"),
    (advertised, FakeHost(), NONE, "unknown", "addresses: not taught"),
]
CONFIGURED = (
    "install -d /etc/hostkit; "
    "printf 'version: 1\\nhost: {{resolvers: [{}]}}\\n' > /etc/hostkit/hostkit.yml; "
    "cp /etc/resolv.conf /run/resolv.bak; echo 'nameserver 198.51.100.53' > /etc/resolv.conf"
)
OTHER = "ip link add other0 type dummy 2>/dev/null || ip link add other0 type veth peer name other1; "
BROKEN = [
    Broken(
        subject.there_is_one_way_out,
        "ip link del other0 2>/dev/null || :",
        f"{OTHER}ip address add 192.0.2.7/24 dev other0; ip link set other0 up; "
        "ip link set other1 up 2>/dev/null || :; ip route add default via 192.0.2.1 dev other0 metric 999",
        "192.0.2.1 on other0",
    ),
    Broken(
        subject.stands_on_the_declared_segment,
        "net=$(ip -4 -o route show dev eth0 scope link | cut -d ' ' -f 1); install -d /etc/hostkit; "
        'printf "version: 1\\nhost: {resolvers: [198.51.100.53], lan: [$net]}\\n" >/etc/hostkit/hostkit.yml',
        HELD,
        "host.lan names no network",
    ),
    Broken(
        resolvers,
        CONFIGURED.format("198.51.100.53"),
        "echo 'nameserver 192.0.2.53' >> /etc/resolv.conf",
        "192.0.2.53 is asked",
    ),
    Broken(
        advertised,
        "sysctl -qw net.ipv6.conf.void0.accept_ra=0",
        "sysctl -qw net.ipv6.conf.void0.accept_ra=2",
        "void0 takes them",
    ),
]
