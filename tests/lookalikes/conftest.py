"""One run of the look-alikes for all tests of this folder."""

import pytest

from tests.lookalikes.running import ADDRESS, running, tunnel


@pytest.fixture(scope="session")
def looks(tmp_path_factory):
    with running(tmp_path_factory.mktemp("lookalikes")) as made:
        yield made


@pytest.fixture(scope="session")
def proxy(looks):
    with tunnel((ADDRESS, looks.tls)) as (port, _):
        yield port
