"""The second engine's tree: built once, and never taken for whole when it is not."""

import pytest

from tests.e2e import second_engine


def test_a_half_built_tree_is_built_anew_and_a_whole_one_is_used_again(tmp_path, monkeypatch):
    steps = []

    def do(place, *command, timeout=0):
        steps.append(command[2])
        tree = place / ("trixie" if str(place / "trixie") in command else "trixie.building")
        (tree / second_engine.NEWEST).parent.mkdir(parents=True, exist_ok=True)
        if command[2] == "sh":
            (tree / second_engine.NEWEST).touch()

    monkeypatch.setattr(second_engine, "_do", do)
    (tmp_path / "trixie.building").mkdir()
    (tmp_path / "trixie.building" / "left-over").touch()
    tree = second_engine.build_tree(tmp_path)
    assert (tree.name, (tree / "left-over").exists(), steps) == ("trixie", False, ["debootstrap", "sh"])
    assert second_engine.build_tree(tmp_path) == tree
    assert len(steps) == 2
    (tree / second_engine.NEWEST).unlink()
    assert second_engine.build_tree(tmp_path) == tree
    assert steps == ["debootstrap", "sh", "sh"]


def test_a_step_that_fails_names_its_log_and_its_last_words(tmp_path):
    with pytest.raises(RuntimeError, match=r"ended with 1; see .*build\.log: no room"):
        second_engine._do(tmp_path, "sh", "-c", "echo no room; exit 1")
