"""What the agent is given to trust its gateway."""

import shutil
import ssl
import subprocess

import pytest
from cryptography import x509

from hostkit.secrets import authority, trust
from hostkit.secrets.way import PASSWORD
from tests.secrets import tls


@pytest.fixture
def made(tmp_path):
    return authority.issue("acme", ["api.example.com"], 1, tls.NOW, tmp_path)


@pytest.fixture
def volume(made, tmp_path):
    for name, content in trust.files(made.root_pem).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_root_is_alone_in_one_file_and_first_of_all_in_the_bundle(made, volume):
    assert (volume / "ca.pem").read_bytes() == made.root_pem
    bundle = (volume / "bundle.pem").read_bytes()
    assert bundle.startswith(made.root_pem)
    assert bundle.count(b"BEGIN CERTIFICATE") == 1 + len(trust.public_roots()) > 100


@pytest.mark.parametrize("name", ["ca.pem", "bundle.pem"])
def test_a_leaf_is_taken_with_either_and_the_public_roots_with_the_bundle(made, volume, name):
    leaf = made.leaves[0]
    with tls.serving(leaf.chain_pem, leaf.key_pem, volume) as port:
        assert tls.python_ssl(str(volume / name), "api.example.com", port, volume) == ""
    context = ssl.create_default_context(cafile=volume / name)
    assert (context.cert_store_stats()["x509_ca"] > 100) is (name == "bundle.pem")


@pytest.mark.skipif(not shutil.which("keytool"), reason="no Java on this machine")
def test_java_takes_each_root_of_the_store_for_a_trusted_one(volume):
    command = ("keytool", "-list", "-keystore", f"{volume}/trust.p12", "-storepass", PASSWORD)
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "Keystore type: PKCS12" in said
    assert said.count("trustedCertEntry") == 1 + len(trust.public_roots())


def test_nothing_in_it_is_a_key(volume):
    assert not [path for path in volume.glob("*.p*") if b"PRIVATE" in path.read_bytes()]
    assert all(b"PRIVATE" not in root for root in trust.public_roots())
    assert len(x509.load_pem_x509_certificates((volume / "ca.pem").read_bytes())) == 1
