"""A fresh machine per test; a test that needs one for longer holds `systemd.machine()` or `vm.machine()` itself."""

import pytest

from tests.machines import systemd, vm


def pytest_collection_modifyitems(items):
    """Give the machines' tests the time of a busy two-core machine without KVM; the first one also builds."""
    for item in items:
        if any(item.get_closest_marker(name) for name in ("systemd", "vm", "vagrant")) and not item.get_closest_marker(
            "timeout"
        ):
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture
def systemd_machine():
    with systemd.machine() as made:
        yield made


@pytest.fixture
def vm_machine():
    with vm.machine() as made:
        yield made
