"""What a session refuses before it asks the engine for anything, and what it reads back."""

import dataclasses
import time

import pytest

from hostkit.errors import CannotTell, HostkitError, WallOpen
from hostkit.launch.session import Session
from hostkit.launch.state import State
from hostkit.launch.uids import refuse_collisions
from tests.conftest import FakeHost, client, make_policy
from tests.launch.test_plan import PLAN
from tests.launch.test_uids import STATUS, WHOLE


class FakeEngine:
    def __init__(self, **documents):
        self.documents = documents

    def inspect(self, name):
        return self.documents.get(name.rpartition("-")[2])

    def logs(self, name, lines):
        return "its last words\x1b[2J\n"


def document(image, pid=0):
    return {"Image": image, "Config": {"Image": image}, "State": {"Pid": pid, "ExitCode": 3}}


def session(tmp_path, uid=PLAN.host_uid, uid_map=WHOLE, agent=PLAN.agent.image, gateway=PLAN.gateway.image, pid=41):
    host = FakeHost(files={"/proc/41/status": STATUS.format(uid), "/proc/41/uid_map": uid_map})
    return Session(FakeEngine(agent=document(agent, pid), gateway=document(gateway, 42)), host, State(tmp_path))


def test_an_agent_as_planned_is_read_back_in_silence(tmp_path):
    session(tmp_path)._read_back(PLAN)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"uid": 170006}, "on the host the agent is uid 170006/170006/170006/170006, not 70006"),
        ({"uid_map": "0 100000 65536\n"}, "the engine maps uids"),
        ({"agent": "sha256:other"}, "hostkit-acme-agent runs image sha256:other, not sha256:bb"),
        ({"gateway": "sha256:other"}, "hostkit-acme-gateway runs image sha256:other, not sha256:aa"),
    ],
)
def test_an_agent_that_is_not_as_planned_on_the_host_is_an_open_wall(tmp_path, changes, says):
    with pytest.raises(WallOpen, match=says):
        session(tmp_path, **changes)._read_back(PLAN)


def test_an_agent_that_runs_without_its_profile_is_an_open_wall(tmp_path, monkeypatch):
    monkeypatch.setattr("hostkit.launch.session.wrong_profile", lambda host, planned, pid: f"{pid} not {planned}")
    planned = dataclasses.replace(PLAN, agent=dataclasses.replace(PLAN.agent, apparmor="hostkit-agent"))
    with pytest.raises(WallOpen, match="41 not hostkit-agent"):
        session(tmp_path)._read_back(planned)


def test_an_agent_that_ended_cannot_be_read_back_and_its_last_words_are_escaped(tmp_path):
    with pytest.raises(CannotTell, match=r"ended at once \(exit 3\): 'its last words\\x1b\[2J'"):
        session(tmp_path, pid=0)._read_back(PLAN)


def test_an_agent_that_ends_while_it_is_read_back_is_told_with_its_last_words(tmp_path, monkeypatch):
    said = [document(PLAN.agent.image, pid) for pid in (43, 43, 0)]
    answers = {"agent": lambda: said.pop(0) if len(said) > 1 else said[0], "gateway": lambda: document("sha256:aa", 42)}
    monkeypatch.setattr(FakeEngine, "inspect", lambda self, name: answers[name.rpartition("-")[2]]())
    with pytest.raises(CannotTell, match=r"ended at once \(exit 3\): 'its last words"):
        session(tmp_path)._read_back(PLAN)


def test_an_agent_that_ends_after_it_was_read_back_is_told_with_its_last_words(tmp_path, monkeypatch):
    looked = session(tmp_path)

    def removed(self, name):
        time.sleep(0.2)
        self.documents["agent"] = document(PLAN.agent.image)

    monkeypatch.setattr(FakeEngine, "remove_container", removed, raising=False)
    with pytest.raises(CannotTell, match=r"ended at once \(exit 3\): 'its last words"):
        looked._look_at_what_runs(PLAN)


