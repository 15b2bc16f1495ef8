"""What an agent holds in place of its keys, and that no key serves twice; what is heavy is imported when it is used."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from hostkit.errors import HostkitError
from hostkit.launch.model import Held
from hostkit.launch.state import State
from hostkit.policy.model import Client
from hostkit.secrets import fingerprints
from hostkit.secrets.reuse import refuse_reuse

_PEM = "`ca` names a file of certificates in PEM, and nothing else in it"


def held(name: str, client: Client, kept: Mapping[str, str]) -> Held:
    """Return what the client's plan needs beside the policy; raise HostkitError for a `ca` that is no certificates."""
    roots = {service: _roots(service, Path(line.ca)) for service, line in client.services.items() if line.ca}
    return Held(placeholders(name, client, kept), roots)


def _roots(service: str, file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii")
        ssl.create_default_context(cadata=text)
    except (OSError, ValueError) as why:
        raise HostkitError(f"{service}: {file}: {getattr(why, 'strerror', None) or why}", _PEM) from None
    return text


def placeholders(name: str, client: Client, kept: Mapping[str, str]) -> dict[str, str]:
    """Return a placeholder for each key of the client's services: the kept one, else a new one."""
    if not client.services:
        return {}
    from hostkit.policy.services.compile import shapes  # noqa: PLC0415 - only clients with services pay for it
    from hostkit.secrets.placeholders import Shape, placeholder  # noqa: PLC0415 - same

    wanted = {secret: Shape(shape.prefix, shape.length) for secret, shape in shapes(client).items()}
    return {secret: kept.get(secret) or placeholder(shape, name) for secret, shape in wanted.items()}


def refuse_reused(state: State, name: str, values: Mapping[str, bytes]) -> None:
    """Raise HostkitError if a value is another secret's or another client's too; else keep its fingerprint."""
    if not values:
        return
    secret = fingerprints.key()
    own = {key: fingerprints.of(value, secret) for key, value in values.items()}
    others = {
        (other, key): found
        for other in state.launched() - {name}
        for key, found in state.entry(other).get("fingerprints", {}).items()
    }
    refuse_reuse({**others, **{(name, key): found for key, found in own.items()}})
    state.update(name, fingerprints=own)


def remove_authority(name: str) -> None:
    """Delete the authority of a client that is removed."""
    from hostkit.secrets import authority  # noqa: PLC0415 - it loads the library for certificates

    authority.remove(name)
