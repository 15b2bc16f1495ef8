"""Budgets: each kind, each stretch; what is under way is not stopped by what it used up itself."""

import pytest

from hostkit.gateway.inspect.budgets import Meter
from hostkit.gateway.requests import Denied
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import COUNTED, SPANS, Budget, Service


class Clock:
    now = 86_400.0 * 20_000

    def __call__(self):
        return self.now


def rules(*of_service, client=(), more=()):
    services = (Service("api", ("api.example",), (), budgets=of_service), *more)
    return Rules("acme", 1, "127.0.0.1", services=services, budgets=client)


def over(call, *args, **more):
    with pytest.raises(Denied) as caught:
        call(*args, **more)
    return caught.value.rule


@pytest.mark.parametrize("of", sorted(COUNTED))
@pytest.mark.parametrize("per", ["minute", "day"])
def test_each_kind_ends_at_its_budget_and_begins_anew_with_the_next_stretch(of, per):
    clock = Clock()
    meter, listed = Meter(clock), rules(Budget(of, per, 10))
    meter.add("api", **{of: 9})
    meter.admit(listed, "api", requests=0)
    meter.take(listed, "api", **{of: 1})
    assert over(meter.take, listed, "api", **{of: 1}) == "over-budget"
    assert over(meter.admit, listed, "api", **{of: 1}) == "over-budget"
    clock.now += {"minute": 60, "day": 86400}[per]
    meter.admit(listed, "api", **{of: 1})


def test_what_came_at_a_minutes_end_is_not_the_next_ones_and_all_of_it_is_the_days():
    clock = Clock()
    meter = Meter(clock)
    clock.now += 59
    meter.add("api", requests=3)
    clock.now += 1
    meter.add("api", requests=4)
    kept = {tuple(entry[:3]): entry[4] for entry in meter.kept()}
    assert {key: kept[key, "requests", "minute"] for key in ("api", "")} == {"api": 4, "": 4}
    assert {key: kept[key, "requests", "day"] for key in ("api", "")} == {"api": 7, "": 7}
    assert all(seconds % 60 == 0 for seconds in SPANS.values())


def test_what_a_request_may_yet_take_is_refused_once_it_is_used_up_but_not_under_way():
    meter, listed = Meter(Clock()), rules(Budget("requests", "day", 1), Budget("tokens", "day", 5))
    meter.admit(listed, "api", requests=1)
    meter.add("api", requests=1, tokens=9)
    meter.take(listed, "api", bytes_up=1000, bytes_down=1000)
    assert over(meter.admit, listed, "api", requests=0) == "over-budget"


def test_the_clients_budget_is_over_all_services_and_two_of_one_name_share():
    other = Service("other", ("other.example",), ())
    again = Service("api", ("up.example",), (), budgets=(Budget("requests", "day", 2),))
    listed = rules(Budget("requests", "day", 2), client=(Budget("bytes_up", "minute", 10),), more=(again, other))
    meter = Meter(Clock())
    meter.add("api", requests=1, bytes_up=6)
    meter.add("api", requests=1)
    assert over(meter.admit, listed, "api", requests=1) == "over-budget"
    meter.admit(listed, "other", requests=1)
    assert over(meter.take, listed, "other", bytes_up=5) == "over-budget"


def test_nothing_is_counted_of_what_was_refused():
    meter, listed = Meter(Clock()), rules(Budget("bytes_up", "day", 10))
    assert over(meter.take, listed, "api", bytes_up=11) == "over-budget"
    meter.take(listed, "api", bytes_up=10)


def test_counts_outlive_a_restart_and_only_those_of_now():
    clock = Clock()
    first, second = Meter(clock), Meter(clock)
    first.add("api", requests=3)
    kept = first.kept()
    clock.now += 60
    second.restore(kept)
    assert [entry[2:4] for entry in second.kept()] == [["day", 20_000]] * 2
    assert over(second.admit, rules(Budget("requests", "day", 3)), "api", requests=1) == "over-budget"
    second.admit(rules(Budget("requests", "minute", 1)), "api", requests=1)


@pytest.mark.parametrize(
    "plain",
    [[["api", "requests", "week", 1, 1]], [["api", "requests", "day", "1", 1]], [[1]], [["a", "b", "day", 1, "x"]]],
)
def test_what_are_no_counts_is_refused(plain):
    with pytest.raises(ValueError):
        Meter().restore(plain)
