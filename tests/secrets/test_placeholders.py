import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.errors import HostkitError
from hostkit.gateway.marks import LENGTH, find_marks, mark
from hostkit.secrets.placeholders import SHAPES, Shape, placeholder, shape

SHAPE = st.builds(Shape, st.from_regex(r"[A-Za-z0-9_.-]{0,40}", fullmatch=True), st.integers(0, 512))


@given(SHAPE, st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True))
def test_it_looks_like_a_key_and_is_known_for_its_clients(shape, client):
    made = placeholder(shape, client)
    assert made.startswith(shape.prefix + mark(client))
    assert len(made) == max(shape.length, len(shape.prefix) + LENGTH)
    assert mark(client) in find_marks(b"token=" + made.encode() + b"&x")


@pytest.mark.parametrize("known", SHAPES.values(), ids=lambda known: known.prefix)
def test_no_two_are_alike(known):
    assert len({placeholder(known, "acme") for _ in range(50)}) == 50


def test_the_usual_keys_have_their_own_length():
    made = {prefix: len(placeholder(shape(prefix), "acme")) for prefix in ("ghp_", "AIza", "xoxb-")}
    assert made == {"ghp_": 40, "AIza": 39, "xoxb-": 57}


def test_an_unknown_prefix_is_as_short_as_a_mark_allows():
    assert len(placeholder(shape("acme_"), "acme")) == len("acme_") + LENGTH


@pytest.mark.parametrize("wrong", [Shape("a b"), Shape("a\r\nx:"), Shape("é"), Shape("x" * 41), Shape("x", 513)])
def test_a_shape_that_no_header_can_carry_is_refused(wrong):
    with pytest.raises(HostkitError, match="is no shape of a key"):
        placeholder(wrong, "acme")
