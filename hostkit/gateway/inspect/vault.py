"""What only the gateway may read: keys and leaves of one generation, out of a volume that is memory."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from hostkit.gateway.inspect.scrub import SHORTEST, Needles
from hostkit.gateway.inspect.tls import client_context, server_context
from hostkit.gateway.marks import mark
from hostkit.gateway.names import matches
from hostkit.gateway.rules import Rules, RulesError
from hostkit.gateway.services import Service

_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Vault:
    """One generation's keys by name, the TLS contexts of both sides, what is scrubbed; its text shows none of it."""

    keys: dict[str, str]
    needles: Needles
    leaves: dict[str, ssl.SSLContext]
    upstream: dict[str, ssl.SSLContext]
    mark: str

    def __repr__(self) -> str:
        return f"Vault({len(self.keys)} keys, {len(self.leaves)} leaves)"

    def leaf(self, name: str) -> ssl.SSLContext:
        """Return the context for a name of a service; an exact host goes before a pattern."""
        fitting = [host for host in self.leaves if matches(host, name)]
        return self.leaves[min(fitting, key=lambda host: ("*" in host, -len(host)))]


def open_vault(directory: Path, rules: Rules) -> Vault:
    """Return what the rules need out of `directory/GENERATION`; raise RulesError if any of it cannot be used."""
    place = directory / str(rules.generation)
    wanted = {known.secret for service in rules.services for known in service.credentials}
    keys = {name: _key(place / f"key-{name}") for name in sorted(wanted)}
    leaves = {host: _leaf(place / leaf_file(host)) for service in rules.services for host in service.hosts}
    contexts = {service.roots: _roots(service) for service in {one.roots: one for one in rules.services}.values()}
    upstream = {service.name: contexts[service.roots] for service in rules.services}
    return Vault(keys, Needles(value.encode() for value in keys.values()), leaves, upstream, mark(rules.client))


def leaf_file(host: str) -> str:
    """Return the name of the file that holds the leaf of a service's host, its chain and its key."""
    return f"leaf-{host.replace('*', '_')}.pem"


def _key(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            value = opened.read(_LIMIT).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as why:
        raise RulesError(f"vault: {file.name}: {getattr(why, 'strerror', None) or 'not ASCII'}") from None
    if len(value) < SHORTEST:
        raise RulesError(f"vault: {file.name}: a key of under {SHORTEST} letters")
    if not all("!" <= letter <= "~" for letter in value):
        raise RulesError(f"vault: {file.name}: a space or a control character, which cannot stand in a header")
    return value


def _leaf(file: Path) -> ssl.SSLContext:
    try:
        return server_context(file)
    except OSError as why:
        raise RulesError(f"vault: {file.name}: {why.strerror or type(why).__name__}") from None


def _roots(service: Service) -> ssl.SSLContext:
    try:
        return client_context(service.roots)
    except (OSError, ValueError):
        raise RulesError(f"rules.services.{service.name}.roots: no certificates") from None
