"""What an agent holds instead of a key: shaped like the real one, worth nothing, and known for hostkit's and whose.

A placeholder is made anew for each client, service and launch. After the prefix stands a mark of `gateway.marks`, then
random letters up to the length of a real key, all of [0-9a-z], which every service's keys may hold.
"""

import re
import secrets
from dataclasses import dataclass

from hostkit.errors import HostkitError
from hostkit.gateway.marks import ALPHABET, LENGTH, RANDOM, sealed

_PREFIX = re.compile(r"[A-Za-z0-9_.-]{0,40}")
_LONGEST = 512


@dataclass(frozen=True)
class Shape:
    """How a service's keys look: what they begin with, and how long they are in all (0: as short as a mark allows)."""

    prefix: str
    length: int = 0


SHAPES = {
    shape.prefix: shape
    for shape in (
        Shape("xoxb-", 57),
        Shape("xoxp-", 77),
        Shape("xapp-1-", 108),
        Shape("sk-ant-api03-", 108),
        Shape("sk-proj-", 164),
        Shape("sk-or-v1-", 73),
        Shape("sk-", 51),
        Shape("ghp_", 40),
        Shape("gho_", 40),
        Shape("ghs_", 40),
        Shape("github_pat_", 93),
        Shape("glpat-", 26),
        Shape("AIza", 39),
        Shape("npm_", 40),
        Shape("pypi-", 180),
        Shape("dapi", 36),
    )
}
"""How the keys of well-known services look, by what they begin with."""


def shape(prefix: str) -> Shape:
    """Return the shape of keys that begin so, one that is as short as a mark allows where it is not known."""
    return SHAPES.get(prefix, Shape(prefix))


def placeholder(shape: Shape, client: str) -> str:
    """Return a new placeholder of this client; raise HostkitError for a shape that no key in a header can have.

    A shape too short for a mark is exceeded: to know a placeholder again matters more than its length.
    """
    if not _PREFIX.fullmatch(shape.prefix) or not 0 <= shape.length <= _LONGEST:
        raise HostkitError(f"{shape!r} is no shape of a key", "at most 40 of A-Z a-z 0-9 _ . - and a length up to 512")
    more = max(0, shape.length - len(shape.prefix) - LENGTH)
    return shape.prefix + sealed(client, _drawn(RANDOM)) + _drawn(more)


def _drawn(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))
