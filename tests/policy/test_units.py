import pytest

from hostkit.policy.units import parse_size


def test_sizes_are_bytes():
    assert parse_size("2GiB") == 2 * 1024**3
    assert parse_size("512MiB") == 512 * 1024**2


@pytest.mark.parametrize("text", ["", "2GB", "0MiB", "-1MiB", "1.5GiB", "1 GiB", "12345678GiB"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)
