"""What the agent is given to trust its gateway, and the variables that each client needs to find it."""

import re
import shutil
import ssl
import subprocess

import pytest
from cryptography import x509

from hostkit.secrets import authority, trust
from tests.secrets import tls

SAID = trust.environment("10.231.0.2", 3128)
PROXY = "http://10.231.0.2:3128"


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
    command = ("keytool", "-list", "-keystore", f"{volume}/trust.p12", "-storepass", trust.PASSWORD)
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "Keystore type: PKCS12" in said
    assert said.count("trustedCertEntry") == 1 + len(trust.public_roots())


def test_nothing_in_it_is_a_key(volume):
    assert not [path for path in volume.glob("*.p*") if b"PRIVATE" in path.read_bytes()]
    assert all(b"PRIVATE" not in root for root in trust.public_roots())
    assert len(x509.load_pem_x509_certificates((volume / "ca.pem").read_bytes())) == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"])
def test_the_proxy_is_told_in_both_cases(name):
    assert SAID[name] == PROXY


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_the_gateway_itself_and_this_container_are_asked_without_it(name):
    assert SAID[name] == "localhost,127.0.0.1,10.231.0.2"


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("urllib, httpx, aiohttp, websockets, Go, curl, snowflake, databricks", "SSL_CERT_FILE"),
        ("requests, bigquery, boto3", "REQUESTS_CA_BUNDLE"),
        ("curl, requests", "CURL_CA_BUNDLE"),
        ("git", "GIT_SSL_CAINFO"),
        ("pip", "PIP_CERT"),
        ("npm", "npm_config_cafile"),
        ("boto3", "AWS_CA_BUNDLE"),
        ("gcloud", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"),
        ("gRPC", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"),
        ("httplib2", "HTTPLIB2_CA_CERTS"),
        ("libpq", "PGSSLROOTCERT"),
    ],
)
def test_who_replaces_its_roots_is_given_all_of_them(client, name):
    assert SAID[name] == "/run/hostkit/bundle.pem"


def test_node_adds_the_root_to_its_own_and_goes_by_the_proxy():
    assert (SAID["NODE_EXTRA_CA_CERTS"], SAID["NODE_USE_ENV_PROXY"]) == ("/run/hostkit/ca.pem", "1")


def test_java_is_told_all_by_its_options():
    assert dict(re.findall(r"-D(\S+?)=(\S+)", SAID["JAVA_TOOL_OPTIONS"])) == {
        "http.proxyHost": "10.231.0.2",
        "http.proxyPort": "3128",
        "https.proxyHost": "10.231.0.2",
        "https.proxyPort": "3128",
        "http.nonProxyHosts": "localhost|127.0.0.1|10.231.0.2",
        "javax.net.ssl.trustStore": "/run/hostkit/trust.p12",
        "javax.net.ssl.trustStorePassword": "changeit",
        "javax.net.ssl.trustStoreType": "PKCS12",
    }


def test_no_variable_is_left_over():
    known = {name for name in SAID if name.upper().endswith("PROXY") or SAID[name].startswith("/run/hostkit/")}
    assert set(SAID) - known == {"JAVA_TOOL_OPTIONS"}
