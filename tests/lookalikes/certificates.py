"""A test authority and a certificate for each look-alike's name: `python -m tests.lookalikes.certificates DIR`."""

import datetime as dt
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lookalikes.names import ELSEWHERE, EXPIRED, NAMES, OTHER_ISSUER, OTHER_NAME, UNSOUND

DAY = dt.timedelta(days=1)
STORE_PASSWORD = "changeit"
USAGES = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)


class Authority:
    """A certificate authority of this test's own."""

    def __init__(self, name):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = _built(self.name, self.name, self.key, _now() - DAY, _now() + 30 * DAY)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        built = built.add_extension(_usage(signs=True), critical=True)
        self.certificate = built.sign(self.key, hashes.SHA256())

    def leaf(self, name, ends=None):
        """Return (certificate, key) for one name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = _built(subject, self.name, key, _now() - 3 * DAY, ends or _now() + 29 * DAY)
        for extension, critical in self._extensions(name):
            built = built.add_extension(extension, critical=critical)
        return built.sign(self.key, hashes.SHA256()), key

    def _extensions(self, name):
        yield x509.BasicConstraints(ca=False, path_length=None), True
        yield _usage(signs=False), True
        yield x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False
        yield x509.SubjectAlternativeName([x509.DNSName(name)]), False
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False


def _now():
    return dt.datetime.now(dt.UTC)


def _usage(*, signs):
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=signs, crl_sign=signs, **dict.fromkeys(USAGES, False)
    )  # fmt: skip


def _built(subject, issuer, key, begins, ends):
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    return built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def make(folder):
    """Write ca.crt, ca.p12 (for Java, STORE_PASSWORD), and NAME.crt, NAME.key."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, other = Authority("hostkit look-alikes"), Authority("somebody else's authority")
    for name in NAMES:
        _keep(folder, name, *authority.leaf(name))
    for name in UNSOUND:
        issuer = other if name == OTHER_ISSUER else authority
        shown = ELSEWHERE if name == OTHER_NAME else name
        _keep(folder, name, *issuer.leaf(shown, _now() - 2 * DAY if name == EXPIRED else None))
    _trust(folder, authority.certificate)


def _keep(folder, name, certificate, key):
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _trust(folder, certificate):
    (folder / "ca.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    entries = [PKCS12Certificate(certificate, b"lookalikes")]
    store = serialize_java_truststore(entries, BestAvailableEncryption(STORE_PASSWORD.encode()))
    (folder / "ca.p12").write_bytes(store)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
