"""What the gateway alone may read: whole or refused, an exact leaf before a pattern's, and none of it in its text."""

import ssl
from datetime import UTC, datetime

import pytest

from hostkit.gateway.inspect.tls import client_context, server_context
from hostkit.gateway.inspect.vault import leaf_file, open_vault
from hostkit.gateway.rules import Grant, Rules, RulesError
from hostkit.gateway.services import Service
from hostkit.secrets import authority
from tests.gateway.inspect.lab import CREDENTIAL, KEY

HOSTS = ("api.example", "*.api.example", "wss-*.example")


@pytest.fixture(scope="module")
def leaves(tmp_path_factory):
    names = (host.replace("wss-*", "*") for host in HOSTS)
    return authority.issue("acme", names, 1, datetime.now(UTC), tmp_path_factory.mktemp("near")).leaves


@pytest.fixture
def laid(tmp_path, leaves):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "key-key").write_text(f"{KEY}\n")
    for leaf in leaves:
        host = leaf.name.replace("*.example", "wss-*.example") if leaf.name == "*.example" else leaf.name
        (tmp_path / "1" / leaf_file(host)).write_bytes(leaf.chain_pem + leaf.key_pem)
    return tmp_path


def rules(**more):
    services = (Service("api", HOSTS, (), (CREDENTIAL,), **more), Service("bare", (), ()))
    return Rules("acme", 1, "127.0.0.1", tuple(Grant(host) for host in HOSTS), services=services)


def test_keys_and_leaves_are_read_and_its_text_shows_none_of_them(laid):
    vault = open_vault(laid, rules())
    assert vault.keys == {"key": KEY}
    assert repr(vault) == "Vault(1 keys, 3 leaves)"
    assert vault.leaf("api.example") is vault.leaves["api.example"]
    assert vault.leaf("x.api.example") is vault.leaves["*.api.example"]
    assert vault.leaf("wss-1.example") is vault.leaves["wss-*.example"]


def test_services_of_the_same_roots_share_one_context_for_it_is_large(laid):
    vault = open_vault(laid, rules())
    assert vault.upstream["api"] is vault.upstream["bare"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("key-key", None),
        ("key-key", "short"),
        ("key-key", "with a space in it"),
        ("key-key", "line\r\nX-Injected: 1"),
        ("key-key", "no-ascii-é-letters"),
        ("leaf-api.example.pem", None),
        ("leaf-api.example.pem", "no certificate"),
    ],
)
def test_what_is_not_whole_is_refused_without_telling_it(laid, name, text):
    (laid / "1" / name).unlink()
    if text is not None:
        (laid / "1" / name).write_text(text)
    with pytest.raises(RulesError) as caught:
        open_vault(laid, rules())
    assert name in str(caught.value)
    assert not text or text not in str(caught.value)


def test_roots_that_are_no_certificates_are_refused(laid):
    with pytest.raises(RulesError, match="roots: no certificates"):
        open_vault(laid, rules(roots="nothing"))


def test_both_sides_speak_tls_1_2_or_later_and_http_1_1_only(laid):
    for context in (server_context(laid / "1" / "leaf-api.example.pem"), client_context("")):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    there = client_context("")
    assert there.verify_mode is ssl.CERT_REQUIRED
    assert there.check_hostname
    assert not there.hostname_checks_common_name
