"""Values by their place in a body; what two parsers read in two ways is refused as `body-unclear`."""

import json
from urllib.parse import urlencode

import pytest

from hostkit.gateway.http import BadRequest
from hostkit.gateway.inspect.fields import broken, found, parse_body, parse_json
from hostkit.gateway.services import Pin

FORM = "application/x-www-form-urlencoded"
UNCLEAR = [
    b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"x":{"b":1,"b":1}}', b"NaN", b'{"a":Infinity}', b'{"a":-Infinity}',
    b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0", b'{"a":"\xff"}', b"{", b"{'a':1}", b'{"a":1}x', b'{"a":1,}',
    b"[" * 65 + b"]" * 65, b"[" * 100_000, b'{"a":' * 70 + b"1" + b"}" * 70, b"1" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("body", UNCLEAR, ids=range(len(UNCLEAR)))
def test_json_that_is_unclear_is_refused(body):
    with pytest.raises(BadRequest) as caught:
        parse_json(body)
    assert caught.value.rule == "body-unclear"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "text/plain"),
        (b"{}", ""),
        (b"{}", "application/json, text/plain"),
        (b"{}", "application/json; charset=utf-7"),
        (b"{}", 'application/json; charset="utf-16"'),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"a=\xff", FORM),
        (b"a=%ff", FORM),
        (b"a=1;b=2", FORM),
        (b"a[]=1", FORM),
        (b"a%5b0%5d=1", FORM),
        (urlencode({"blocks": '{"a":1,"a":2}'}).encode(), FORM),
        (urlencode({"blocks": ' [{"a":NaN}]'}).encode(), FORM),
    ],
)
def test_a_body_that_cannot_be_judged_is_refused(body, kind):
    with pytest.raises(BadRequest) as caught:
        parse_body(body, kind)
    assert caught.value.rule == "body-unclear"


def test_json_in_a_form_is_found_like_json():
    blocks = json.dumps([{"elements": [{"channel": "C1"}, {"channel": "C2"}]}])
    plain = parse_body(
        urlencode({"blocks": f" \n{blocks}", "text": "[done] {well}"}).encode(), f"{FORM}; charset=UTF-8"
    )
    assert found(plain, "blocks[].elements[].channel") == ["C1", "C2"]
    assert found(plain, "text") == ["[done] {well}"]


def test_every_place_that_fits_is_found():
    plain = {"a": [{"id": 1}, {"id": [2, 3]}, "x"], "id": 4, "b": {"c": {"id": {"id": 5}}}}
    assert found(plain, "a[].id") == [1, 2, 3]
    assert found(plain, "a.id") == [1, 2, 3]
    assert sorted(map(str, found(plain, "**.id"))) == ["1", "2", "3", "4", "5", "{'id': 5}"]
    assert found(plain, "b.**.id.id") == [5]
    assert found([plain], "id") == [4]
    assert found(plain, "a.id.x") == found("text", "a") == []


@pytest.mark.parametrize("name", ["MODEL", "Model", "ModE\u006c"])
def test_a_name_is_found_in_any_case_for_go_reads_it_so(name):
    assert found({name: "x"}, "model") == ["x"]
    assert found({"\u212aey": "x", "mcp_\u017fervers": "y"}, "key") == ["x"]
    assert found({"mcp_\u017fervers": "y"}, "mcp_servers") == ["y"]


@pytest.mark.parametrize(
    ("pin", "values", "why"),
    [
        (Pin("body", "a", ("x",)), [], ""),
        (Pin("body", "a", ("x",), required=True), [], "body a is missing"),
        (Pin("body", "a"), ["x"], "body a must not be there"),
        (Pin("body", "a", ("x", "y")), ["x", "y"], ""),
        (Pin("body", "a", ("x",)), ["x", "z"], "body a holds what is not listed"),
        (Pin("body", "a", ("b-*",)), ["b-1"], ""),
        (Pin("body", "a", ("b-*",)), ["ab-1"], "body a holds what is not listed"),
        (Pin("body", "a", ("1",)), [1], ""),
        (Pin("body", "a", ("1", "True", "1.0", "None")), [True], "body a holds what is not listed"),
        (Pin("body", "a", ("1.0",)), [1.0], "body a holds what is not listed"),
        (Pin("body", "a", ("None",)), [None], "body a holds what is not listed"),
        (Pin("body", "a", ("x",)), [{"x": 1}], "body a holds what is not listed"),
    ],
)
def test_a_pin_says_how_it_is_broken(pin, values, why):
    assert broken(pin, values) == why


POLYGLOT = b'{"channel":"C1","x":"&channel=C9&text=SECRET&y="}'


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded+json",
        "application/x-www-form-urlencoded, a/b+json",
        "application/x-www-form-urlencoded a+json",
        "application/json, application/x-www-form-urlencoded",
        "application/json application/x-www-form-urlencoded",
        "application/json; xcharset=utf-8; charset=utf-16",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json;;x",
    ],
)
def test_a_type_that_another_server_could_read_otherwise_is_refused(kind):
    with pytest.raises(BadRequest) as caught:
        parse_body(POLYGLOT, kind)
    assert caught.value.rule == "body-unclear"


@pytest.mark.parametrize("kind", ["application/json", 'Application/JSON; charset="UTF-8"', "application/vnd.api+json;"])
def test_json_by_its_usual_types_is_read(kind):
    assert parse_body(b'{"a": 1}', kind) == {"a": 1}


@pytest.mark.parametrize("item", ['{"":0}', "[]", "0", '{"a":[]}'])
def test_a_small_text_that_would_become_a_large_thing_is_not_read(item):
    with pytest.raises(BadRequest, match="over 50000 values"):
        parse_json(f"[{','.join([item] * 60_000)}]".encode())


def test_a_long_text_with_many_commas_is_one_value():
    assert parse_json(json.dumps({"csv": "a,b,[c]{d}" * 50_000}).encode())["csv"].startswith("a,b")


def test_a_form_that_says_another_method_is_refused():
    with pytest.raises(BadRequest) as caught:
        parse_body(b"_method=DELETE&a=1", "application/x-www-form-urlencoded")
    assert caught.value.rule == "override"


def test_a_text_at_the_top_that_is_json_is_judged_as_such_where_the_service_reads_it_so():
    body = json.dumps({"blocks": json.dumps([{"image_url": "https://x.example"}])}).encode()
    assert found(parse_body(body, "application/json", nested=True), "**.image_url") == ["https://x.example"]
    assert found(parse_body(body, "application/json"), "**.image_url") == []


def test_what_lies_at_any_depth_is_found_below_its_name():
    plain = {"a": [{"b": {"c": 1}}, {"B": [{"c": 2}, {"d": 3}]}], "b": {"c": 4}}
    assert sorted(found(plain, "**.b.c")) == [1, 2, 4]
