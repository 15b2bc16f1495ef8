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


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_hello_with_one_byte_changed_never_breaks_the_parser(at, value):
    data = bytearray(_SAMPLE)
    data[at % len(data)] = value
    try:
        server_name(bytes(data))
    except BadHello as why:
        assert why.rule in {"not-tls", "sni-missing"}


_SAMPLE = hello("api.slack.com")
