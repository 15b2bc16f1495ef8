import threading

import pytest

from hostkit.errors import HostkitError
from hostkit.launch.model import Slot
from hostkit.launch.state import State


def test_what_was_kept_is_there_for_the_next_process(tmp_path):
    State(tmp_path / "s").keep_slot("acme", Slot(0, "10.0.0.0/29", "10.0.0.8/29"))
    State(tmp_path / "s").update("acme", generation=4)
    assert State(tmp_path / "s").slots() == {"acme": Slot(0, "10.0.0.0/29", "10.0.0.8/29")}
    assert State(tmp_path / "s").entry("acme")["generation"] == 4
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700


def test_a_broken_state_file_is_named_and_not_overwritten(tmp_path):
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(HostkitError, match="not readable as JSON"):
        State(tmp_path).slots()
    assert (tmp_path / "state.json").read_text() == "{"


@pytest.mark.parametrize("text", ["[]", "{}", '{"version": 2}', "3"])
def test_a_state_file_of_another_shape_is_one_line(tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(HostkitError, match="of another version; use the hostkit that wrote it"):
        State(tmp_path).slots()


def test_a_second_launch_of_a_client_waits_for_the_first(tmp_path):
    order = []
    state = State(tmp_path)
    with state.locked("acme"):
        other = threading.Thread(target=lambda: [state.locked("acme").__enter__(), order.append("second")])
        other.start()
        other.join(0.2)
        order.append("first")
    other.join(5)
    assert order == ["first", "second"]


def test_a_forgotten_client_frees_its_slot(tmp_path):
    state = State(tmp_path)
    state.keep_slot("acme", Slot(0, "10.0.0.0/29", "10.0.0.8/29"))
    state.forget("acme")
    assert state.slots() == {}


def test_who_would_not_wait_is_refused_while_another_holds_the_lock(tmp_path):
    state = State(tmp_path)
    with state.locked("acme+drill"), pytest.raises(HostkitError, match="another hostkit is at the same work; wait"):
        state.locked("acme+drill", wait=False).__enter__()
    with state.locked("acme+drill", wait=False):
        pass
