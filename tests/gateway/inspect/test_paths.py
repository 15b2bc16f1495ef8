"""The one spelling of a path: every form that servers are known to read otherwise is refused, by its rule."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.paths import canonical_path, form_pairs, path_matches, plain_name, query_pairs

UNCLEAR = [
    "/api/../admin", "/api/..", "/..", "/.", "/api/./x", "/api/%2e%2e/x", "/api/%2E%2e", "/api/.%2e/x",
    "/api/%252e%252e/x", "/api/%%32%65/x", "/api//x", "//api", "/api/x//", "/api;a=b/x", "/api/x;jsessionid=1",
    "/api/..;/x", "/api\\x", "/api%5cx", "/api%5Cx", "/api%2fx", "/api%2Fx", "/api/%c0%ae%c0%ae/x", "/api/%c0%af",
    "/api/%e0%80%ae", "/api/%f8%80%80%80%ae", "/%ff", "/api/%00", "/api/%0a", "/api/%0d%0aHost:x", "/api/%7f",
    "/api/%c2%85", "/api/%", "/api/%2", "/api/%zz", "/api/%u002e", "/api#x", "/api?x#y", "/api/.../x", "/api/..%20/x",
    "/api/%20/x", "/api/%2e%20", "/api/%ef%bc%8e%ef%bc%8e/x", "/api/%e2%80%a5/x", "/api%ef%bc%8fx", "/api%ef%bc%bcx",
    "/api/%ef%bc%852e", "api", "*", "http://evil.example/api", "?x",
]  # fmt: skip


@pytest.mark.parametrize("target", UNCLEAR)
def test_what_servers_read_in_two_ways_is_refused(target):
    with pytest.raises(BadRequest) as caught:
        canonical_path(target)
    assert caught.value.rule == "path-unclear"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/v1/x/", "/v1/x/"),
        ("/v1/%63hat?q=/../x", "/v1/chat"),
        ("/v1/a%20b", "/v1/a b"),
        ("/v1/%c3%a9", "/v1/é"),
        ("/v1/a%3Fb%3bc%23d", "/v1/a%3fb%3bc%23d"),
        ("/repos/o/r/compare/a...b", "/repos/o/r/compare/a...b"),
        ("/.github/x..y", "/.github/x..y"),
        ("/v1/models/x:generate", "/v1/models/x:generate"),
    ],
)
def test_a_path_is_read_once(target, path):
    assert canonical_path(target) == path


@pytest.mark.parametrize("target", ["/@a%2fb", "/g%2Fp/-/.github%2fx%2f.x"])
def test_an_encoded_slash_is_part_of_its_segment_where_the_service_says_so(target):
    assert canonical_path(target, encoded_slash=True) == target.replace("%2F", "%2f")
    assert path_matches("/*", canonical_path("/@a%2fb", encoded_slash=True))


@pytest.mark.parametrize(
    "target", ["/a%2f..%2fb", "/a%2f.", "/..%2fb", "/.%2fb", "/a%2f%2fb", "/%2fa", "/a%2f", "/a%2f%2e%2e"]
)
def test_a_dot_or_nothing_beside_an_encoded_slash_is_refused(target):
    with pytest.raises(BadRequest, match="segment"):
        canonical_path(target, encoded_slash=True)


PIECES = st.sampled_from(
    [*"/.%;?#\\ aB~é", "..", "%2e", "%2f", "%3b", "%3F", "%25", "%20", "%c3%a9", "\uff0e", "%ef%bc%8f", "/x"]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.booleans())
def test_a_canonical_path_is_its_own_and_has_no_dot_segment(tail, encoded_slash):
    with contextlib.suppress(BadRequest):
        is_its_own(canonical_path("/" + tail, encoded_slash=encoded_slash), encoded_slash=encoded_slash)


def is_its_own(path, *, encoded_slash):
    assert canonical_path(path, encoded_slash=encoded_slash) == path
    assert not {".", "..", ""} & set(re.split("/|%2f", path.strip("/"))) or path == "/"
    assert not set(path) & set("\\;?#")


@given(st.text("ab*./-", max_size=8), st.text("ab*./-", max_size=12))
def test_a_star_never_crosses_a_segment(left, right):
    assert not path_matches("/x/*", f"/x/{left}/{right}")
    assert path_matches("/x/*/y", f"/x/{left}/y") == bool(left and "/" not in left)
    assert path_matches("/x/**", f"/x/{left}") == bool(left)


def test_a_template_is_matched_to_its_end():
    assert path_matches("/repos/*/**", "/repos/o/r/x")
    assert not path_matches("/repos", "/repos\n")
    assert not path_matches("/a.c", "/abc")
    assert not path_matches("/api/x", "/api/x/")


def test_a_query_is_read_once_and_each_mention_counts():
    assert query_pairs("/x?a=1&a=%32&b&c=+%2B&") == (("a", "1"), ("a", "2"), ("b", ""), ("c", " +"))


@pytest.mark.parametrize("target", ["/x?a=%", "/x?a=%zz", "/x?a=%ff", "/x?a=1;channel=C2"])
def test_a_query_that_is_unclear_is_refused(target):
    with pytest.raises(BadRequest) as caught:
        query_pairs(target)
    assert caught.value.rule == "path-unclear"


def test_a_form_that_is_unclear_is_a_body_that_is_unclear():
    with pytest.raises(BadRequest) as caught:
        form_pairs("text=%")
    assert caught.value.rule == "body-unclear"
    assert form_pairs("text=well; and good") == (("text", "well; and good"),)


@pytest.mark.parametrize(
    "name",
    [
        "channel",
        "CHANNEL",
        " channel",
        "channel[]",
        "channel[0][x]",
        "channel\0x",
        "Channel\0",
    ],
)
def test_a_name_is_what_the_laxest_server_reads(name):
    assert plain_name(name) == "channel"
    assert plain_name("a.b c") == "a_b_c"
