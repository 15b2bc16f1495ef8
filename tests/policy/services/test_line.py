"""What a client's line about a service is refused for, and where."""

import pytest

from hostkit.errors import HostkitError
from hostkit.policy import PolicyError, load, parse
from hostkit.policy.services.compile import compiled, shapes
from hostkit.shipped import shipped
from tests.policy.services.kit import LINES, client, policy

SLACK = LINES["slack"]
HERE = "clients.acme.services"


def refusal(line: str, more: str = "", trust: str = "analyst") -> tuple[str, str]:
    with pytest.raises(PolicyError) as caught:
        parse(policy(line, trust, more))
    (problem,) = caught.value.problems
    return problem.where, problem.what


@pytest.mark.parametrize(
    ("line", "where", "says"),
    [
        ("slak: {secret: one}", HERE, "slak: give its `kind`; did you mean slack?"),
        ("registry: {secret: one}", HERE, "registry: give its `kind`, one of slack, anthropic"),
        ("x: {kind: slck}", f"{HERE}.x.kind", "did you mean slack?"),
        ("slack: {team: T0123}", f"{HERE}.slack", "slack needs `secret`"),
        ("slack: {secret: one}", f"{HERE}.slack", "slack needs `team`"),
        ("slack: {secret: one, taem: T0123}", f"{HERE}.slack.taem", "did you mean team?"),
        ("slack: {secret: one, team: acme}", f"{HERE}.slack", "`team`: 'acme' is not of the form"),
        (SLACK.replace("C11", "'#general'"), f"{HERE}.slack", "`channels`: '#general' is not of the form"),
        (SLACK.replace("team:", "owner: x, team:"), f"{HERE}.slack", "slack takes no `owner`"),
        (SLACK.replace("team:", "hosts: [a.example], team:"), f"{HERE}.slack", "slack takes no `hosts`"),
        (SLACK.replace("team:", "encoded_slash: true, team:"), f"{HERE}.slack", "slack takes no `encoded_slash`"),
        (SLACK.replace("team:", "also: [search], team:"), f"{HERE}.slack", "slack has no 'search' under `also`"),
        (SLACK.replace("team:", "budgets: {tokens: {day: 1}}, team:"), f"{HERE}.slack", "slack counts no tokens"),
        ("openai: {secret: one}", f"{HERE}.openai", "openai needs `models`"),
        (
            "x: {kind: generic, hosts: ['*.s3.example'], secret: one, place: 'header:x-key={}'}",
            f"{HERE}.x",
            "a wildcard host with a `secret`: whoever has a name below it is given the key; list exact hosts",
        ),
        ("github: {secret: one, owner: acme}", f"{HERE}.github", "github needs `repositories`"),
        ("github: {secret: one, owner: 'a/b', repositories: [x]}", f"{HERE}.github", "`owner`: 'a/b' is not"),
        ("github: {secret: one, owner: a, repositories: [..]}", f"{HERE}.github", "`repositories`: '..' is not"),
        ("openrouter: {secret: one}", f"{HERE}.openrouter", "openrouter needs `models`"),
        ("openrouter: {secret: one, models: ['a/b:online']}", f"{HERE}.openrouter", "`models`: 'a/b:online' is not"),
        ("anthropic: {secret: one, budgets: {cost: {day: 1}}}", f"{HERE}.anthropic", "`cost` needs `prices`"),
        ("anthropic: {secret: one, budgets: {requests: {}}}", f"{HERE}.anthropic.budgets.requests", "give `minute`"),
        ("anthropic: {secret: one, budgets: {bytes_up: {day: 5}}}", f"{HERE}.anthropic.budgets.bytes_up.day", "string"),
        ("x: {kind: generic}", f"{HERE}.x", "generic needs `hosts`"),
        ("x: {kind: generic, hosts: [a.example], secret: one}", f"{HERE}.x", "belong together"),
        ("x: {kind: generic, hosts: [a.example], place: basic}", f"{HERE}.x", "belong together"),
        ("x: {kind: generic, hosts: [a.example], secret: one, place: 'query:key'}", f"{HERE}.x.place", "in a header"),
        ("x: {kind: generic, hosts: [a.example], team: T0123}", f"{HERE}.x", "generic takes no `team`"),
        ("x: {kind: generic, hosts: [10.0.0.1]}", f"{HERE}.x.hosts[0]", "is not a lower-case host name"),
        ("x: {kind: generic, hosts: [a.example], paths: ['/a/**/b']}", f"{HERE}.x.paths[0]", "stands at the end only"),
        ("x: {kind: generic, hosts: [a.example], paths: ['/$team']}", f"{HERE}.x.paths[0]", "is no path"),
        ("x: {kind: generic, hosts: [a.example], methods: [BREW]}", f"{HERE}.x.methods[0]", "expected 'GET'"),
    ],
)
def test_each_mistake_in_a_line_is_named_where_it_stands(line, where, says):
    at, what = refusal(line)
    assert (at, says in what) == (where, True), what


BOTH = "slack: {secret: one, team: T0123}\n      anthropic: {secret: SECRET}"


@pytest.mark.parametrize(
    ("line", "more", "says"),
    [
        (SLACK, "egress: [{name: slack.com}]", "slack.com is opened by the service slack; take its `egress` line out"),
        (SLACK, "egress: [{name: slack.com, raw: 5432}]", "slack.com is opened by the service slack"),
        (SLACK, "egress: [{name: wss-primary.slack.com}]", "wss-primary.slack.com is opened by the service slack"),
        (
            "x: {kind: generic, hosts: ['*.a.example']}",
            "egress: [{name: '*.b.a.example'}]",
            "is opened by the service x",
        ),
        ("slack: {secret: none-such, team: T0123}", "", "names 'none-such', which is not among `secrets`"),
        (BOTH.replace("SECRET", "one"), "", "slack and anthropic both use the secret 'one'"),
        ("slack: {secret: one, app_secret: one, team: T0123}", "", "both use the secret 'one'"),
        (SLACK + "\n      x: {kind: generic, hosts: [slack.com]}", "", "services slack and x share slack.com"),
        (SLACK + "\n      x: {kind: generic, hosts: ['*.slack.com']}", "", "services slack and x share *.slack.com"),
        (SLACK, "budgets: {tokens: {day: 1}}", "no service counts tokens"),
        (BOTH.replace("SECRET", "two"), "budgets: {cost: {day: 1.5}}", "needs the `prices` of anthropic"),
    ],
)
def test_what_does_not_go_together_is_refused_for_the_client(line, more, says):
    where, what = refusal(line, more)
    assert (where, says in what) == ("clients.acme", True), what


def test_a_wildcard_way_out_may_cover_a_service_for_the_service_goes_before():
    assert client(SLACK, more="egress: [{name: '*.slack.com'}]").egress[0].name == "*.slack.com"


def test_two_services_of_one_kind_are_told_apart_by_their_hosts_only():
    assert "share" in refusal(SLACK + "\n      other: {kind: slack, secret: two, team: T999}")[1]


def test_the_example_policy_stands():
    clients = load(shipped("sandbox") / "policy.example.yml").clients
    assert set(clients["acme"].services) == {"slack", "anthropic", "github", "packages"}


def test_a_secret_that_a_service_uses_has_a_placeholder_and_no_other_has():
    assert set(shapes(client("anthropic: {secret: one}"))) == {"one"}


def test_without_a_placeholder_nothing_is_opened():
    with pytest.raises(HostkitError, match="acme: no placeholder for the secret one"):
        compiled("acme", client("anthropic: {secret: one}"), {})
