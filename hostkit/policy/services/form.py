"""What the file of a service may say: which of its requests a level has, and what each must hold."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from hostkit.policy.levels import TrustLevel
from hostkit.policy.part import Part
from hostkit.policy.services.words import Shape, leaving_place, path_template, place_template, words_in

Word = Literal[
    "team", "channels", "organization", "project", "models", "owner", "repositories", "enterprise",
    "hosts", "methods", "paths", "sockets", "place",
]  # fmt: skip
KeyWord = Literal["secret", "app_secret"]
_WHOLE = re.compile(r"\$[a-z]+")


def _path(value: str) -> str:
    """Return a path whose words stand for one segment or a part of one, or the one word that is a whole path."""
    if not _WHOLE.fullmatch(value):
        path_template(value.replace("$", ""))
    return value


def _place(value: str) -> str:
    return value if _WHOLE.fullmatch(value) else place_template(value)


Path = Annotated[str, AfterValidator(_path)]
Place = Annotated[str, AfterValidator(_place)]
Text = Annotated[str, Field(min_length=1)]


class TakeForm(Part):
    """A word that the client's line gives: each of its values is of this shape."""

    shape: Text
    required: bool = False

    @field_validator("shape")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        re.compile(value)
        return value


class KeyForm(Part):
    """A key that the client's line names by its secret."""

    shape: Shape
    required: bool = True


class PinForm(Part):
    """Fields that may hold only these values; none at all if there are no values.

    With `when` it stands only if the client's line gives that word; with `level` from that level on, with `below`
    under it.
    """

    where: Annotated[tuple[Literal["query", "header", "body"], ...], Field(min_length=1)]
    fields: Annotated[tuple[Text, ...], Field(min_length=1)]
    values: tuple[Text, ...] = ()
    required: bool = False
    when: Word | None = None
    level: TrustLevel = "observer"
    below: TrustLevel | None = None


class RouteForm(Part):
    """Requests that every level from `level` on may make; with `also` only where the client's line asks for them.

    `key` is the key that they need; a route whose key the line does not name is not there, unless it is `bare`.
    """

    level: TrustLevel
    methods: Annotated[tuple[Text, ...], Field(min_length=1)]
    paths: Annotated[tuple[Path, ...], Field(min_length=1)]
    hosts: tuple[Text, ...] = ()
    key: Literal["secret", "app_secret", "none"] = "secret"
    bare: bool = False
    also: str = ""
    pins: tuple[PinForm, ...] = ()
    expects: tuple[PinForm, ...] = ()
    issues: tuple[Annotated[str, Field(pattern=r"^[a-z]+=[A-Za-z_.]+$")], ...] = ()
    ticket: str = ""
    socket: bool = False
    counts: Literal["", "messages"] = ""
    limit: Annotated[int, Field(ge=0)] = 0


class SetForm(Part):
    """A header that the gateway sends itself, if the client's line gives its word."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
    value: Text
    when: Word


class VerifyForm(Part):
    """A request that shows whose the key is, made before the agent's first one."""

    request: Annotated[str, Field(pattern=r"^(GET|POST) [a-z0-9.-]+ /\S*( [a-z0-9-]+: \S+)?$")]
    pins: Annotated[tuple[PinForm, ...], Field(min_length=1)]
    when: Word


class PartForm(Part):
    """Hosts that take their keys in the same places: one service of the gateway's.

    Its `pins` stand on every route that takes a key.
    """

    hosts: Annotated[tuple[Text, ...], Field(min_length=1)]
    places: dict[KeyWord, Annotated[tuple[Place, ...], Field(min_length=1)]]
    routes: Annotated[tuple[RouteForm, ...], Field(min_length=1)]
    pins: tuple[PinForm, ...] = ()
    sets: tuple[SetForm, ...] = ()
    drops: tuple[Text, ...] = ()
    base: str = ""
    login: bool = False
    nested: bool = False
    usage: tuple[Annotated[str, Field(pattern=r"^(input|output)=[A-Za-z_.]+$")], ...] = ()
    verify: VerifyForm | None = None


class LackForm(Part):
    """A rule of the levels that this service's requests do not show, from which level on, and why."""

    subject: Text
    level: TrustLevel
    why: Text


class ServiceForm(Part):
    """One service, whole: every word, key and host that its parts use is one that it takes or has."""

    about: Text
    takes: dict[Word, TakeForm] = Field(default_factory=dict)
    keys: dict[KeyWord, KeyForm] = Field(default_factory=dict)
    lacks: tuple[LackForm, ...] = ()
    parts: Annotated[tuple[PartForm, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _uses_what_it_takes(self) -> "ServiceForm":
        if odd := sorted(words_in(self.model_dump_json()) - set(self.takes)):
            raise ValueError(f"${odd[0]} is used and not taken")
        for part in self.parts:
            if odd := sorted(set(part.places) - set(self.keys)):
                raise ValueError(f"{odd[0]} has a place and is no key")
            _refuse_odd_routes(part)
        return self

    @property
    def extras(self) -> tuple[str, ...]:
        """Return the words that a client's line may put under `also`."""
        return tuple(sorted({route.also for part in self.parts for route in part.routes if route.also}))

    @property
    def counts(self) -> frozenset[str]:
        """Return what a budget can hold of this service beside requests and bytes."""
        messages = {route.counts for part in self.parts for route in part.routes if route.counts}
        return frozenset(messages | ({"tokens", "cost"} if any(part.usage for part in self.parts) else set()))


def _refuse_odd_routes(part: PartForm) -> None:
    """Raise ValueError for a key without a place, a host that is not the part's, or a ticket that no route issues."""
    issued = {entry.partition("=")[0] for route in part.routes for entry in route.issues}
    for first, *_ in part.places.values():
        if not _WHOLE.fullmatch(first):
            leaving_place(first)
    for route in part.routes:
        if route.key != "none" and route.key not in part.places:
            raise ValueError(f"{route.paths[0]}: {route.key} has no place")
        if odd := sorted(set(route.hosts) - set(part.hosts)):
            raise ValueError(f"{route.paths[0]}: {odd[0]} is none of the hosts")
        if route.ticket and route.ticket not in issued:
            raise ValueError(f"{route.paths[0]}: nothing issues {route.ticket}")
