"""What a policy may say, and what each refusal names."""

from pathlib import Path

import pytest

from hostkit.errors import HostkitError
from hostkit.policy import PolicyError, load, parse

GOOD = """\
version: 1
host:
  resolvers: [198.51.100.53]
clients:
  acme:
    agreement: {permitted: true, document: acme.pdf, expires: 2027-06-30}
    trust: analyst
    agent: {preset: shell}
    egress:
      - name: api.slack.com
      - {name: db.example.com, raw: 5432, networks: [10.20.0.0/16]}
    secrets:
      token: {source: "env:ACME_TOKEN"}
"""


def refusal(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(PolicyError) as caught:
        parse(text)
    return [(p.line, p.where, p.what) for p in caught.value.problems]


def test_a_good_policy_loads_whole():
    policy = parse(GOOD)
    assert policy.clients["acme"].egress[1].raw == 5432
    assert policy.host.profile == "strict"


@pytest.mark.parametrize(
    ("change", "line", "where", "says"),
    [
        (("trust: analyst", "trust: analist"), 7, "clients.acme.trust", "did you mean analyst?"),
        (("resolvers:", "resolver:"), 3, "host.resolver", "did you mean resolvers?"),
        (("permitted: true", "permitted: yes"), 6, "clients.acme.agreement.permitted", "write true"),
        (("permitted: true", "permitted: no"), 6, "clients.acme.agreement.permitted", "write false"),
        (("2027-06-30", "next year"), 6, "clients.acme.agreement.expires", "date"),
        (("name: api.slack.com", "name: API.slack.com"), 10, "clients.acme.egress[0].name", "lower-case host name"),
        (("name: api.slack.com", "name: 10.0.0.1"), 10, "clients.acme.egress[0].name", "lower-case host name"),
        (("raw: 5432", "raw: 443"), 11, "clients.acme.egress[1]", "the gateway's own"),
        (("raw: 5432", 'raw: "5432"'), 11, "clients.acme.egress[1].raw", "integer"),
        (("env:ACME_TOKEN", "ACME_TOKEN"), 13, "clients.acme.secrets.token.source", "env:"),
        (("  acme:", "  docker:"), 5, "clients.docker", "a word of hostkit or Docker"),
        (("  acme:", "  ../x:"), 5, "clients.../x", "lower-case letters"),
        (("    trust: analyst", "    trust: analyst\n    pii: {}"), 8, "clients.acme.pii", "not yet"),
        (("    trust: analyst", "    trust: analyst\n    trust: observer"), 8, "clients.acme.trust", "repeated"),
        (("version: 1", "version: 2"), 1, "version", "expected 1"),
    ],
)
def test_each_mistake_is_named_with_its_line(change, line, where, says):
    found = refusal(GOOD.replace(*change))
    assert [(at, path) for at, path, what in found if says in what] == [(line, where)]


def test_all_mistakes_come_at_once():
    text = GOOD.replace("analyst", "analist").replace("preset: shell", "preset: shel").replace("5432", "54320000")
    assert [line for line, _, _ in refusal(text)] == [7, 8, 11]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        (GOOD.replace("\n", "\r\n"), "Windows line ends"),
        (GOOD + "---\nversion: 1\n", "two documents in one file"),
        ("- 1\n", "a policy is a mapping"),
        ("{", "not YAML"),
        ("version: !!python/object:os.system 1\n", "tag"),
        ("version: &a 1\nhost: *a\n", "aliases are not used"),
        ("[" * 2000, "not YAML"),
    ],
)
def test_a_file_that_is_no_policy_is_told_apart(text, says):
    assert any(says in what for _, _, what in refusal(text))


def test_aliases_that_would_explode_are_refused_at_once():
    bomb = "a: &a [x]\n" + "".join(
        f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
    )
    assert any("aliases" in what for _, _, what in refusal(bomb))


def test_no_is_a_word_where_a_name_is_meant():
    policy = parse(GOOD.replace("  acme:", "  no:"))
    assert list(policy.clients) == ["no"]


def test_two_raw_names_on_one_port_need_local_ports():
    twice = GOOD.replace("    secrets:", "      - {name: db2.example.com, raw: 5432}\n    secrets:")
    assert any("db.example.com and db2.example.com share port 5432" in what for _, _, what in refusal(twice))
    parse(twice.replace("db2.example.com, raw: 5432", "db2.example.com, raw: 5432, local_port: 5433"))


def test_one_secret_in_two_clients_is_refused():
    other = GOOD.split("  acme:\n")[1]
    assert any("both use env:ACME_TOKEN" in what for _, _, what in refusal(GOOD + "  beta:\n" + other))


