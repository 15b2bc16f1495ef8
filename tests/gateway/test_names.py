import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.names import BadName, canonical, split_authority


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("API.Slack.com", "api.slack.com"),
        ("slack.com.", "slack.com"),
        ("_dmarc.a.com", "_dmarc.a.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_every_name_has_one_spelling(text, name):
    assert canonical(text) == name


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "a..b", "slack.com..", "a b.com", "a\x00.com", "a%2e.com", "a@b.com", "a\\b.com", "a/b.com"),
        *("a\r\n.com", "a.com\n", "-a.com", "a-.com", "a" * 64 + ".com", "evil.example#.slack.com", "*.slack.com"),
        *(("a" * 60 + ".") * 5 + "com", "a." * 50_000 + "com"),
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_refused(text):
    with pytest.raises(BadName) as caught:
        canonical(text)
    assert caught.value.rule == "bad-name"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "bücher.example",
            "fa\u00df.example",
            "slack\u3002com",
            "slack\uff0ecom",
            "sl\u200back.com",
            "\uff53lack.com",
        ),
        *("sla\u0441k.com", "b\u00c3\u00bccher.example"),
    ],
)
def test_letters_that_two_standards_map_in_two_ways_are_refused_not_mapped(text):
    with pytest.raises(BadName, match="written as xn--") as caught:
        canonical(text)
    assert caught.value.rule == "bad-name"


def test_an_a_label_means_itself_whatever_it_decodes_to():
    assert canonical("xn--fa-hia.example") == "xn--fa-hia.example"
    assert canonical("XN--SLACK-ABC.example") == "xn--slack-abc.example"


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "::1",
        "1.2.3.4.",
        "a.0x10",
        "10.0.0.256",
    ],
)
def test_an_address_in_any_spelling_is_no_name(text):
    with pytest.raises(BadName) as caught:
        canonical(text)
    assert caught.value.rule == "ip-literal"


@pytest.mark.parametrize("text", ["a.com:0", "a.com:65536", "a.com:", "a.com:4 3", "a.com:+443", "a.com:٤٤٣", "a.com"])
def test_a_port_is_a_plain_number(text):
    with pytest.raises(BadName, match="no usable port"):
        split_authority(text)


@pytest.mark.parametrize("text", ["[::1]:443", "::1:443", "[::ffff:127.0.0.1]:443"])
def test_an_authority_with_an_address_is_refused_as_one(text):
    with pytest.raises(BadName) as caught:
        split_authority(text)
    assert caught.value.rule == "ip-literal"


@given(st.text(max_size=80))
def test_any_text_is_a_canonical_name_or_refused_and_a_name_stays_what_it_is(text):
    try:
        name = canonical(text)
    except BadName:
        return
    assert canonical(name) == name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
