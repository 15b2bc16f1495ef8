"""What an agent needs to trust its gateway: the files of a read-only volume.

The bundle's public roots are those of `certifi`, which is Mozilla's list as hostkit's lock file pins it: the same on
Linux and a Mac, and without whatever root somebody once added to the host. A server that is not inspected and whose
root is private is trusted by none of them. Nothing here is a secret.
"""

import re
import warnings
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore
from cryptography.utils import CryptographyDeprecationWarning

from hostkit.secrets.way import PASSWORD

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)


def files(root_pem: bytes) -> dict[str, bytes]:
    """Return what the volume holds, by name: the root alone, the bundle of all roots, and the same for Java."""
    roots = [root_pem, *public_roots()]
    return {"ca.pem": root_pem, "bundle.pem": b"".join(roots), "trust.p12": _store(roots)}


def public_roots() -> list[bytes]:
    """Return the public roots, each as PEM."""
    return _BLOCK.findall(Path(certifi.where()).read_bytes())


def _store(roots: list[bytes]) -> bytes:
    """Return the roots as a PKCS#12 store with the attribute by which Java takes each for a trusted one."""
    with warnings.catch_warnings():  # one old public root has serial number 0
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        trusted = [
            PKCS12Certificate(x509.load_pem_x509_certificate(root), f"root-{number}".encode())
            for number, root in enumerate(roots)
        ]
    return serialize_java_truststore(trusted, BestAvailableEncryption(PASSWORD.encode()))
