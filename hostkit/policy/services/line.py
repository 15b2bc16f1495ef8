"""What a client's policy says of one service: its key, its account, and how much of it there may be."""

import difflib
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from hostkit.policy.levels import Method
from hostkit.policy.part import Granted, ListedName, Part
from hostkit.policy.services.budgets import Budgets, Prices
from hostkit.policy.services.catalog import KINDS, Kind, form
from hostkit.policy.services.form import ServiceForm
from hostkit.policy.services.words import LeavingPlace, PathTemplate, Shape, Words

SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]
ServiceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Model = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/-]{1,80}\*?$")]
CaFile = Annotated[str, Field(pattern=r"^/[^\x00-\x1f]{1,4000}$")]
_GENERIC_ONLY = frozenset({"encoded_slash", "prefix"})
_COMMON = frozenset({"kind", "budgets", "also", "networks", "ca"})


class ServiceLine(Part):
    """One service of a client, by `kind`: `generic` names its own `hosts`, the others know theirs.

    A secret that is named here is never in the sandbox: the agent holds a placeholder in its stead. `also` asks for
    what no level has by itself. `prices` are for a million tokens of a model, whose name may end in `*`.
    `networks` are private ones that its hosts may resolve into, `ca` the file of the certificates (PEM) that they are
    verified by, in place of the public ones: for what stands in the company's own house.
    """

    kind: Kind = "generic"
    secret: SecretName | None = None
    app_secret: SecretName | None = None
    team: str | None = None
    channels: tuple[str, ...] = ()
    organization: str | None = None
    project: str | None = None
    models: tuple[Model, ...] = ()
    owner: str | None = None
    repositories: tuple[str, ...] = ()
    enterprise: str | None = None
    also: tuple[str, ...] = ()
    hosts: tuple[ListedName, ...] = ()
    methods: tuple[Method, ...] = ()
    paths: tuple[PathTemplate, ...] = ()
    sockets: tuple[PathTemplate, ...] = ()
    place: LeavingPlace | None = None
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")] | None = None
    networks: tuple[Granted, ...] = ()
    ca: CaFile | None = None
    encoded_slash: bool = False
    budgets: Budgets = Budgets()
    prices: dict[Model, Prices] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> "ServiceLine":
        _refuse_odd_words(self)
        _refuse_odd_values(self)
        _refuse_odd_budgets(self)
        return self

    @property
    def form(self) -> ServiceForm:
        """Return what hostkit knows of this kind of service."""
        return form(self.kind)

    @property
    def words(self) -> Words:
        """Return the values of each word that the line gives, and of those that mean all where it gives none."""
        given: dict[str, tuple[str, ...]] = {word: _values(getattr(self, word)) for word in self.form.takes}
        if self.kind == "gemini":
            given["models"] = given["models"] or ("*",)
        if self.kind == "generic":
            given["methods"] = given["methods"] or ("GET", "HEAD")
            given["paths"] = given["paths"] or ("/", "/**")
        return given

    @property
    def keys(self) -> dict[str, str]:
        """Return the secret behind each key of the service that the line names."""
        named = {word: getattr(self, word) for word in self.form.keys}
        return {word: secret for word, secret in named.items() if secret is not None}

    @property
    def shapes(self) -> dict[str, Shape]:
        """Return how the placeholder of each of its secrets looks."""
        own = {"prefix": self.prefix} if self.prefix else {}
        keys = self.form.keys.items()
        return {self.keys[word]: key.shape.model_copy(update=own) for word, key in keys if word in self.keys}


def _values(given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given or ()


def _refuse_odd_words(line: ServiceLine) -> None:
    """Raise ValueError for a word that this kind of service does not take, or lacks."""
    known, said = line.form, set(line.model_fields_set)
    common = _COMMON | ({"prices"} if "cost" in known.counts else set())
    takes = common | set(known.takes) | set(known.keys) | (_GENERIC_ONLY if line.kind == "generic" else set())
    if odd := sorted(said - takes):
        raise ValueError(f"{line.kind} takes no `{odd[0]}`")
    bare = {word for word, take in known.takes.items() if take.required and not line.words[word]}
    keyless = {word for word, key in known.keys.items() if key.required and word not in line.keys}
    if wanted := [*sorted(keyless), *sorted(bare)]:
        raise ValueError(f"{line.kind} needs `{wanted[0]}`")
    if odd := sorted(set(line.also) - set(known.extras)):
        raise ValueError(f"{line.kind} has no {odd[0]!r} under `also`; known: {', '.join(known.extras) or 'none'}")
    if line.secret and any("*" in host for host in line.hosts):
        raise ValueError(
            "a wildcard host with a `secret`: whoever has a name below it is given the key; list exact hosts"
        )
    if line.kind == "generic" and (line.secret is None) != (line.place is None):
        raise ValueError("`secret` and `place` (where the key stands) belong together")


def _refuse_odd_values(line: ServiceLine) -> None:
    for word, take in line.form.takes.items():
        for value in line.words[word]:
            if not re.fullmatch(take.shape, value):
                raise ValueError(f"`{word}`: {value!r} is not of the form {take.shape}")


def _refuse_odd_budgets(line: ServiceLine) -> None:
    """Raise ValueError for a budget of what this service does not count, or a cost without prices."""
    counted = line.form.counts | {"requests", "bytes_up", "bytes_down"}
    if odd := sorted(of for of, span in line.budgets if span is not None and of not in counted):
        raise ValueError(f"{line.kind} counts no {odd[0]}")
    if line.budgets.cost is not None and not line.prices:
        raise ValueError("a budget of `cost` needs `prices`")


def _with_kinds(given: Any) -> Any:
    """Return the lines with the kind of each that its name tells; raise ValueError for one that says it nowhere."""
    if not isinstance(given, dict):
        return given
    return {name: _with_kind(name, line) for name, line in given.items()}


def _with_kind(name: Any, line: Any) -> Any:
    if not isinstance(line, dict):
        return line
    kind = line.get("kind", name)
    if kind not in KINDS and "kind" not in line:
        near = difflib.get_close_matches(str(name), KINDS, 1)
        meant = f"; did you mean {near[0]}?" if near else f", one of {', '.join(KINDS)}"
        raise ValueError(f"{name}: give its `kind`{meant}")
    # What has passed here is no JSON any more to pydantic, so that it would refuse a list where a tuple is meant.
    return {"kind": kind} | {word: tuple(given) if isinstance(given, list) else given for word, given in line.items()}


Services = Annotated[dict[ServiceName, ServiceLine], BeforeValidator(_with_kinds)]
