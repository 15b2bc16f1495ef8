"""Many hosts at once, with an ssh of our own on the path: what it is told, what it answers, when it hangs."""

import json
import time

import pytest

from hostkit.fleet import run
from hostkit.fleet.inventory import Target
from hostkit.fleet.judge import State
from hostkit.fleet.run import Hardened

GREEN = json.dumps({"schema_version": 1, "results": [{"id": "fence-up", "status": "ok", "detail": "", "waived": ""}]})
SSH = """\
#!/bin/sh
while [ "$1" != -- ]; do shift; done
exec {folder}/host-"$2" "$3"
"""


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """Make hosts out of shell scripts; $1 is the line that a host is told."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(**scripts):
        for name, script in {
            "ssh": SSH.format(folder=tmp_path),
            **{f"host-{n}": s for n, s in scripts.items()},
        }.items():
            (tmp_path / name).write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        return tuple(Target(name, name) for name in scripts)

    return make


def test_hosts_answer_side_by_side_and_stand_in_the_inventorys_order(hosts, tmp_path):
    wait = f"sleep 1; echo '{GREEN}'"
    targets = hosts(a=wait, b=wait, c=wait, d="echo 'ssh: no route' >&2; exit 255")
    began = time.monotonic()
    rows = run.check(targets, {"fence-up"})
    assert time.monotonic() - began < 2.5
    assert [(row.name, row.state) for row in rows] == [("a", "ok"), ("b", "ok"), ("c", "ok"), ("d", "unknown")]
    assert rows[3].why == "cannot be reached: ssh: no route"


def test_a_host_that_hangs_or_never_ends_talking_is_unknown_and_left_behind(hosts, monkeypatch):
    monkeypatch.setattr(run, "CHECK_SECONDS", 3.0)
    targets = hosts(hangs="exec sleep 60", talks="exec yes", whines="exec yes >&2")
    began = time.monotonic()
    rows = run.check(targets, set())
    assert time.monotonic() - began < 20
    assert [row.state for row in rows] == [State.UNKNOWN] * 3
    assert [row.why for row in rows[:2]] == ["did not answer in time", "says more than an answer can be"]


FENCE = """\
case "$1" in
*--confirm\\'*|*"--confirm") touch {mark}; echo kept ;;
*) echo 'The fence is up. Within 120 s, over a NEW SSH connection'
   echo 'The fence is up. Once more'
   n=0; while [ ! -e {mark} ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
   [ -e {mark} ] && echo confirmed ;;
esac
"""


def test_a_fence_is_kept_over_a_connection_of_its_own_and_every_line_is_passed_on(hosts, tmp_path):
    targets = hosts(a=FENCE.format(mark=tmp_path / "kept"), b="echo 'hostkit: no' >&2; exit 2")
    lines = []
    first, second = run.bootstrap(targets, (), lambda name, line: lines.append((name, line)), dry=False)
    assert (first.said.code, first.kept.out) == (0, "kept\n")
    assert ("a", "confirmed") in lines
    assert (second.said.code, second.kept) == (2, None)


def test_a_dry_run_confirms_nothing(hosts, tmp_path):
    (dry,) = run.bootstrap(hosts(a="echo 'The fence is up. It is not'"), (), lambda *_: None, dry=True)
    assert isinstance(dry, Hardened)
    assert (dry.said.code, dry.kept) == (0, None)
