"""Under which AppArmor profile an agent can be put, what is said where under none, and whether it is."""

import dataclasses
import json

import pytest

from hostkit.bootstrap.apparmor import NAME, PROFILES
from hostkit.errors import CannotTell
from hostkit.launch.confinement import NONE, confinement, judge, other_profile, wrong_profile
from hostkit.launch.drift import differences, fixed
from hostkit.launch.plan import make_plan
from tests.conftest import FakeHost
from tests.launch.test_plan import ENGINE, PLAN, POLICY, SLOT

LOADED = f"docker-default (enforce)\n{NAME} (enforce)\n"
ON = ("name=apparmor", "name=seccomp,profile=default")
CONFINED = make_plan(POLICY, "acme", SLOT, dataclasses.replace(ENGINE, confinement=judge(ON, LOADED)))


class Told:
    """An engine that says how it holds containers; None for one that must not be asked."""

    def __init__(self, options):
        self.options = options

    def security_options(self):
        assert self.options is not None
        return self.options


def test_where_the_profile_is_loaded_the_agent_and_its_probe_get_it_and_nothing_is_noted():
    assert (CONFINED.agent.apparmor, CONFINED.probe.apparmor, CONFINED.gateway.apparmor) == (NAME, NAME, None)
    assert not [note for note in CONFINED.notes if "AppArmor" in note]


@pytest.mark.parametrize(
    ("options", "profiles", "says"),
    [
        ((), LOADED, "no AppArmor profile holds the agent: this host or its engine has no AppArmor"),
        (ON, "docker-default (enforce)\n", "the kernel does not have that one; hostkit bootstrap --only apparmor"),
        (ON, f"{NAME} (complain)\n", "the kernel only has that one to complain; hostkit bootstrap --only apparmor"),
        (ON, None, "not hostkit's: only root sees whether the kernel has that one"),
    ],
)
def test_where_it_cannot_be_given_nothing_changes_and_the_plan_says_what_holds_instead(options, profiles, says):
    plan = make_plan(POLICY, "acme", SLOT, dataclasses.replace(ENGINE, confinement=judge(options, profiles)))
    assert (plan.agent, plan.probe) == (PLAN.agent, PLAN.probe)
    (note,) = [note for note in plan.notes if "AppArmor" in note]
    assert note.endswith(says)


def _deaf():
    raise CannotTell("Permission denied")


def test_kernel_and_engine_are_asked_and_a_kernel_without_apparmor_spares_the_engine():
    assert confinement(Told(ON), FakeHost(files={PROFILES: LOADED})).profile == NAME
    assert confinement(Told(ON), FakeHost(files={PROFILES: _deaf})) == judge(ON, None)
    assert confinement(Told(None), FakeHost()) == NONE


def test_what_ran_before_hostkit_knew_of_profiles_runs_as_planned_and_a_new_profile_wants_a_new_start():
    kept = json.loads(json.dumps(fixed(PLAN)))
    del kept["agent"]["apparmor"]
    assert differences(kept, PLAN) == []
    assert differences(kept, CONFINED) == ['agent.apparmor: null -> "hostkit-agent"']


@pytest.mark.parametrize("label", ["unconfined", f"{NAME} (complain)", "docker-default (enforce)", ""])
def test_another_label_is_not_the_planned_profile(label):
    assert other_profile(NAME, label) == f"AppArmor says '{label}', not 'hostkit-agent (enforce)'"
    assert other_profile(None, label) == ""


def test_a_profile_that_comes_with_the_program_is_awaited_and_one_that_does_not_come_is_told():
    labels = iter(["unconfined\n", "unconfined\n", f"{NAME} (enforce)\n"])
    host = FakeHost(files={"/proc/41/attr/apparmor/current": lambda: next(labels)})
    assert wrong_profile(host, NAME, 41) == ""
    never = FakeHost(files={"/proc/41/attr/apparmor/current": "unconfined\n"})
    assert wrong_profile(never, NAME, 41, patience=0.02).startswith("AppArmor says 'unconfined'")
    assert wrong_profile(FakeHost(), None, 41) == ""
