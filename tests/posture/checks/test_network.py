from hostkit.posture.checks import network as subject
from tests.conftest import FakeHost, make_policy

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
