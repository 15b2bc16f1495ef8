"""A commented policy to start from, written from what this host shows."""

import ipaddress
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from hostkit.policy.mirrors import mirrors
from hostkit.policy.part import is_listed_name


def starting_policy(  # noqa: PLR0913 - what a host shows is this much
    addresses: Mapping[str, tuple[str, ...]],
    routes: Iterable[tuple[str, str]],
    resolv_conf: str,
    reached: Iterable[str] = (),
    sources: Iterable[str] = (),
    registries: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> str:
    """Return a policy that loads as it is, with no client yet; what the host did not show has a comment instead.

    `addresses` are by interface, `routes` the (gateway, interface) of each default route, `reached` the
    addresses of this host at which SSH sessions came in, `sources` the texts of apt's sources files, `registries`
    the hosts from which each package manager of this host fetches.
    """
    found = mirrors(sources)
    tls = tuple(name for name, port in found if port == 443 and is_listed_name(name))
    ways = {interface for _, interface in routes}
    return _TEMPLATE.format(
        management=", ".join(_management(addresses, set(reached))),
        resolvers=", ".join(_resolvers(resolv_conf)) or "9.9.9.9",
        lan=", ".join(_lan(addresses, ways)),
        egress=_egress(found),
        services=_services({"apt": tls, **registries}),
    )


def _egress(found: Iterable[tuple[str, int]]) -> str:
    """Return a line for each mirror that a name can be listed for; addresses and bare names have none."""
    ports: dict[str, list[int]] = {}
    for name, port in found:
        if is_listed_name(name):
            ports.setdefault(name, []).append(port)
    lines = [f"    - {{name: {name}, ports: {ports[name]}}}   # from apt's sources" for name in sorted(ports)]
    return "\n".join(["", *lines]) if lines else " []"


def _services(found: Mapping[str, tuple[str, ...]]) -> str:
    """Return a commented service for each package manager that fetches over TLS: reads only, a host in one of them."""
    lines, taken = [], set[str]()
    npm = set(found.get("npm", ()))  # which asks for @scope%2fname
    for name, hosts in found.items():
        if fresh := sorted(set(hosts) - taken):
            scoped = ", encoded_slash: true" if npm & set(fresh) else ""
            line = f"{name}: {{kind: generic, hosts: [{', '.join(fresh)}], methods: [GET, HEAD]{scoped}}}"
            lines.append(f"#      {line}   # as {name} is set on this host\n")
        taken |= set(hosts)
    return "".join(lines)


def _management(addresses: Mapping[str, tuple[str, ...]], reached: set[str]) -> list[str]:
    return sorted(name for name, found in addresses.items() if name != "lo" and reached & set(found))


def _resolvers(resolv_conf: str) -> list[str]:
    """Return the name servers of resolv.conf that a gateway can ask: no loopback one, none on a link of the host."""
    lines = resolv_conf.splitlines()
    words = [line.split()[1] for line in lines if line.startswith("nameserver ") and len(line.split()) > 1]
    return [word for word in words if _is_remote(word)]


def _is_remote(word: str) -> bool:
    try:
        return "%" not in word and not ipaddress.ip_address(word).is_loopback
    except ValueError:
        return False


def _lan(addresses: Mapping[str, tuple[str, ...]], ways: set[str]) -> list[str]:
    found = set()
    for name in ways:
        for address in addresses.get(name, ()):
            parsed = ipaddress.ip_address(address)
            if parsed.version == 4 and parsed.is_private:
                found.add(str(ipaddress.ip_network(f"{address}/24", strict=False)))
    return sorted(found)


_TEMPLATE = """\
# hostkit policy. `hostkit policy check` says what is wrong in it, `hostkit policy schema` is for your editor.
version: 1
host:
  profile: strict              # or solo: a single machine at a desk, which asks for less
  management: [{management}]   # the interfaces over which you reach this host; nothing else is let in
  management_ports: [22]
  lan: [{lan}]                 # the networks beside this host (a /24 is assumed); agents never reach them
  resolvers: [{resolvers}]     # asked by the gateways, and only for listed names
  pool: 10.231.0.0/20          # the networks of the sandboxes are cut from this
  # This host's own ways out, by name, through its own gateway: apt, the engine, pip, git. Nothing else of it leaves.
  egress:{egress}
#    - {{name: packages.example}}  # port 443 where no `ports` are given
#  vpn: {{kind: wireguard, endpoint: "203.0.113.1:51820"}}  # or tailscale, openvpn; its interface goes to `management`
#  exempt: [you]              # at `solo` only: accounts that may send past the host's gateway
clients: {{}}
#  acme:
#    agreement: {{permitted: true, document: agreements/acme.pdf, expires: 2027-06-30}}
#    trust: observer           # observer, analyst, operator, contributor, deployer
#    agent: {{preset: shell}}    # or `image: name@sha256:...` with a `command`
#    services:                 # opened and judged request by request; the agent holds placeholders of their keys
#      slack: {{secret: slack-bot, team: T0123456, channels: [C0123456]}}
{services}#    egress:                   # tunnels, which nobody looks into
#      - name: warehouse.example.com
#        raw: 5432             # one plain TCP port of this name
#    secrets:
#      slack-bot: {{source: "env:ACME_SLACK_TOKEN"}}
"""
