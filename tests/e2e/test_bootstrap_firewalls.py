"""Another firewall was there before: it goes on, the fence holds besides it, and --undo leaves it as it was."""

import pytest

from tests.e2e.test_bootstrap import all_of, answers, harden, prepare, tables
from tests.e2e.test_bootstrap_journey import undo
from tests.e2e.test_machines import heard, listen

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]

UFW = """\
sed -i 's/^IPV6=.*/IPV6=no/' /etc/default/ufw
ufw allow 22/tcp; ufw allow 8080/tcp; ufw --force enable; systemctl enable --now ufw
"""
FIREWALLD = """\
systemctl enable --now firewalld
firewall-cmd -q --permanent --add-port=8080/tcp; firewall-cmd -q --reload
"""


@pytest.mark.parametrize(
    ("set_up", "says", "active", "reload"),
    [
        (UFW, "ufw status verbose", "Status: active", "ufw reload"),
        (FIREWALLD, "firewall-cmd --state; firewall-cmd --list-all", "running", "firewall-cmd --reload"),
    ],
    ids=["ufw", "firewalld"],
)
def test_another_firewall_goes_on_beside_the_fence(systemd_machine, set_up, says, active, reload):
    machine = systemd_machine

    def others():
        return machine.run("sh", "-c", says).stdout

    prepare(machine)
    machine.run("sh", "-c", set_up)
    listen(machine, 8080, "let in by the other")
    outside, before = machine.outside(), others()
    assert active in before.splitlines()
    assert "8080/tcp" in before
    assert heard(outside, machine.address, 8080) == "let in by the other"

    harden(machine)
    assert answers(machine) == all_of(machine, "ok")
    assert others() == before
    assert heard(outside, machine.address, 8080, tries=2) == ""

    machine.run("sh", "-c", reload)
    assert answers(machine) == all_of(machine, "ok")
    machine.restart()
    assert answers(machine) == all_of(machine, "ok")
    assert others() == before
    assert machine.run("hostkit", "bootstrap").stdout.startswith("0 changed, ")

    assert undo(machine).code == 0
    assert others() == before
    assert "table inet hostkit" not in tables(machine)
    listen(machine, 8080, "let in by the other")
    assert heard(machine.outside(), machine.address, 8080) == "let in by the other"
