import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.hello import LIMIT, BadHello, server_name


def hello(name):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def in_records(data, size):
    body = data[5:]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)


def test_a_real_hello_names_its_host():
    assert server_name(hello("api.slack.com")) == "api.slack.com"


def test_a_hello_cut_over_many_records_is_put_together():
    assert server_name(in_records(hello("api.slack.com"), 7)) == "api.slack.com"


def test_every_beginning_of_a_hello_asks_for_more():
    data = hello("api.slack.com")
    assert {server_name(data[:size]) for size in range(len(data))} == {None}


def test_a_hello_without_a_name_is_refused_as_that():
    with pytest.raises(BadHello) as caught:
        server_name(hello(None))
    assert caught.value.rule == "sni-missing"


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH\r\n", b"GET / HTTP/1.1\r\n", b"\x16\x02", b"\x17\x03\x03\x00\x01x"])
def test_what_is_no_tls_is_refused_as_that(data):
    with pytest.raises(BadHello) as caught:
        server_name(data)
    assert caught.value.rule == "not-tls"


def test_a_hello_that_never_ends_is_refused():
    endless = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + b"\0" * 16380
    with pytest.raises(BadHello, match="too long"):
        server_name(endless + endless[:5] + b"\0" * LIMIT)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_name_a_wish_for_more_or_the_typed_refusal(data):
    with_head = (data, b"\x16\x03\x01" + len(data).to_bytes(2) + data)
    for text in with_head:
        try:
            name = server_name(text)
        except BadHello:
            continue
        assert name is None or isinstance(name, str)


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_hello_with_one_byte_changed_never_breaks_the_parser(at, value):
    data = bytearray(hello_of(sni(b"api.slack.com"), (16, b"\0\3\2h2"), (43, b"\2\3\4")))
    data[at % len(data)] = value
    assert rule_or_name(bytes(data)) is not False


def vector(width, content):
    return len(content).to_bytes(width) + content


def sni(*names, after=b""):
    return 0, vector(2, b"".join(b"\0" + vector(2, name) for name in names)) + after


def hello_of(*extensions, after=b"", session=b"", kind=b"\x01"):
    """Return a ClientHello made by hand, so that each of its parts can be wrong alone."""
    listed = vector(2, b"".join(number.to_bytes(2) + vector(2, content) for number, content in extensions))
    body = b"\x03\x03" + bytes(32) + vector(1, session) + vector(2, b"\x13\x01") + vector(1, b"\0") + listed + after
    return b"\x16\x03\x01" + vector(2, kind + vector(3, body))


def rule_or_name(data):
    try:
        found = server_name(data)
    except BadHello as why:
        found = why.rule
    return found if found is None or isinstance(found, str) else False


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (hello_of(sni(b"a.com")), "a.com"),
        (hello_of(sni(b"a.com"), session=bytes(32)), "a.com"),
        (hello_of((65037, b"outer"), sni(b"a.com")), "ech"),
        (hello_of(sni(b"a.com"), (65037, b"")), "ech"),
        (hello_of(sni(b"a.com"), (0xFFCE, b"")), "ech"),
        (hello_of(sni(b"a.com"), sni(b"b.com")), "sni-missing"),
        (hello_of(sni(b"a.com"), sni(b"a.com")), "sni-missing"),
        (hello_of(sni(b"a.com", b"b.com")), "sni-missing"),
        (hello_of(sni(b"a.com", after=b"\0\0\5b.com")), "sni-missing"),
        (hello_of((0, b"")), "not-tls"),
        (hello_of((0, vector(2, b"\1" + vector(2, b"a.com")))), "sni-missing"),
        (hello_of(sni("b\u00fccher.de".encode())), "sni-missing"),
        (hello_of(), "sni-missing"),
        (hello_of(sni(b"a.com"), after=b"\0"), "not-tls"),
        (hello_of(sni(b"a.com"), kind=b"\2"), "not-tls"),
        (b"\x80\x2e\x01\x03\x01" + bytes(50), "not-tls"),
        (b"\x16\x03\x01\0\0", "not-tls"),
        (b"\x16\x03\x01\xff\xff", "not-tls"),
        (in_records(hello_of(sni(b"a.com")), 9)[:14] + b"\x17\x03\x03\0\1x", "not-tls"),
    ],
)
def test_a_hello_names_exactly_one_host_that_nothing_inside_contradicts(data, found):
    assert rule_or_name(data) == found


pieces = st.one_of(
    st.builds(lambda names: sni(*names), st.lists(st.sampled_from([b"a.com", b"b.com", b""]), max_size=3)),
    st.tuples(st.sampled_from([0, 16, 43, 65037, 0xFE0A]), st.binary(max_size=20)),
)


@given(st.lists(pieces, max_size=6), st.integers(1, 40), st.binary(max_size=3))
def test_only_one_plain_name_in_one_extension_is_ever_taken(extensions, size, after):
    data = in_records(hello_of(*extensions, after=after), size)
    named = [content for number, content in extensions if number == 0]
    plain = {sni(name)[1]: name.decode() for name in (b"a.com", b"b.com", b"")}
    hiding = {number for number, _ in extensions} & {65037, 0xFE0A}
    found = rule_or_name(data)
    if found not in {"ech", "sni-missing", "not-tls"}:
        assert (len(named), plain.get(named[0]), hiding, after) == (1, found, set(), b"")
    elif len(named) == 1 and named[0] in plain and not hiding and not after:
        pytest.fail(f"a plain hello was refused: {found}")
