from hostkit.errors import CannotTell
from hostkit.policy import parse
from hostkit.policy.start import starting_policy


class Shown:
    def __init__(self, resolv):
        self._resolv = resolv

    def addresses(self):
        return {"eth0": ("192.168.7.20", "fe80::1"), "tailscale0": ("100.64.0.9",)}

    def default_routes(self):
        return (("192.168.7.1", "eth0"),)

    def read(self, path):
        if self._resolv is None:
            raise CannotTell(path)
        return self._resolv


def test_the_written_policy_loads_and_holds_what_the_host_shows():
    host = parse(starting_policy(Shown("nameserver 127.0.0.53\nnameserver 192.0.2.53\n"))).host
    assert (host.management, host.lan, host.resolvers) == (("tailscale0",), ("192.168.7.0/24",), ("192.0.2.53",))


def test_without_a_resolver_to_see_one_is_still_named():
    assert parse(starting_policy(Shown(None))).host.resolvers == ("9.9.9.9",)
