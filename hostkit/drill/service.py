"""The service of a drill: a name that nobody owns, keys and certificates of the drill's own, dead when it ends.

No key of the client's, and no authority of it, is ever near: so the drill of a client without a service is the same.
"""

import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from hostkit.gateway.inspect.vault import leaf_file
from hostkit.gateway.marks import mark
from hostkit.gateway.rules import Grant
from hostkit.gateway.services import Credential, Route, Service
from hostkit.secrets import authority
from hostkit.secrets.placeholders import placeholder, shape

NAME = "service.drill.invalid"
"""Each attempt asks for a name of its own below it, so that a record is of one attempt."""
_HOST = f"*.{NAME}"
PREFIX = "drill-"
"""How the drill's own keys begin: like nobody's, for what looks like a key is an escape of another probe."""
LIMIT = 64 * 1024
"""Octets that a body of the drill's service may have."""
_OTHER = "drilled"
_KEY = "drill"


@dataclass(frozen=True)
class Papers:
    """What one drill mints: keys that open nothing, and an authority that nobody trusts.

    `stranger` is a placeholder of a client that there is not. `leaf` and `far` are the gateway's and the collector's
    certificates with their keys; `signer` is the authority's own key, which lies about in a twin only.
    """

    placeholder: str
    stranger: str
    key: str = field(repr=False)
    root: str
    leaf: bytes = field(repr=False)
    far: bytes = field(repr=False)
    signer: bytes = field(repr=False)

    @property
    def shaped(self) -> str:
        """Return a key that looks like one of a well-known service."""
        return f"{shape('sk-ant-api03-').prefix}{self.key.removeprefix(PREFIX)}"

    @property
    def digest(self) -> str:
        """Return by what the collector tells that it was shown the key."""
        return sha256(f"Bearer {self.key}".encode()).hexdigest()


def minted(client: str, generation: int, now: datetime) -> Papers:
    """Return the papers of one drill; the authority's folder is gone when this returns."""
    with tempfile.TemporaryDirectory() as folder:
        issued = [authority.issue(_KEY, {_HOST}, generation, now, Path(folder)) for _ in range(2)]
        signer = authority.root(_KEY, now, Path(folder))
    leaf, far = (one.chain_pem + one.key_pem for one in (issued[0].leaves[0], issued[1].leaves[0]))
    return Papers(
        placeholder=placeholder(shape(PREFIX), client),
        stranger=placeholder(shape(PREFIX), _OTHER),
        key=PREFIX + secrets.token_hex(32),
        root=issued[0].root_pem.decode(),
        leaf=leaf,
        far=far,
        signer=authority.pem_key(signer.key),
    )


def service(papers: Papers) -> Service:
    """Return what the rehearsal gateway opens: requests below one path, and one WebSocket, each with the key."""
    routes = (
        Route(("GET", "POST"), "/open/**", credential=_KEY, limit=LIMIT),
        Route(("GET",), "/socket", credential=_KEY, socket=True),
    )
    known = Credential(_KEY, papers.placeholder, ("header:authorization=Bearer {}",))
    return Service("drill", (_HOST,), routes, (known,), roots=papers.root)


def grant(collector: str) -> Grant:
    """Return the grant of the service's names, which may lead to the collector's address and nowhere else."""
    return Grant(_HOST, (443,), (f"{collector}/32",))


def vault_files(papers: Papers) -> dict[str, bytes]:
    """Return what the rehearsal gateway's vault holds."""
    return {f"key-{_KEY}": papers.key.encode(), leaf_file(_HOST): papers.leaf}


def targets(papers: Papers, client: str, placeholders: Mapping[str, str]) -> dict[str, str]:
    """Return what the probes of the service aim with; `swapped` are the secrets that the agent holds no value of."""
    return {
        "service": NAME,
        "placeholder": papers.placeholder,
        "stranger": papers.stranger,
        "digest": papers.digest,
        "authority": papers.root,
        "mark": mark(client),
        "swapped": ",".join(sorted(placeholders)) or "-",
    }