def test_an_agent_that_still_runs_after_it_was_read_back_is_left_in_peace(tmp_path, monkeypatch):
    monkeypatch.setattr(FakeEngine, "remove_container", lambda self, name: None, raising=False)
    session(tmp_path)._look_at_what_runs(PLAN)


def test_an_agent_that_the_host_does_not_see_cannot_be_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr("hostkit.launch.session._NOTICED", 0.1)
    with pytest.raises(CannotTell, match="/proc/43/status: not taught"):
        session(tmp_path, pid=43)._read_back(PLAN)


def test_a_host_that_has_given_a_uid_of_ours_away_is_told_the_line_and_what_to_do():
    host = FakeHost(files={"/etc/passwd": "root:x:0:0::/:/bin/sh\neve:x:70003:100::/:/bin/sh\n"})
    with pytest.raises(HostkitError, match=r"/etc/passwd: eve:x:70003:.*; move it out of 70000-70511"):
        refuse_collisions(host)


def test_a_host_without_delegated_ids_is_fine():
    refuse_collisions(FakeHost(files={"/etc/passwd": "root:x:0:0::/:/bin/sh\n"}))


def test_a_running_sandbox_of_another_plan_is_refused_before_anything_is_asked_of_it(tmp_path):
    other = dataclasses.replace(PLAN, agent=dataclasses.replace(PLAN.agent, pids=17))
    state = State(tmp_path)
    from hostkit.launch.drift import fixed

    state.update("acme", fixed=fixed(other))
    with pytest.raises(HostkitError, match=r"agent\.pids: 17 -> 256; hostkit stop acme, then launch it again"):
        Session(None, FakeHost(), state)._reprove(PLAN, {})


@pytest.mark.parametrize(
    ("agreement", "passwd", "says"),
    [
        ({"expires": "2020-01-01"}, "", "expired on 2020-01-01"),
        ({"permitted": False}, "", "does not permit an agent"),
        ({}, "eve:x:70003:100::/:/bin/sh", "move it out of 70000-70511"),
    ],
)
def test_a_launch_refuses_before_it_keeps_or_asks_anything(tmp_path, agreement, passwd, says):
    host = FakeHost(files={"/etc/passwd": passwd})
    asked = Session(None, host, State(tmp_path / "state"))
    with pytest.raises(HostkitError, match=says):
        asked.launch(make_policy(clients={"acme": client(**agreement)}), "acme")
    assert not (tmp_path / "state").exists()


class Machines(FakeEngine):
    """Containers by name and label."""

    def containers(self, **_):
        return [{"Name": f"/{name}", "Config": {"Labels": labels}} for name, labels in self.documents.items()]


def test_a_strangers_container_is_nobodys_sandbox_whatever_its_label(tmp_path):
    engine = Machines(
        **{
            "hostkit-acme-agent": {"hostkit.client": "acme"},
            "web": {"hostkit.client": "globex"},
            "empty": {"hostkit.client": ""},
            "bare": None,
        }
    )
    assert Session(engine, FakeHost(), State(tmp_path)).launched() == ["acme"]


def test_a_client_called_as_a_lock_is_does_not_wait_for_itself(tmp_path):
    import threading

    asked = session(tmp_path)
    asked.plan = lambda *_: PLAN

    def launch_far_enough():
        with asked._state.locked("slots"):
            asked._kept_plan(None, "slots")

    waits = threading.Thread(target=launch_far_enough, daemon=True)
    waits.start()
    waits.join(5)
    assert not waits.is_alive()


class Volumes(FakeEngine):
    """An engine during whose last removal somebody else looks whether the client's lock is free."""

    def containers(self, **_):
        return []

    def networks(self, _):
        return []

    volumes = networks


def test_a_client_is_forgotten_before_its_lock_is_free(tmp_path):
    state, seen = State(tmp_path), []
    forget = state.forget

    def watched(name):
        import fcntl

        with (tmp_path / f"lock-{name}").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(name)
        forget(name)

    state.forget = watched
    Session(Volumes(), FakeHost(), state).remove("acme")
    assert seen == ["acme"]
