import copy

from hostkit.drill.lab import drift

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


def test_another_user_and_another_network_are_drift():
    other = copy.deepcopy(DOCUMENT)
    other["Config"]["User"] = "0"
    other["NetworkSettings"]["Networks"]["bridge"] = {}
    assert drift(other, DOCUMENT) == ["User", "Networks"]
