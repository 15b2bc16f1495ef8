"""What the gateway must know of a service to open its requests: plain data, made on the host for each generation.

Nothing here names a vendor. `hostkit.policy.services` turns a service's file and the client's lines into these values,
with the trust level already applied: a route that the level does not have is not in the list.
"""

from dataclasses import dataclass
from functools import cached_property

from hostkit.gateway.http import Headers

LIMIT = 1024 * 1024
"""Octets of a body that is read whole to be judged, where a route names no other limit."""
COUNTED = frozenset({"requests", "bytes_up", "bytes_down", "messages", "tokens", "cost"})
_UNSAID = frozenset(b"host expect forwarded via x-real-ip x-client-ip true-client-ip cookie".split())
"""Headers of a request that never leave; nor does any `x-forwarded-*`, or a name with `_`, which some read as `-`."""
SPANS = {"minute": 60, "day": 86400}
"""Seconds in the stretches of time that a budget may be for."""


@dataclass(frozen=True)
class Credential:
    """One key of a service: the file that holds it, what the agent holds instead, and where it may stand.

    `places` are `header:NAME=FORM`, `query:NAME`, or `basic` (the password of Basic). A FORM holds `{}` where the key
    goes, as `Bearer {}`. The agent may use any of them; upstream the key stands in the first, and nowhere else.
    `secret` is the name of a file in the vault, which the gateway alone can read.
    """

    secret: str
    placeholder: str
    places: tuple[str, ...]


def header_of(place: str) -> bytes:
    """Return the name of the header that a place of a key names, any other place as it is."""
    return place.removeprefix("header:").partition("=")[0].lower().encode()


@dataclass(frozen=True)
class Pin:
    """A place in a request or an answer, and the values that it may hold.

    `place` is `query`, `header`, or `body` (JSON or a form, whichever it is). `field` is a name or a path of names:
    `files[].id`; `**` is any depth. A value that ends in `*` is a beginning. No `values`: the field must not be there
    at all. `required`: it must be there.
    """

    place: str
    field: str
    values: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Route:
    """One thing that a service lets its client do; what no route matches is refused.

    `path` is a template: `*` stands for one segment or a part of one, `**` at the end for what follows. `credential` is
    the secret that must be used, empty where none is sent. `expects` are checked in the answer before the agent sees
    any of it. `issues` are fields of the answer that hold addresses; a route with `ticket` takes only those that were
    issued under that word. `socket` is a WebSocket. `counts` is what one request is in the budget (`messages`).
    `limit` is the most octets of a body; 0 is no limit but the budget's.
    """

    methods: tuple[str, ...]
    path: str
    hosts: tuple[str, ...] = ()
    credential: str = ""
    pins: tuple[Pin, ...] = ()
    expects: tuple[Pin, ...] = ()
    issues: tuple[str, ...] = ()
    ticket: str = ""
    socket: bool = False
    counts: str = ""
    limit: int = 0

    @cached_property
    def body_pins(self) -> tuple[Pin, ...]:
        """What is wanted of a request's body, which is read whole then."""
        return tuple(pin for pin in self.pins if pin.place == "body")

    @cached_property
    def reads_answer(self) -> bool:
        """Whether a good answer has to be read whole before the agent sees any of it."""
        return bool(self.issues) or any(pin.place == "body" for pin in self.expects)


@dataclass(frozen=True)
class Budget:
    """The most of one thing in one stretch of time: `requests`, `bytes_up`, `bytes_down`, `messages`, `tokens`, `cost`.

    `per` is `minute` or `day` (both by the clock, UTC). `cost` is counted in millionths of the policy's currency.
    """

    of: str
    per: str
    most: int


@dataclass(frozen=True)
class Price:
    """What a model's tokens cost, in millionths of the currency for a thousand tokens; `model` may end in `*`."""

    model: str
    input: int
    output: int


@dataclass(frozen=True)
class Service:
    """A service of one client: its hosts are opened, judged request by request, and nothing of them is tunnelled.

    `hosts` are canonical names, `*.suffix`, or one label with a `*` in it (`wss-*.example`). `sets` are headers
    `name: value` that the gateway sends whatever the agent sent under that name; `drops` are request headers that
    never leave. `base` is the word under which plain HTTP at the gateway's own address leads to the first host,
    empty for no such way. `login`: a request with no credential is answered 401 by the gateway, for git asks first
    without. `nested`: a text at the top of a JSON body may be JSON itself, and is judged so, as a form's is.
    `usage` are fields of answers that hold counts of tokens, as `input=usage.input_tokens`. `verify` is a request
    (`POST HOST PATH`, and `NAME: VALUE` for a header) made with the key before the first one of the agent, whose
    answer must hold the `verified` values. `roots` are the certificates (PEM) that its hosts are verified by, empty
    for the system's.
    """

    name: str
    hosts: tuple[str, ...]
    routes: tuple[Route, ...]
    credentials: tuple[Credential, ...] = ()
    sets: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    base: str = ""
    login: bool = False
    encoded_slash: bool = False
    nested: bool = False
    usage: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()
    verify: str = ""
    verified: tuple[Pin, ...] = ()
    budgets: tuple[Budget, ...] = ()
    roots: str = ""

    @cached_property
    def sent(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return `sets` as they stand on the wire."""
        lines = (line.partition(": ") for line in self.sets)
        return tuple((name.lower().encode(), value.encode()) for name, _, value in lines)

    def passed(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """Return a request's headers but for those that never leave; their names are in small letters."""
        gone = self._held_back
        kept = [pair for pair in headers if not (pair[0] in gone or b"_" in pair[0])]
        return [pair for pair in kept if not pair[0].startswith(b"x-forwarded-")]

    @cached_property
    def _held_back(self) -> frozenset[bytes]:
        """What is cut out of an answer cannot be scrubbed whole, so where a key goes no part is asked for."""
        parts = {b"range", b"if-range"} if self.credentials else set()
        return _UNSAID | parts | {name for name, _ in self.sent} | {name.lower().encode() for name in self.drops}
