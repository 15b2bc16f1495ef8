"""What the gateway's vault holds, and the program that lays it down."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hostkit.gateway.inspect.vault import open_vault
from hostkit.launch import keys, parts, vault
from hostkit.launch.model import Held
from hostkit.launch.plan import make_plan
from hostkit.secrets import authority
from tests.launch.test_keys import POLICY, SERVED
from tests.launch.test_plan import ENGINE, SLOT

HELD = keys.placeholders("acme", SERVED, {})
PLAN = make_plan(POLICY, "acme", SLOT, ENGINE, 7, Held(HELD))
NOW = datetime(2026, 11, 30, tzinfo=UTC)
VALUES = {"bot": b"xoxb-the-real-one", "password": b"of the warehouse"}


@pytest.fixture
def laid(tmp_path, monkeypatch):
    """Return what the writer leaves in a folder that stands for the volume."""
    filling = vault.filling(PLAN, VALUES, NOW, 6)
    (tmp_path / "vault" / "5").mkdir(parents=True)
    (tmp_path / "vault" / "6").mkdir()
    source = vault.VAULT_WRITER.replace("/vault", str(tmp_path / "vault"))
    write(source, filling)
    return tmp_path / "vault"


def write(source, filling):
    words = (sys.executable, "-I", "-c", source)
    ran = subprocess.run(words, input=filling.order(), capture_output=True, check=True, timeout=30)
    assert json.loads(ran.stdout) == {"written": filling.size}


def test_the_gateway_opens_what_the_writer_laid_down(laid):
    opened = open_vault(laid, PLAN.rules)
    assert opened.keys == {"bot": "xoxb-the-real-one"}
    assert set(opened.leaves) == {"slack.com", "files.slack.com", "hooks.slack.com", "wss-*.slack.com"}


def test_only_keys_of_services_reach_it_and_only_its_owner_reads_them(laid):
    assert sorted(path.name for path in (laid / "7").glob("key-*")) == ["key-bot"]
    assert {path.stat().st_mode & 0o777 for path in (laid / "7").iterdir()} == {0o400}
    assert (laid / "7").stat().st_mode & 0o777 == 0o700


def test_what_the_gateway_goes_by_is_kept_and_what_is_older_is_gone(laid):
    assert sorted(path.name for path in laid.iterdir()) == ["6", "7"]


def test_a_renewal_brings_fresh_leaves_and_takes_the_keys_over(laid):
    renewed = replace(PLAN, generation=8, rules=replace(PLAN.rules, generation=8))
    before = (laid / "7" / "leaf-slack.com.pem").read_bytes()
    write(vault.VAULT_WRITER.replace("/vault", str(laid)), vault.renewal(renewed, NOW, 7))
    assert open_vault(laid, renewed.rules).keys == {"bot": "xoxb-the-real-one"}
    assert (laid / "8" / "leaf-slack.com.pem").read_bytes() != before
    assert (laid / "8" / "key-bot").stat().st_mode & 0o777 == 0o400
    assert sorted(path.name for path in laid.iterdir()) == ["7", "8"]


def test_a_pattern_within_a_label_has_a_leaf_that_clients_take():
    names = x509.load_pem_x509_certificate(vault.filling(PLAN, VALUES, NOW).files["leaf-wss-_.slack.com.pem"])
    alternative = names.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternative.get_values_for_type(x509.DNSName) == ["*.slack.com"]


def test_the_agent_is_given_the_placeholder_for_the_key_and_any_other_value_itself():
    assert parts.given(PLAN, VALUES) == {"bot": HELD["bot"].encode(), "password": b"of the warehouse"}
    assert "xoxb-the-real-one" not in PLAN.to_json()


def test_the_writer_has_no_network_no_capability_and_no_volume_but_the_vault():
    writer = parts.writer(PLAN)
    assert (writer.network, writer.cap_drop, writer.user) == ("none", ("ALL",), PLAN.gateway.user)
    assert [(mount.volume, mount.read_only) for mount in writer.mounts] == [("hostkit-acme-vault", False)]
    assert {m.target: m.read_only for m in PLAN.gateway.mounts}["/vault"]
    assert "/vault" not in {m.target for m in (*PLAN.agent.mounts, *parts.filler(PLAN).mounts, *PLAN.probe.mounts)}


def test_no_key_of_an_authority_is_in_any_volume():
    laid = [data for name, data in vault.filling(PLAN, VALUES, NOW).files.items() if name.startswith("leaf-")]
    assert not [data for _, data, *_ in parts.trust_entries(PLAN, NOW) if data and b"PRIVATE KEY" in data]
    authorities = {public(cert) for data in laid for cert in x509.load_pem_x509_certificates(data) if signs(cert)}
    authorities.add(public(authority.root("acme", NOW).certificate))
    assert len(authorities) == 2
    assert authorities.isdisjoint(public(load_pem_private_key(data, None)) for data in laid)


def signs(certificate):
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def public(holder):
    return holder.public_key().public_numbers()
