"""The words of the engine, and the order of jobs on it, without an engine."""

import contextlib
import dataclasses
import signal
import socket
import tarfile
import threading
import time
import tracemalloc
from contextlib import contextmanager

import pytest

from hostkit.engine import Engine, connect, in_order, side_by_side, version_numbers
from hostkit.engine.document import config
from hostkit.errors import CannotTell, HostkitError
from tests.launch.test_plan import PLAN


@pytest.mark.parametrize(
    ("server", "numbers"),
    [
        ("Docker/20.10.24+dfsg1 (linux)", (20, 10, 24)),
        ("Docker/26.1.5 (linux)", (26, 1, 5)),
        ("Docker/28.0 (linux)", (28, 0, 0)),
        ("Libpod/4.3.1 (linux)", None),
        ("", None),
    ],
)
def test_an_engine_tells_its_version_in_its_header(server, numbers):
    assert version_numbers(server) == numbers


@pytest.mark.timeout(20)
def test_an_engine_that_takes_connections_and_says_nothing_does_not_answer(tmp_path, monkeypatch):
    path = tmp_path / "engine.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        with pytest.raises(CannotTell, match="the Docker engine does not answer"):
            connect(timeout=1)


def test_a_job_waits_for_what_it_needs_and_for_nothing_else():
    done, gate = [], threading.Event()
    with in_order() as add:
        first = add(lambda: (gate.wait(5), done.append("first")))
        add(lambda: done.append("second"), first)
        add(lambda: (done.append("beside"), gate.set()))
    assert done == ["beside", "first", "second"]


def test_a_failed_job_stops_what_needs_it_and_is_raised_after_the_rest_has_ended():
    done = []

    def fail():
        raise HostkitError("no room")

    def run():
        with in_order() as add:
            broken = add(fail)
            add(lambda: done.append("needs it"), broken)
            add(lambda: done.append("does not"))

    with pytest.raises(HostkitError, match="no room"):
        run()
    assert done == ["does not"]


@contextmanager
def interrupted(seconds):
    def end(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_who_is_interrupted_goes_on_only_when_no_job_runs_any_more():
    done = []
    with interrupted(0.2), in_order() as add:
        slow = add(lambda: (time.sleep(0.8), done.append("slow")))
        add(lambda: done.append("needs it"), slow)
    assert done == ["slow"]
    time.sleep(0.2)
    assert done == ["slow"]


def test_side_by_side_too_an_interruption_waits_for_those_under_way():
    done = []
    with interrupted(0.2):
        side_by_side(lambda: (time.sleep(0.8), done.append("slow")))
    assert done == ["slow"]


class Strangers:
    """An engine's API that has each thing once by hostkit's name and once by another, all with the label."""

    names = ("hostkit-acme-x", "web")

    def containers(self, **_):
        return [{"Id": name} for name in self.names]

    def inspect_container(self, name):
        return {"Name": f"/{name}", "Config": {"Labels": {"hostkit.client": "acme"}}}

    def networks(self, **_):
        return [{"Name": name} for name in self.names]

    def volumes(self, **_):
        return {"Volumes": [{"Name": name} for name in self.names]}


def test_what_has_the_label_and_another_name_was_not_made_by_hostkit():
    engine = Engine(Strangers())
    assert [document["Name"] for document in engine.containers(all=True, client="acme")] == ["/hostkit-acme-x"]
    assert [network["Name"] for network in engine.networks("acme")] == ["hostkit-acme-x"]
    assert engine.volumes("acme") == ["hostkit-acme-x"]
    assert engine.volumes("") == []


class FakeApi:
    def __init__(self, volume):
        self._volume = volume

    def create_volume(self, name, **_):
        return {"Name": name}  # all that an engine says of one that it kept over its own restart

    def inspect_volume(self, name):
        return self._volume


@pytest.mark.parametrize(
    "volume",
    [
        {"Labels": None, "Options": None},
        {"Labels": {"hostkit.client": "beta"}, "Options": {}},
        {"Labels": {"hostkit.client": "acme"}, "Options": {"type": "none", "o": "bind", "device": "/"}},
    ],
)
def test_a_volume_that_is_not_the_clients_or_not_of_the_planned_kind_is_refused(volume):
    with pytest.raises(HostkitError, match="volume v was not made by hostkit for acme"):
        Engine(FakeApi(volume)).make_volume("v", "acme")


def test_a_volume_of_the_client_is_kept():
    Engine(FakeApi({"Labels": {"hostkit.client": "acme"}, "Options": None})).make_volume("v", "acme")


def test_a_sized_tmpfs_may_stand_in_for_a_plain_volume_and_for_no_other():
    memory = {"type": "tmpfs", "device": "tmpfs", "o": "size=16m"}
    engine = Engine(FakeApi({"Labels": {"hostkit.client": "acme"}, "Options": memory}))
    engine.make_volume("v", "acme")
    with pytest.raises(HostkitError, match="volume v was not made by hostkit for acme"):
        engine.make_volume("v", "acme", {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=0700"})


def archived(size, tail=b"", kind=tarfile.REGTYPE):
    """Yield a tar of one file of `size` zeros and then `tail`, as an engine does; no piece is kept."""
    info = tarfile.TarInfo("requests.jsonl")
    info.size, info.type = size + len(tail), kind
    yield info.tobuf()
    for _ in range(size // 65536):
        yield bytes(65536)
    yield tail + bytes(-info.size % 512) + bytes(1024)


class Info:
    def __init__(self, **said):
        self._said = said

    def info(self):
        return self._said


def test_an_engine_tells_how_it_holds_containers():
    assert Engine(Info(SecurityOptions=["name=apparmor"])).security_options() == ("name=apparmor",)
    assert Engine(Info(SecurityOptions=None)).security_options() == ()


@pytest.mark.parametrize(("profile", "options"), [(None, []), ("hostkit-agent", ["apparmor=hostkit-agent"])])
def test_a_container_is_asked_for_under_the_planned_profile_and_else_none_is_named(profile, options):
    from docker import APIClient

    plan = dataclasses.replace(PLAN.agent, apparmor=profile)
    with contextlib.closing(APIClient(base_url="unix:///nonexistent", version="1.41")) as api:
        asked = config(api, plan, stdin=False)["HostConfig"]["SecurityOpt"]
    assert [option for option in asked if not option.startswith("seccomp=")] == [*options, "no-new-privileges:true"]


class Archive:
    def __init__(self, chunks):
        self._chunks = chunks

    def get_archive(self, container, path):
        return self._chunks, {}


def test_of_a_large_file_the_end_is_read_and_no_more_is_held():
    tracemalloc.start()
    try:
        got = Engine(Archive(archived(64 * 2**20, b"the end"))).fetch("box", "/records/requests.jsonl", 4096)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(got), got[-7:]) == (4096, b"the end")
    assert held < 16 * 2**20


@pytest.mark.parametrize("chunks", [archived(0, kind=tarfile.SYMTYPE), [b"", archived(2**40).__next__()].__iter__()])
def test_a_link_and_a_file_of_an_impossible_size_are_not_read(chunks):
    with pytest.raises(CannotTell, match="is not a regular file of a size to be read"):
        Engine(Archive(chunks)).fetch("box", "/records/status.json")
