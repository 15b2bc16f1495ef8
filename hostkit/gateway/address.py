"""The class of an address, as one word; only `public` may be dialled without being listed."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 6890 and the IANA special-purpose registries; the order is from narrow to wide.
_CLASSES = (
    ("metadata", ("169.254.169.254/32", "169.254.170.2/32", "100.100.100.200/32", "168.63.129.16/32")),
    ("metadata", ("fd00:ec2::254/128",)),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
    ("shared", ("100.64.0.0/10",)),
    ("documentation", ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")),
    ("benchmark", ("198.18.0.0/15", "2001:2::/48")),
    ("protocol", ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "100::/64", "5f00::/16")),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("reserved", ("240.0.0.0/4",)),
)
_NETWORKS = tuple((word, ipaddress.ip_network(text)) for word, texts in _CLASSES for text in texts)
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


def class_of(address: Address) -> str:
    """Return the address's class; one that carries another inside (mapped, NAT64, 6to4, Teredo) is never public."""
    if isinstance(address, ipaddress.IPv6Address) and _carries(address):
        return "embedded"
    for word, network in _NETWORKS:
        if address.version == network.version and address in network:
            return word
    if isinstance(address, ipaddress.IPv6Address) and address not in ipaddress.IPv6Network("2000::/3"):
        return "reserved"
    return "public"


def _carries(address: ipaddress.IPv6Address) -> bool:
    if address.ipv4_mapped or address.sixtofour or address.teredo:
        return True
    compatible = 1 < int(address) < 2**32
    return compatible or any(address in network for network in _NAT64)


def refusal(address: Address, listed: tuple[str, ...], refused: tuple[str, ...]) -> tuple[str, str] | None:
    """Return (rule, reason) if the address may not be dialled, None if it may.

    `refused` (the host's own addresses, hostkit's subnets) wins over `listed` (networks granted to this very name).
    """
    if any(_within(address, network) for network in refused):
        return "host-address", f"{address} belongs to this host"
    word = class_of(address)
    if word == "public" or any(_within(address, network) for network in listed):
        return None
    return "private-address", f"{address} is {word}, and no listed network of this name"


def _within(address: Address, network: str) -> bool:
    parsed = ipaddress.ip_network(network)
    return parsed.version == address.version and address in parsed
