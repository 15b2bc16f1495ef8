import pytest

from hostkit.posture.model import check, every, ok


def test_a_check_without_a_docstring_does_not_import():
    def nameless(host, policy):
        return ok()

    with pytest.raises(TypeError, match="x-y: a check needs a docstring"):
        check("x-y", severity="high", why="w", fix="f")(nameless)


def test_a_check_without_a_known_severity_does_not_import():
    def named(host, policy):
        """Named."""
        return ok()

    with pytest.raises(TypeError, match="a severity"):
        check("x-y", severity="urgent", why="w", fix="f")(named)


def test_many_faults_are_told_as_five_and_the_rest_counted():
    assert every([str(n) for n in range(8)], "").detail == "0, 1, 2, 3, 4 and 3 more"
