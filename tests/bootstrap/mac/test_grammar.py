import ipaddress

import pytest

from hostkit.bootstrap.mac.grammar import End, Rule, parse
from hostkit.bootstrap.mac.packets import Packet, decide

NET = ipaddress.ip_network


def test_a_whole_rule_is_read():
    text = (
        "pass out quick on { en0, utun4 } inet proto { tcp udp } "
        "from (self) to 192.0.2.0/24 port { 53, 853 } user 450 keep state\n"
    )
    target = End((NET("192.0.2.0/24"),), (53, 853))
    wanted = Rule(
        "pass", "out", True, ("en0", "utun4"), False, 4, ("tcp", "udp"), End(("(self)",)), target, 450, state="keep"
    )
    assert parse(f"# why\n\n{text}") == (wanted,)


def test_it_reads_what_pfctl_prints():
    (rule,) = parse("pass in quick on ! lo0 inet6 proto tcp from any to any port = ssh flags S/SA no state")
    assert (rule.off, rule.family, rule.target.ports, rule.flags, rule.state) == (True, 6, (22,), "S/SA", "no")
    (rule,) = parse("block return out quick proto udp all user = 450")
    assert (rule.action, rule.user, rule.source) == ("return", 450, End())
    assert parse("block all")[0].action == "drop"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("set skip on lo0", "neither passes nor blocks"),
        ("anchor x", "neither passes nor blocks"),
        ("pass", "neither all nor from"),
        ("pass from any", "from and not to"),
        ("pass from any to", "ends too early"),
        ("pass from any to example.com", "example.com is no network"),
        ("pass from any to 192.0.2.1/24", "192.0.2.1/24 is no network"),
        ("pass on bridge all", "bridge is no interface"),
        ("pass from any to self", "self is no network"),
        ("pass on { } all", "an empty list"),
        ("pass on { en0 all", "ends too early"),
        ("pass proto sctp all", "sctp is no protocol"),
        ("pass proto tcp from any to any port 70000", "70000 is no number up to 65535"),
        ("pass proto tcp from any to any port nosuch-service", "nosuch-service is no port"),
        ("pass proto tcp from any to any port <table>", "is no port"),
        ("pass from any to any port 22", "only TCP and UDP have ports and users"),
        ("pass out proto icmp all user 450", "only TCP and UDP have ports and users"),
        ("pass out proto tcp all user nobody", "nobody is no number"),
        ("pass in proto tcp all user 450", "on the way out only"),
        ("pass proto icmp all icmp-type redir", "redir is no type"),
        ("pass proto { tcp icmp } all icmp-type unreach", "a type is of one protocol"),
        ("pass proto tcp all flags S/F", "S/F is no set of flags"),
        ("pass all keep", "keep what?"),
        ("pass all tag other", "other is no tag"),
        ("pass all label x", "label is no option"),
        ("block all keep state", "what is blocked has no state"),
        ("pass all; block all", "neither all nor from"),
        ("pass on \x00en0 all", "is no interface"),
        ("pass on $guests all", "no macro is called guests"),
        ('Guests = "en0"', "neither passes nor blocks"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_grammar_is_refused_with_its_line(line, why):
    with pytest.raises(ValueError, match=r"^line 2: ") as told:
        parse(f"block all\n{line}")
    assert why in str(told.value)


def test_a_macro_stands_for_its_words():
    (rule,) = parse('guests = "{ bridge100, bridge101 }"\npass in on $guests all')
    assert rule.on == ("bridge100", "bridge101")


def packet(**more):
    return Packet("out", "en0", "tcp", "192.0.2.10", "198.51.100.80", 443, **more)


def test_the_last_rule_decides_and_a_quick_one_at_once():
    assert decide(parse("block all\npass all"), packet()) == "pass"
    assert decide(parse("block quick all\npass all"), packet()) == "drop"
    assert decide((), packet()) == "pass"


def test_a_rule_that_keeps_state_asks_for_the_first_packet_unless_it_says_another():
    for rule, first, later in (
        ("pass quick proto tcp all", "pass", "drop"),
        ("pass quick proto tcp all flags any", "pass", "pass"),
        ("pass quick proto tcp all no state", "pass", "pass"),
        ("pass quick proto tcp all flags A/A no state", "drop", "pass"),
    ):
        rules = parse(f"{rule}\nblock all")
        assert [decide(rules, packet(first=one)) for one in (True, False)] == [first, later], rule
