from hostkit.policy import parse
from hostkit.policy.trust import LEVELS, unenforced
from tests.policy.test_load import GOOD


def test_each_rule_of_the_level_is_told_with_every_tunnelled_host():
    said = unenforced(parse(GOOD).clients["acme"])
    assert len(said) == len(LEVELS["analyst"])
    assert all("api.slack.com, db.example.com:5432" in sentence for sentence in said)


def test_a_client_without_a_way_out_has_nothing_unenforced():
    assert unenforced(parse(GOOD).clients["acme"].model_copy(update={"egress": ()})) == ()


def test_what_a_service_enforces_is_not_told_and_what_it_lacks_is():
    slack = "    services: {slack: {secret: token, team: T0123}}\n    secrets:"
    text = GOOD.replace("      - name: api.slack.com\n", "").replace("    secrets:", slack)
    acme = parse(text).clients["acme"].model_copy(update={"egress": ()})
    (said,) = unenforced(acme)
    assert said.startswith("analyst: messages (posts to the listed channels, masked) is not enforced on slack.com")
    assert said.endswith("texts are not masked yet, and Slack fetches the links in them")
    assert unenforced(acme.model_copy(update={"trust": "observer"})) == ()
