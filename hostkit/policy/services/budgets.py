"""How much of each thing a client or one of its services may take, as people write it and as the gateway counts it."""

from typing import Annotated

from pydantic import Field, model_validator

from hostkit.gateway.services import Budget, Price
from hostkit.policy.part import Part
from hostkit.policy.units import Size, parse_size

MILLIONTHS = 1_000_000
Count = Annotated[int, Field(ge=0, le=10**12)]
Money = Annotated[float, Field(ge=0, le=10**6, strict=False)]


class _Span(Part):
    @model_validator(mode="after")
    def _says_something(self) -> "_Span":
        if not self.model_fields_set:
            raise ValueError("give `minute`, `day` or both")
        return self


class Counts(_Span):
    """How many in a minute and in a day, by the clock (UTC)."""

    minute: Count | None = None
    day: Count | None = None


class Sizes(_Span):
    """How many bytes in a minute and in a day, as 512MiB or 2GiB."""

    minute: Size | None = None
    day: Size | None = None


class Sums(_Span):
    """How much money in a minute and in a day, in the currency in which the prices are given."""

    minute: Money | None = None
    day: Money | None = None


class Budgets(Part):
    """The most of each thing: what is over it is refused until the minute or the day is over."""

    requests: Counts | None = None
    bytes_up: Sizes | None = None
    bytes_down: Sizes | None = None
    messages: Counts | None = None
    tokens: Counts | None = None
    cost: Sums | None = None


class Prices(Part):
    """What a million tokens of a model cost, those that it reads and those that it writes."""

    input: Money
    output: Money


def told(budgets: Budgets) -> tuple[Budget, ...]:
    """Return the budgets as the gateway counts them: bytes, and millionths of the currency."""
    return tuple(
        Budget(of, per, _counted(of, most))
        for of, span in budgets
        if span is not None
        for per, most in span
        if most is not None
    )


def _counted(of: str, most: float | str) -> int:
    if isinstance(most, str):
        return parse_size(most)
    return round(most * MILLIONTHS) if of == "cost" else int(most)


def price(model: str, prices: Prices) -> Price:
    """Return a model's price as the gateway reckons: millionths for a thousand tokens."""
    return Price(model, round(prices.input * 1000), round(prices.output * 1000))
