"""What an agent needs to trust its gateway: a read-only volume at /run/hostkit, and the variables that lead to it.

The bundle's public roots are those of `certifi`, which is Mozilla's list as hostkit's lock file pins it: the same on
Linux and a Mac, and without whatever root somebody once added to the host. A server that is not inspected and whose
root is private is trusted by none of them. Nothing here is a secret; the store's password is the one that Java's own
has, for Java reads no store without one.

PGSSLROOTCERT has a price: libpq verifies whatever root it is given, so a database whose root is private and whose
client only says `sslmode=require` wants `PGSSLROOTCERT=` and its own file.
"""

import re
import warnings
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore
from cryptography.utils import CryptographyDeprecationWarning

FOLDER = "/run/hostkit"
ROOT, BUNDLE, STORE = f"{FOLDER}/ca.pem", f"{FOLDER}/bundle.pem", f"{FOLDER}/trust.p12"
PASSWORD = "changeit"  # noqa: S105 - Java's own; the store holds public certificates
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)
_PROXIED = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_BUNDLED = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT", "npm_config_cafile"),
    *("AWS_CA_BUNDLE", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "HTTPLIB2_CA_CERTS"),
    "PGSSLROOTCERT",
)
"""Variables whose file replaces a client's own roots, so it holds the public ones too; Node's only adds to them."""


def files(root_pem: bytes) -> dict[str, bytes]:
    """Return what the volume holds, by name: the root alone, the bundle of all roots, and the same for Java."""
    roots = [root_pem, *public_roots()]
    return {"ca.pem": root_pem, "bundle.pem": b"".join(roots), "trust.p12": _store(roots)}


def public_roots() -> list[bytes]:
    """Return the public roots, each as PEM."""
    return _BLOCK.findall(Path(certifi.where()).read_bytes())


def environment(proxy_host: str, proxy_port: int) -> dict[str, str]:
    """Return every variable that some client needs to find the gateway and to trust it, as measured per client."""
    proxy, near = f"http://{proxy_host}:{proxy_port}", ("localhost", "127.0.0.1", proxy_host)
    return {
        **dict.fromkeys(_PROXIED, proxy),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(near)),
        **dict.fromkeys(_BUNDLED, BUNDLE),
        "NODE_EXTRA_CA_CERTS": ROOT,
        "NODE_USE_ENV_PROXY": "1",
        "JAVA_TOOL_OPTIONS": " ".join(_java(proxy_host, proxy_port, near)),
    }


def _java(host: str, port: int, near: tuple[str, ...]) -> list[str]:
    settings = {
        "http.proxyHost": host,
        "http.proxyPort": port,
        "https.proxyHost": host,
        "https.proxyPort": port,
        "http.nonProxyHosts": "|".join(near),
        "javax.net.ssl.trustStore": STORE,
        "javax.net.ssl.trustStorePassword": PASSWORD,
        "javax.net.ssl.trustStoreType": "PKCS12",
    }
    return [f"-D{name}={value}" for name, value in settings.items()]


def _store(roots: list[bytes]) -> bytes:
    """Return the roots as a PKCS#12 store with the attribute by which Java takes each for a trusted one."""
    with warnings.catch_warnings():  # one old public root has serial number 0
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        trusted = [
            PKCS12Certificate(x509.load_pem_x509_certificate(root), f"root-{number}".encode())
            for number, root in enumerate(roots)
        ]
    return serialize_java_truststore(trusted, BestAvailableEncryption(PASSWORD.encode()))
