"""The host's own gateway: its rules, their generation, and its code as one file."""

import dataclasses
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hostkit.bootstrap import engine
from hostkit.bootstrap.gateway import packed, rules
from hostkit.bootstrap.plays import Machine, variables
from hostkit.gateway.rules import Forward, Grant, parse
from tests.conftest import make_policy

WAYS = [
    {"name": "deb.example", "ports": [80]},
    {"name": "*.example.org"},
    {"name": "db.example", "raw": 5432, "networks": ["192.168.7.40/32"]},
]
POLICY = make_policy({"egress": WAYS})
ADDRESSES = ("127.0.0.1", "::1", "fe80::1", "192.168.7.20", "10.231.0.9")
FIRST = rules(POLICY, ADDRESSES)


def test_it_may_reach_what_the_policy_lists_for_the_host_and_listens_on_loopback_only():
    assert FIRST.grants == (Grant("deb.example", (80,)), Grant("*.example.org"))
    assert FIRST.forwards == (Forward("db.example", 5432, 5432, ("192.168.7.40/32",)),)
    assert (FIRST.address, FIRST.proxy_port, FIRST.resolvers) == ("127.0.0.1", 3128, ("198.51.100.53",))
    assert parse(FIRST.to_json()) == FIRST


def test_it_never_dials_this_host_or_a_sandbox_and_a_clients_coming_and_going_changes_nothing():
    assert FIRST.refuse == ("10.231.0.0/20", "192.168.7.20/32")
    assert rules(POLICY, ("192.168.7.20",)) == FIRST


def test_an_engine_that_comes_or_moves_its_bridge_changes_nothing_and_no_container_is_dialled():
    settings = engine.daemon("", POLICY, ADDRESSES)
    before = Machine({}, addresses=ADDRESSES)
    moved = (
        Machine({}, addresses=(*ADDRESSES, "172.17.0.1"), bridges=("172.17.0.1",), daemon=settings),
        Machine({}, addresses=(*ADDRESSES, "10.233.0.1"), bridges=("10.233.0.1",), daemon=settings),
    )
    first = variables(POLICY, "ssh", before)["gateway_rules"]
    assert parse(first).refuse == ("10.231.0.0/20", "10.233.0.0/16", "192.168.7.20/32")
    assert [variables(POLICY, "ssh", machine)["gateway_rules"] for machine in moved] == [first, first]


def test_without_a_line_in_the_policy_it_may_reach_nothing():
    assert (rules(make_policy(), ADDRESSES).grants, rules(make_policy(), ADDRESSES).forwards) == ((), ())


def test_the_same_policy_keeps_its_generation_and_another_gets_the_next():
    kept = dataclasses.replace(FIRST, generation=7).to_json()
    assert rules(POLICY, ADDRESSES, kept).generation == 7
    assert rules(make_policy(), ADDRESSES, kept).generation == 8
    assert rules(POLICY, ("192.168.7.21",), kept).generation == 8


@pytest.mark.parametrize(
    ("before", "status", "generation"),
    [
        ("", "", 1),
        ("", json.dumps({"generation": 7}), 8),
        ('{"generation": 9, "spoilt": 1}', json.dumps({"generation": 7}), 10),
        (dataclasses.replace(FIRST, generation=3).to_json(), json.dumps({"generation": 7}), 8),
        ("[", "[]", 1),
        ("", '{"generation": "x"}', 1),
    ],
)
def test_no_generation_is_older_than_the_last_that_the_gateway_ran_by(before, status, generation):
    assert rules(POLICY, ADDRESSES, before, status).generation == generation


def test_its_code_is_that_of_the_image_and_equal_code_is_an_equal_file():
    from hostkit import gateway

    with zipfile.ZipFile(io.BytesIO(packed())) as archive:
        names = set(archive.namelist())
        folder = Path(gateway.__file__).parent
        for file in folder.rglob("*.py"):
            assert archive.read(f"hostkit/gateway/{file.relative_to(folder)}") == file.read_bytes()
    assert names - {name for name in names if name.startswith("hostkit/gateway/")} == {
        "hostkit/__init__.py",
        "__main__.py",
    }
    assert packed() == packed()


def test_the_hosts_gateway_runs_by_what_its_play_installs_and_nothing_more(tmp_path):
    (tmp_path / "gateway.pyz").write_bytes(packed())
    alone = "import sys; sys.path.insert(0, sys.argv[1]); sys.modules.update(wsproto=None, uvloop=None)"
    words = (sys.executable, "-c", f"{alone}; import hostkit.gateway.__main__", str(tmp_path / "gateway.pyz"))
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=False, timeout=30).stderr == b""
