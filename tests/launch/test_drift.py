"""What runs against what is planned now."""

import copy
import dataclasses
import json

import pytest

from hostkit.launch.drift import differences, drift, fixed, other_image
from tests.launch.test_plan import PLAN

DOCUMENT = {
    "Config": {"User": "70000:70000"},
    "NetworkSettings": {"Networks": {"hostkit-acme-in": {}}},
    "HostConfig": {"CapDrop": ["ALL"], "PidsLimit": 256, "Binds": None, "ReadonlyRootfs": True, "Privileged": False},
}


def changed(**config):
    document = copy.deepcopy(DOCUMENT)
    document["HostConfig"].update(config)
    return document


def test_the_same_walls_are_no_drift_however_the_engine_spells_nothing():
    assert drift(DOCUMENT, changed(Binds=[], CapAdd=None)) == []


def test_each_wall_that_differs_is_named():
    assert drift(changed(PidsLimit=0, CapAdd=["NET_RAW"]), DOCUMENT) == ["CapAdd", "PidsLimit"]
    assert drift(changed(Privileged=True, Binds=["/:/host"]), DOCUMENT) == ["Binds", "Privileged"]


def test_a_wall_that_is_left_out_is_not_compared():
    assert drift(changed(PidsLimit=0, Mounts=[{}]), DOCUMENT, but=("Mounts",)) == ["PidsLimit"]


def test_another_user_and_another_network_are_drift():
    other = copy.deepcopy(DOCUMENT)
    other["Config"]["User"] = "0"
    other["NetworkSettings"]["Networks"]["bridge"] = {}
    assert drift(other, DOCUMENT) == ["User", "Networks"]


def test_a_plan_that_was_kept_and_read_again_is_the_same():
    assert differences(json.loads(json.dumps(fixed(PLAN))), PLAN) == []


def test_new_rules_and_a_new_generation_reach_a_running_sandbox():
    newer = dataclasses.replace(PLAN, generation=9, rules=dataclasses.replace(PLAN.rules, generation=9, grants=()))
    assert differences(fixed(PLAN), newer) == []


@pytest.mark.parametrize(
    ("newer", "says"),
    [
        ({"agent": dataclasses.replace(PLAN.agent, memory=5)}, ["agent.memory: 1073741824 -> 5"]),
        ({"gateway": dataclasses.replace(PLAN.gateway, image="sha256:c")}, ["gateway.image: "]),
        ({"agent": dataclasses.replace(PLAN.agent, command=("a",))}, ['agent.command: ["sleep", "infinity"] -> ["a"]']),
        ({"secrets": {"other": "env:X"}}, ['secrets.other: null -> "env:X"', "secrets.token: "]),
        ({"inside": dataclasses.replace(PLAN.inside, options={})}, ["inside.options: "]),
    ],
)
def test_what_a_running_sandbox_cannot_take_over_is_named_with_old_and_new(newer, says):
    found = differences(fixed(PLAN), dataclasses.replace(PLAN, **newer))
    assert len(found) == len(says)
    assert all(line.startswith(start) for line, start in zip(found, says, strict=True))


def test_a_container_is_of_the_planned_image_or_the_other_one_is_named():
    by_id = {"Image": "sha256:a", "Config": {"Image": "sha256:a"}}
    by_digest = {"Image": "sha256:a", "Config": {"Image": "me/it@sha256:d"}}
    assert other_image(by_id, "sha256:a") == ""
    assert other_image(by_digest, "me/it@sha256:d") == ""
    assert other_image(by_id, "sha256:b") == "sha256:a"
    assert other_image(by_digest, "me/it@sha256:e") == "me/it@sha256:d"
