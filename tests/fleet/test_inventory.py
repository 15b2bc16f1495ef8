"""Which hosts an inventory names, and what of one is refused."""

import pytest

from hostkit.errors import HostkitError
from hostkit.fleet.inventory import Target, load
from hostkit.policy import PolicyError

GOOD = """\
all:
  vars:
    ansible_user: admin
    hostkit_ssh_config: ~/clients/ssh_config
  hosts:
    mini-1:
    mini-2: {ansible_host: 192.0.2.10, ansible_port: 2222, ansible_user: root}
  children:
    acme:
      vars: {hostkit_policy: /srv/acme.yml}
      hosts:
        box.example.com: {ansible_host: "2001:db8::5", ansible_ssh_private_key_file: ~/.ssh/acme}
      children:
        empty:
"""


def written(tmp_path, text):
    (tmp_path / "hosts.yml").write_text(text)
    return tmp_path / "hosts.yml"


def refusal(tmp_path, text):
    with pytest.raises(HostkitError) as caught:
        load(written(tmp_path, text))
    return str(caught.value)


def test_hosts_come_in_order_each_with_its_own_words_before_its_groups(tmp_path):
    config = "~/clients/ssh_config"
    assert load(written(tmp_path, GOOD)) == (
        Target("mini-1", "mini-1", user="admin", ssh_config=config),
        Target("mini-2", "192.0.2.10", 2222, "root", ssh_config=config),
        Target("box.example.com", "2001:db8::5", 0, "admin", "~/.ssh/acme", "/srv/acme.yml", config),
    )


def test_ansible_reads_the_same_file_the_same_way(tmp_path):
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.vars.manager import VariableManager

    path = written(tmp_path, GOOD)
    loader = DataLoader()
    manager = InventoryManager(loader=loader, sources=[str(path)])
    seen = VariableManager(loader=loader, inventory=manager)
    for target in load(path):
        found = seen.get_vars(host=manager.get_host(target.name))
        assert found.get("ansible_host", target.name) == target.address
        assert (found.get("ansible_port", 0), found["ansible_user"]) == (target.port, target.user)
        assert found.get("hostkit_policy", "") == target.policy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty; an inventory is a mapping"),
        ("[web]\nmini-1\n", ":2: not YAML"),
        ("- mini-1\n", "an inventory is a mapping as Ansible takes it"),
        ("all: {hosts: {}}\n", "it names no host"),
        ("all: {host: {mini-1: }}\n", ":1: all.host: unknown; did you mean hosts?"),
        ("all: {hosts: {mini-1: {ansible_hots: a}}}\n", "mini-1.ansible_hots: unknown; did you mean ansible_host?"),
        ("all: {children: {a: {hosts: {b: {ansible_prot: 1}}}}}\n", "b.ansible_prot: unknown; did you mean"),
        ("all: {hosts: {mini-1: {ansible_become: true}}}\n", "ansible_become: unknown"),
        ("all: {hosts: {mini-1: {ansible_port: 0}}}\n", "ansible_port: expected greater than or equal to 1"),
        ("all: {hosts: {-oProxyCommand=x: }}\n", "all.hosts.-oProxyCommand=x: '-oProxyCommand=x' is no host's name"),
        ("all: {hosts: {a: {ansible_host: -oProxyCommand=x}}}\n", "is neither a host name nor an address"),
        ("all: {hosts: {a: {ansible_host: 'b c'}}}\n", "is neither a host name nor an address"),
        ("all: {hosts: {a: {ansible_user: -lroot}}}\n", "is no account's name"),
        ("all: {hosts: {a: {ansible_ssh_private_key_file: -x}}}\n", "is no path that starts with / or ~/"),
        ("all: {hosts: {a: , a: }}\n", "all.hosts.a: repeated"),
        ("all: {hosts: {a: {ansible_host: b}, b: }}\n", "a and b are one host, b; name it once"),
        ("all: {hosts: {a: {ansible_host: b}, c: {ansible_host: B, ansible_port: 22}}}\n", "a and c are one host"),
        ("all: {hosts: {a: }, children: {g: {hosts: {a: {ansible_port: 2}}}}}\n", "a: two groups reach it"),
        ("all: {hosts: {a: '{{ lookup(1) }}'}}\n", "all.hosts.a: expected"),
    ],
)  # fmt: skip
def test_what_an_inventory_may_not_say_is_refused_with_its_place(tmp_path, text, says):
    assert says in refusal(tmp_path, text)


def test_a_missing_inventory_is_told_with_what_one_looks_like(tmp_path):
    with pytest.raises(HostkitError, match="no such inventory; write one; an inventory is a mapping"):
        load(tmp_path / "hosts.yml")


def test_all_mistakes_are_told_at_once(tmp_path):
    with pytest.raises(PolicyError) as caught:
        load(written(tmp_path, "all:\n  hosts:\n    -a:\n    b: {ansible_port: x}\n"))
    assert [problem.line for problem in caught.value.problems] == [3, 4]


def test_a_host_in_two_groups_that_agree_is_one_host(tmp_path):
    text = "all: {children: {eu: {hosts: {a: }}, acme: {hosts: {a: }}}}\n"
    assert [target.name for target in load(written(tmp_path, text))] == ["a"]