def test_a_missing_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(HostkitError, match="no such policy; run `hostkit init`"):
        load(tmp_path / "hostkit.yml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path):
    (tmp_path / "hostkit.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HostkitError, match="not UTF-8"):
        load(tmp_path / "hostkit.yml")


@pytest.mark.parametrize("resolver", ["127.0.0.53", "::1", "0.0.0.0", "224.0.0.251", "fe80::1%eth0"])
def test_a_resolver_that_no_gateway_could_ask_is_refused(resolver):
    ((line, where, what),) = refusal(GOOD.replace("198.51.100.53", f'"{resolver}"'))
    assert (line, where) == (3, "host.resolvers[0]")
    assert what == f"{resolver} is no resolver that a gateway could ask from its own network; name the LAN's"


def test_an_empty_list_that_must_name_something_says_so():
    assert refusal(GOOD.replace("[198.51.100.53]", "[]")) == [(3, "host.resolvers", "is empty; name at least one")]


@pytest.mark.parametrize("network", ["0.0.0.0/0", "0.0.0.0/1", "127.0.0.0/8", "169.254.169.254/32", "::/0", "::1/128"])
def test_a_network_that_would_hold_the_metadata_address_or_the_gateway_itself_is_not_granted(network):
    ((line, where, what),) = refusal(GOOD.replace("10.20.0.0/16", f'"{network}"'))
    assert (line, where) == (11, "clients.acme.egress[1].networks[0]")
    assert what == f"{network} is too wide, a loopback or a link's own; name the network the host stands in"


@pytest.mark.parametrize(
    ("lines", "line", "where", "says"),
    [
        ("exempt: [hans]", 4, "host.exempt", "at `strict` nobody sends past the host's gateway"),
        ("profile: solo\n  exempt: [hostkit-agent]", 5, "host.exempt", "are never exempt"),
        ("profile: solo\n  exempt: [hostkit-gateway]", 5, "host.exempt", "are never exempt"),
        ("account: hostkit-gateway", 4, "host.account", "the account of the host's own gateway"),
        ("egress: [{name: git.example, raw: 22}]", 4, "host.egress", "may not take a port below 1024"),
        (
            "egress: [{name: a.example, raw: 5432}, {name: b.example, raw: 5432}]",
            4,
            "host.egress",
            "a.example and b.example share port 5432",
        ),
        ("egress: [{name: a.example, prots: [80]}]", 4, "host.egress[0].prots", "did you mean ports?"),
        ("vpn: {kind: wiregard, listen: 1}", 4, "host.vpn.kind", "did you mean wireguard?"),
        ("vpn: {kind: wireguard}", 4, "host.vpn", "wireguard needs the `endpoint` it calls"),
        ("vpn: {kind: wireguard, listen: 1, protocol: tcp}", 4, "host.vpn", "wireguard takes no `protocol`"),
        ("vpn: {kind: tailscale, listen: 41641}", 4, "host.vpn", "tailscale takes no `listen`"),
        ("vpn: {kind: openvpn, endpont: x}", 4, "host.vpn.endpont", "did you mean endpoint?"),
        ("vpn: {kind: openvpn, listen: '1194'}", 4, "host.vpn.listen", "integer"),
        *(
            (f"vpn: {{kind: openvpn, endpoint: '{where}'}}", 4, "host.vpn.endpoint", "the fence knows no names")
            for where in (
                "vpn.example:1194",
                "203.0.113.1",
                "203.0.113.1:0",
                "127.0.0.1:1",
                "[fe80::1%eth0]:1",
                "::1:1",
            )
        ),
    ],
)
def test_each_mistake_about_the_host_is_named_with_its_line(lines, line, where, says):
    ((at, path, what),) = refusal(GOOD.replace("clients:", f"  {lines}\nclients:"))
    assert (at, path, says in what) == (line, where, True), what


def test_the_hosts_own_ways_out_are_like_a_clients():
    lines = "  profile: solo\n  exempt: [hans]\n  egress: [{name: '*.mirror.example', ports: [80, 443]}]\nclients:"
    host = parse(GOOD.replace("clients:", lines)).host
    assert (host.egress[0].name, host.egress[0].ports, host.exempt) == ("*.mirror.example", (80, 443), ("hans",))


def test_a_vpns_other_end_is_kept_in_one_spelling():
    vpn = "  vpn: {kind: openvpn, endpoint: '[2001:DB8:0::1]:1194', listen: 1194, protocol: tcp}\nclients:"
    found = parse(GOOD.replace("clients:", vpn)).host.vpn
    assert (found.endpoint, found.listen, found.protocol) == ("[2001:db8::1]:1194", 1194, "tcp")
