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


def test_apts_own_mirrors_are_written_as_ways_out():
    sources = ["deb http://deb.example/debian x main\ndeb https://deb.example/more x main\ndeb http://10.0.0.9/x ./\n"]
    host = parse(starting_policy(ADDRESSES, ROUTES, "", sources=sources)).host
    assert [(way.name, way.ports) for way in host.egress] == [("deb.example", (80, 443))]
    assert parse(starting_policy(ADDRESSES, ROUTES, "")).host.egress == ()


def test_what_the_package_managers_are_set_to_is_proposed_as_services_that_only_read():
    sources = ["deb https://deb.example/debian x main\ndeb http://plain.example/debian x main\n"]
    registries = {"pip": ("packages.example",), "npm": ("npm.example", "packages.example")}
    text = starting_policy(ADDRESSES, ROUTES, "", sources=sources, registries=registries)
    proposed = text[text.index("#  acme:") :].replace("\n#", "\n").removeprefix("#")
    acme = parse(text.replace("clients: {}", "clients:").replace(text[text.index("#  acme:") :], proposed)).clients[
        "acme"
    ]
    assert {name: line.hosts for name, line in acme.services.items() if line.kind == "generic"} == {
        "apt": ("deb.example",),
        "pip": ("packages.example",),
        "npm": ("npm.example",),
    }
    assert {line.methods for line in acme.services.values() if line.kind == "generic"} == {("GET", "HEAD")}
    slashed = {name: line.encoded_slash for name, line in acme.services.items() if line.kind == "generic"}
    assert slashed == {"apt": False, "pip": True, "npm": True}  # npm fetches from pip's host too
    assert "plain.example" not in {host for line in acme.services.values() for host in line.hosts}
