import pytest

from hostkit.errors import HostkitError
from hostkit.secrets import fingerprints
from hostkit.secrets.reuse import refuse_reuse


def seen(**values):
    return {tuple(name.split("__")): fingerprints.of(value, b"k" * 32) for name, value in values.items()}


def test_what_is_everywhere_another_value_is_fine():
    assert refuse_reuse(seen(acme__slack=b"one", acme__llm=b"two", other__slack=b"three")) is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"other__llm": b"one", "acme__slack": b"one"}, r"acme\.slack and other\.llm have the same value"),
        ({"acme__slack": b"one", "acme__llm": b"one"}, r"acme\.llm and acme\.slack have the same value"),
        ({"acme__slack": b"one", "acme__llm": b"'one'\n"}, r"acme\.llm and acme\.slack have the same value"),
    ],
)
def test_one_value_in_two_services_or_clients_is_refused_by_both_names(values, says):
    with pytest.raises(HostkitError, match=says) as caught:
        refuse_reuse(seen(third__key=b"x", **values))
    assert "'one'" not in str(caught.value)
