"""The variables that each client needs to find its gateway and to trust it."""

import re

import pytest

from hostkit.secrets import way

SAID = way.environment("10.231.0.2", 3128)
PROXY = "http://10.231.0.2:3128"


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


def test_libpq_is_left_to_its_own_roots_for_a_database_is_passed_on_unopened():
    assert "PGSSLROOTCERT" not in SAID
