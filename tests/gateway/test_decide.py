from hostkit.gateway.decide import decide, decide_forward, is_listed, matches
from hostkit.gateway.rules import Forward, Grant, Rules

RULES = Rules(
    "acme",
    1,
    "10.231.0.2",
    (Grant("slack.com"), Grant("*.example.org", (443, 8443), ("10.1.0.0/16",))),
    (Forward("db.example.com", 5432, 5433),),
)


def test_a_listed_name_and_port_is_allowed_and_says_by_what():
    decision = decide(RULES, "slack.com", 443)
    assert (decision.allow, decision.rule) == (True, "grant:slack.com")


def test_networks_belong_to_the_grant_that_matched():
    assert decide(RULES, "a.example.org", 8443).networks == ("10.1.0.0/16",)
    assert decide(RULES, "slack.com", 443).networks == ()


def test_everything_else_is_denied_with_its_reason():
    for name in ("notslack.com", "slack.com.evil.net", "evilslack.com", "a.slack.com", "example.org", "aexample.org"):
        assert decide(RULES, name, 443).rule == "not-listed", name
    assert decide(RULES, "slack.com", 8443).rule == "port-not-listed"
    assert decide(RULES, "db.example.com", 5432).rule == "not-listed"


def test_no_rules_and_empty_rules_mean_nothing_leaves():
    assert decide(None, "slack.com", 443).rule == "closed"
    assert decide(Rules("acme", 1, "10.0.0.2"), "slack.com", 443).allow is False
    assert decide_forward(None, 5433)[0].rule == "closed"
    assert is_listed(None, "slack.com") is False


def test_a_raw_port_leads_to_one_name_and_port_or_nowhere():
    decision, forward = decide_forward(RULES, 5433)
    assert decision.allow
    assert (forward.name, forward.port) == ("db.example.com", 5432)
    assert decide_forward(RULES, 5432)[0].rule == "not-listed"


def test_a_wildcard_is_what_is_below_and_never_the_suffix_itself():
    assert matches("*.a.com", "b.a.com")
    assert matches("*.a.com", "c.b.a.com")
    assert not matches("*.a.com", "a.com")
    assert not matches("*.a.com", "ba.com")


def test_the_resolver_knows_grants_and_forwards():
    assert is_listed(RULES, "slack.com")
    assert is_listed(RULES, "db.example.com")
    assert not is_listed(RULES, "other.example.com")
