from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostkit.gateway.address import class_of, refusal

CLASSES = {
    "public": ["1.1.1.1", "8.8.8.8", "2606:4700::1111"],
    "loopback": ["127.0.0.1", "127.255.0.9", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1"],
    "link-local": ["169.254.1.1", "fe80::1"],
    "metadata": ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"],
    "shared": ["100.64.0.1", "100.127.255.255"],
    "embedded": ["::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "::10.0.0.1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"],
    "benchmark": ["198.18.0.1"],
    "protocol": ["192.0.0.1", "2001:10::1", "100::1"],
    "multicast": ["224.0.0.1", "ff02::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "4000::1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
}


@pytest.mark.parametrize(("word", "text"), [(word, text) for word, texts in CLASSES.items() for text in texts])
def test_each_address_has_its_class(word, text):
    assert class_of(ip_address(text)) == word


def test_teredo_is_never_public():
    assert class_of(ip_address("2001:0:4136:e378:8000:63bf:3fff:fdd2")) == "embedded"


def test_only_a_listed_network_opens_a_private_address():
    inside = ip_address("10.20.0.5")
    assert refusal(inside, (), ()) == ("private-address", "10.20.0.5 is private, and no listed network of this name")
    assert refusal(inside, ("10.20.0.0/16",), ()) is None
    assert refusal(inside, ("10.21.0.0/16",), ())[0] == "private-address"


def test_the_hosts_own_addresses_win_over_whatever_is_listed():
    assert refusal(ip_address("10.20.0.5"), ("10.20.0.0/16",), ("10.20.0.5/32",))[0] == "host-address"
    assert refusal(ip_address("1.1.1.1"), (), ("1.1.1.1/32",))[0] == "host-address"


@settings(max_examples=500)
@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.integers(0, 2**32 - 1).map(IPv4Address)))
def test_what_is_called_public_is_global_by_pythons_own_table_too(address):
    assert class_of(address) != "public" or (address.is_global and not address.is_multicast)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["::ffff:0:0", "64:ff9b::", "::", "2002::"]))
def test_a_v4_address_inside_a_v6_one_is_never_public(inner, prefix):
    shift = 80 if prefix == "2002::" else 0
    assert class_of(IPv6Address(int(IPv6Address(prefix)) + (inner << shift))) != "public"
