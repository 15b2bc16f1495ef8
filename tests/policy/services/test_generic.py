import pytest

from hostkit.gateway.rules import Grant
from hostkit.gateway.services import Budget
from hostkit.policy import PolicyError
from hostkit.policy.services.compile import budgets, grants
from tests.policy.services.kit import client, opened, route

FULL = (
    "tool: {kind: generic, hosts: [tool.example], methods: [GET, POST], paths: [/a/*/b, /c/**], secret: one, "
    "place: 'header:x-key=Token {}', prefix: tok-, networks: [10.20.0.0/24], encoded_slash: true}"
)


def test_the_line_is_the_service():
    (service,) = opened(FULL)
    asked = [route((service,), f"{one}") for one in ("POST tool.example/a/1/b", "GET tool.example/c/d/e")]
    assert [one.credential for one in asked] == ["one", "one"]
    assert [route((service,), one) for one in ("PUT tool.example/c/d", "GET tool.example/b")] == [None, None]
    (credential,) = service.credentials
    assert (credential.places, service.encoded_slash) == (("header:x-key=Token {}",), True)
    assert credential.placeholder.startswith("tok-hk")


def test_with_nothing_said_it_reads_everything_and_has_no_key():
    (service,) = opened("tool: {kind: generic, hosts: [tool.example]}", "observer")
    assert [(one.methods, one.path, one.credential) for one in service.routes] == [
        (("GET", "HEAD"), "/", ""),
        (("GET", "HEAD"), "/**", ""),
    ]
    assert service.credentials == ()


def test_its_hosts_are_granted_on_443_and_only_into_its_networks():
    assert grants(client(FULL)) == (Grant("tool.example", (443,), ("10.20.0.0/24",)),)


@pytest.mark.parametrize(
    ("trust", "method", "says"),
    [
        ("observer", "POST", "observer has no POST"),
        ("analyst", "DELETE", "analyst has no DELETE"),
        ("operator", "DELETE", ""),
    ],
)
def test_a_method_that_the_level_does_not_have_is_refused(trust, method, says):
    line = f"tool: {{kind: generic, hosts: [tool.example], methods: [{method}]}}"
    if not says:
        client(line, trust)
        return
    with pytest.raises(PolicyError, match=says):
        client(line, trust)


def test_budgets_are_counted_in_bytes_and_millionths():
    line = 'anthropic: {secret: one, prices: {"*": {input: 1, output: 2}}}'
    more = "budgets: {requests: {minute: 60, day: 5000}, bytes_up: {day: 100MiB}, cost: {day: 20.00}}"
    assert budgets(client(line.replace('"*"', '"claude-*"'), more=more)) == (
        Budget("requests", "minute", 60),
        Budget("requests", "day", 5000),
        Budget("bytes_up", "day", 100 * 1024**2),
        Budget("cost", "day", 20_000_000),
    )
