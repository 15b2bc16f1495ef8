"""The certificates with which a client's gateway opens TLS; the keys that sign them never leave the host.

A client's root lives two years and is trusted by its agent; its key and certificate are one file of the host, 0600. A
generation of the policy has an intermediate, constrained to the names that are inspected: its key signs the leaves
and is dropped, never written. Leaves and intermediate live seven days and are due for renewal when a third is left; a
renewal is a new intermediate and new leaves, and the agent notices nothing. A root with half a year left gets a new
certificate with the same key and name, so that an agent that runs on with the old one sees no difference until that
one ends.

A constraint to `api.example.com` also permits names below it: X.509 knows no narrower one. A leaf for `*.example.com`
is one label deep, as all clients read it; a deeper name is refused by the client. A URI or a mail address is not
constrained: no TLS client looks for its server there.
"""

import ipaddress
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hostkit.errors import CannotTell, HostkitError
from hostkit.health import state_directory
from hostkit.secrets import private

ROOT_LIFE, ROOT_RENEWAL = timedelta(days=730), timedelta(days=180)
LEAF_LIFE = timedelta(days=7)
_SKEW = timedelta(hours=1)
"""How far behind a sandbox's clock may be: the VM of a Mac that slept is."""
_CLIENT = re.compile(r"[a-z][a-z0-9-]{0,36}")
_ADDRESSES = tuple(x509.IPAddress(ipaddress.ip_network(every)) for every in ("0.0.0.0/0", "::/0"))
_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


class Signer(NamedTuple):
    """A certificate and the key behind it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Leaf:
    """What a gateway shows for one inspected name: the leaf and its intermediate, and the leaf's own key."""

    name: str
    chain_pem: bytes
    key_pem: bytes

    def __repr__(self) -> str:
        return f"Leaf({self.name!r})"


@dataclass(frozen=True)
class Issued:
    """The root that the agent trusts, and a leaf for each inspected name; `renew` is when new ones are due."""

    root_pem: bytes
    leaves: tuple[Leaf, ...]
    renew: datetime


def issue(client: str, names: Iterable[str], generation: int, now: datetime, directory: Path | None = None) -> Issued:
    """Return fresh leaves for these names under the client's root, which is made when it is missing.

    A name is exact or `*.suffix`. Raise CannotTell if others could have read the root's key.
    """
    signer, wanted = root(client, now, directory), sorted(set(names))
    middle = intermediate(signer, client, wanted, generation, now) if wanted else None
    leaves = tuple(leaf(middle, name, now) for name in wanted) if middle else ()
    return Issued(pem(signer.certificate), leaves, now + LEAF_LIFE * 2 / 3)


def due(chain_pem: bytes, now: datetime) -> bool:
    """Return whether a leaf is to be renewed: a third of its life or less is left, or its clock is in the future."""
    certificate = x509.load_pem_x509_certificate(chain_pem)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < begins or ends - now <= LEAF_LIFE / 3


def root(client: str, now: datetime, directory: Path | None = None) -> Signer:
    """Return the client's root, made when it is missing and certified anew, with the same key, before it ends."""
    path = _folder(client, directory) / "root.pem"
    if (content := private.read(path)) is None:
        key = ec.generate_private_key(ec.SECP256R1())
        private.make(path, _kept(_certified(client, key, now)))
        content = private.read(path)
    found = _loaded(path, content or b"")
    if found.certificate.not_valid_after_utc - now <= ROOT_RENEWAL:
        found = _certified(client, found.key, now)
        private.replace(path, _kept(found))
    return found


def remove(client: str, directory: Path | None = None) -> None:
    """Delete a client's root and its key: what they signed is trusted by no agent that is launched from now on."""
    path = _path(client, directory)
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as why:
        raise CannotTell(f"{path}: {why.strerror or why}", "delete it by hand, as root") from None


def intermediate(above: Signer, client: str, names: Sequence[str], generation: int, now: datetime) -> Signer:
    """Return an authority that may sign for these names and what is below them, for no address, and no authority."""
    permitted = [x509.DNSName(name) for name in sorted({name.removeprefix("*.") for name in names})]
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_named(f"hostkit {client} generation {generation}"), key, above, now, LEAF_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(x509.NameConstraints(permitted, _ADDRESSES), critical=True)
    builder = builder.add_extension(_uses("key_cert_sign"), critical=True)
    return Signer(_for_servers(builder).sign(above.key, SHA256()), key)


def leaf(above: Signer, name: str, now: datetime) -> Leaf:
    """Return a leaf for a name, its chain without the root; the name stands in the SAN alone, as clients read it."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_named("hostkit inspected"), key, above, now, LEAF_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    builder = _for_servers(builder.add_extension(_uses("digital_signature"), critical=True))
    return Leaf(name, pem(builder.sign(above.key, SHA256())) + pem(above.certificate), pem_key(key))


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key as PEM that is not encrypted: who holds the file holds the key."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _path(client: str, directory: Path | None) -> Path:
    if not _CLIENT.fullmatch(client):
        raise HostkitError(f"{client[:40]!a} is no client's name", "lower-case letters, digits and dashes")
    return (directory or state_directory()) / "authority" / client


def _folder(client: str, directory: Path | None) -> Path:
    path = _path(client, directory)
    private.folder(path.parent)
    return private.folder(path)


def _kept(signer: Signer) -> bytes:
    return pem_key(signer.key) + pem(signer.certificate)


def _loaded(path: Path, content: bytes) -> Signer:
    try:
        key, certificate = load_pem_private_key(content, None), x509.load_pem_x509_certificate(content)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CannotTell(f"{path} holds no root and its key", f"remove {path.parent} and launch the client anew")
    return Signer(certificate, key)


def _certified(client: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> Signer:
    builder = _builder(_named(f"hostkit {client} root"), key, None, now, ROOT_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    builder = builder.add_extension(_uses("key_cert_sign"), critical=True)
    return Signer(builder.sign(key, SHA256()), key)


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, above: Signer | None, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    """Return the part that all certificates share: what is signed by nobody above is signed by itself."""
    public, signed = key.public_key(), above.key.public_key() if above else key.public_key()
    builder = x509.CertificateBuilder(
        issuer_name=above.certificate.subject if above else subject,
        subject_name=subject,
        public_key=public,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _SKEW,
        not_valid_after=now + life,
    )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed), critical=False)


def _named(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "hostkit"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _uses(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in wanted for use in _USES})


def _for_servers(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
