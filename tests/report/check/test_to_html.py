import base64
import hashlib
import re

import html5lib

from hostkit.report.check.to_html import render
from tests.report.check.runs import EVERY, NASTY, WAIVE, earlier, result, run

PAST = tuple(earlier(day, a_one="ok", a_two="fail" if day > 5 else "ok", b_one="unknown") for day in range(1, 11))


def tree(text):
    """Return the page as a browser reads it, a drawing's elements by their bare names."""
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    for node in page.iter():
        if isinstance(node.tag, str):
            node.tag = node.tag.rpartition("}")[2]
    return page


def test_the_page_fetches_nothing_runs_nothing_and_only_its_own_style_counts():
    page = tree(
        render(run(*EVERY, *(result(f"n-{n}", "fail", word) for n, word in enumerate(NASTY)), waive=WAIVE, past=PAST))
    )
    tags = {node.tag for node in page.iter() if isinstance(node.tag, str)}
    assert {"svg", "rect", "table"} <= tags
    assert not tags & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "a",
        "base",
        "use",
        "image",
        "foreignObject",
    }
    named = {name for node in page.iter() for name in getattr(node, "attrib", {})}
    assert not {name for name in named if str(name).startswith("on")} | named & {
        "href",
        "src",
        "style",
        "srcset",
        "action",
    }
    policy = next(node for node in page.iter("meta") if node.get("http-equiv") == "Content-Security-Policy").get(
        "content"
    )
    (style,) = page.iter("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_the_worst_comes_first():
    words = [row.find("td").text for row in tree(render(run(*EVERY))).iter("tr") if row.get("class") == "check"]
    assert words == ["fail", "unknown", "waived", "ok", "skip"]


def test_the_drawing_has_a_bar_for_each_whole_run_and_none_for_a_narrowed_one():
    page = tree(render(run(*EVERY, past=(*PAST, earlier(11, whole=False, a_one="fail")))))
    titles = [node.text for node in page.iter("title")][1:]
    assert len(titles) == len(PAST)
    assert titles[-1] == "2026-11-10T00:00:00Z: 1 fail, 1 unknown, 0 waived, 0 baseline, 1 ok, 0 skip"
    drawn = [(float(rect.get("y")), float(rect.get("height"))) for rect in page.iter("rect")]
    assert len(drawn) == 5 * 2 + 5 * 3
    assert all(top >= 0 and high > 0 and top + high <= 80.01 for top, high in drawn)


def test_each_check_says_since_when_it_says_so():
    text = render(run(*EVERY, past=PAST))
    said = dict(re.findall(r"<code>([a-z-]+)</code>.*?<p class=\"small\">(since [^<]+|new)</p>", text, re.DOTALL))
    assert said["a-two"] == "since 2026-11-06T00:00:00Z"
    assert said["a-one"] == "since 2026-11-01T00:00:00Z"
    assert said["b-two"] == "new"


def test_without_a_history_there_is_no_drawing():
    text = render(run(*EVERY))
    assert "<svg" not in text
    assert ">new<" not in text


def test_a_waiver_is_shown_with_who_answers_for_it_and_what_of_the_check_it_is_for():
    whole = tree(render(run(*EVERY, waive=WAIVE)))
    narrow = tree(render(run(*EVERY, waive={"c-one": {**WAIVE["c-one"], "scope": ["</li>box", "/srv"]}})))
    told = [" ".join("".join(item.itertext()).split()) for page in (whole, narrow) for item in page.iter("li")]
    assert told == [
        "c-one until 2027-01-01, ann: the office needs it",
        "c-one (</li>box, /srv only) until 2027-01-01, ann: the office needs it",
    ]
