"""The variables by which an agent's programs find their gateway, and trust it; measured client by client.

PGSSLROOTCERT is not among them: libpq verifies by whatever file it is given, so a database whose root is private, and
which the gateway passes on unopened, could not be reached any more.
"""

FOLDER = "/run/hostkit"
ROOT, BUNDLE, STORE = f"{FOLDER}/ca.pem", f"{FOLDER}/bundle.pem", f"{FOLDER}/trust.p12"
PASSWORD = "changeit"  # noqa: S105 - Java reads no store without one, and this is its own; the store holds no secret
_NEAR = ("localhost", "127.0.0.1")
_PROXIED = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_BUNDLED = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT", "npm_config_cafile"),
    *("AWS_CA_BUNDLE", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "HTTPLIB2_CA_CERTS"),
)
"""Variables whose file replaces a client's own roots, so it holds the public ones too; Node's only adds to them."""


def proxies(proxy_host: str, proxy_port: int) -> dict[str, str]:
    """Return the variables that lead to the gateway's proxy; the gateway itself is asked directly."""
    return {
        **dict.fromkeys(_PROXIED, f"http://{proxy_host}:{proxy_port}"),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join((*_NEAR, proxy_host))),
        "NODE_USE_ENV_PROXY": "1",
    }


def environment(proxy_host: str, proxy_port: int) -> dict[str, str]:
    """Return every variable that some client needs to find the gateway and to trust it, as measured per client."""
    return {
        **proxies(proxy_host, proxy_port),
        **dict.fromkeys(_BUNDLED, BUNDLE),
        "NODE_EXTRA_CA_CERTS": ROOT,
        "JAVA_TOOL_OPTIONS": " ".join(_java(proxy_host, proxy_port)),
    }


def _java(host: str, port: int) -> list[str]:
    settings = {
        "http.proxyHost": host,
        "http.proxyPort": port,
        "https.proxyHost": host,
        "https.proxyPort": port,
        "http.nonProxyHosts": "|".join((*_NEAR, host)),
        "javax.net.ssl.trustStore": STORE,
        "javax.net.ssl.trustStorePassword": PASSWORD,
        "javax.net.ssl.trustStoreType": "PKCS12",
    }
    return [f"-D{name}={value}" for name, value in settings.items()]
