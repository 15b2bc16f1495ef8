"""A fresh machine per test; a test that needs one for longer holds `systemd.machine()` or `vm.machine()` itself."""

import pytest

from tests.machines import systemd, vm


@pytest.fixture
def systemd_machine():
    with systemd.machine() as made:
        yield made


@pytest.fixture
def vm_machine():
    with vm.machine() as made:
        yield made
