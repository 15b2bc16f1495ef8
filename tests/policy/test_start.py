from hostkit.policy import parse
from hostkit.policy.start import starting_policy

ADDRESSES = {"eth0": ("192.168.7.20", "fe80::1"), "tailscale0": ("100.64.0.9",)}
ROUTES = (("192.168.7.1", "eth0"),)


def test_the_written_policy_loads_and_holds_what_the_host_shows():
    host = parse(
        starting_policy(ADDRESSES, ROUTES, "nameserver 127.0.0.53\nnameserver 192.0.2.53\n", ["192.168.7.20"])
    ).host
    assert (host.management, host.lan, host.resolvers) == (("eth0",), ("192.168.7.0/24",), ("192.0.2.53",))


def test_without_a_resolver_to_see_one_is_still_named():
    assert parse(starting_policy(ADDRESSES, ROUTES, "")).host.resolvers == ("9.9.9.9",)


def test_where_nobody_came_in_nothing_is_let_in():
    assert parse(starting_policy(ADDRESSES, ROUTES, "", ["127.0.0.1"])).host.management == ()
