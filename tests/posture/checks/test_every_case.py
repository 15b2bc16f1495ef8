"""Runs the CASES of every file beside this one: check, host, policy, status, a word of the detail, the engine."""

import importlib
from pathlib import Path

import pytest

from hostkit.errors import CannotTell
from hostkit.posture import readings
from hostkit.posture.model import collect
from hostkit.posture.trials import judged
from tests.conftest import FakeHost, make_policy

HERE = Path(__file__).parent
SUBJECTS = sorted(path.stem for path in HERE.glob("test_*.py") if path.stem != "test_every_case")
CASES = [case for name in SUBJECTS for case in importlib.import_module(f"tests.posture.checks.{name}").CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].id}-{case[3]}-{case[4]}")
def test_a_check_answers_as_it_should(case, monkeypatch):
    check, host, policy, status, word, *more = case
    _teach_engine(monkeypatch, **(more[0] if more else {}))
    found = judged(check, host, policy)
    assert (found.status, word in found.detail) == (status, True), found


def _deaf():
    raise CannotTell("the engine does not answer")


def _teach_engine(monkeypatch, containers=(), gateway=lambda: None, settings=None, exists=True, survey=None):
    def listed(*, all):
        if isinstance(containers, CannotTell):
            raise containers
        return list(containers)

    def surveyed():
        if isinstance(containers, CannotTell):
            raise containers
        return {"info": {}, "version": {}, "networks": [], "volumes": [], **(survey or {})}

    monkeypatch.delenv("HOSTKIT_STATE", raising=False)
    monkeypatch.setattr("hostkit.engine.connect", lambda **_: pytest.fail("the real engine was asked"))
    monkeypatch.setattr("hostkit.engine.survey", surveyed)
    monkeypatch.setattr("hostkit.engine.exists", lambda: exists)
    monkeypatch.setattr("hostkit.engine.settings", lambda: settings or _deaf())
    monkeypatch.setattr("hostkit.engine.containers", listed)
    monkeypatch.setattr("hostkit.engine.gateway_status", lambda client: gateway())
    readings.forget()


@pytest.mark.parametrize("status", ["ok", "fail", "unknown"])
@pytest.mark.parametrize("check", collect(), ids=lambda check: check.id)
def test_every_check_has_a_case_for_each_answer(check, status):
    assert any(case[0].id == check.id and case[3] == status for case in CASES)


@pytest.mark.parametrize("check", collect(), ids=lambda check: check.id)
def test_a_checks_id_names_its_file(check):
    assert (HERE / f"test_{check.subject}.py").exists()
    assert check.judge.__module__ == f"hostkit.posture.checks.{check.subject}"


def test_there_are_at_least_fifteen_checks():
    assert len(collect()) >= 15


@pytest.mark.parametrize("check", [one for one in collect() if one.platforms == ("darwin",)], ids=lambda one: one.id)
def test_a_macs_check_is_no_question_on_linux(check):
    found = judged(check, FakeHost(), make_policy())
    assert (found.status, found.detail) == ("skip", "not a question on linux")
