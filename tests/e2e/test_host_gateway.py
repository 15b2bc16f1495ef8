"""The host's own egress by name: what is listed leaves through the host's gateway, all else stays, root's too."""

import json

import pytest

from tests.e2e.test_bootstrap import harden
from tests.e2e.test_machines import heard
from tests.machines.machine import FOREIGN, wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]

POLICY = """\
version: 1
host:
  profile: solo
  management: [eth0, wg0]
  resolvers: [{foreign}]
  egress:
    - {{name: mirror.example, ports: [80], networks: [{foreign}/32]}}
  exempt: [{exempt}]
"""
PROXY = "http://127.0.0.1:3128"
RECORDS = "/var/lib/hostkit/host-gateway/requests.jsonl"
RESOLVER = """\
import socket, sys
import dns.message, dns.rrset
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind((sys.argv[1], 53))
while True:
    data, peer = wire.recvfrom(4096)
    asked = dns.message.from_wire(data)
    print(asked.question[0].name, flush=True)
    reply = dns.message.make_response(asked)
    reply.answer.append(dns.rrset.from_text(asked.question[0].name, 5, "IN", "A", "198.51.100.7"))
    wire.sendto(reply.to_wire(), peer)
"""
ASK = """\
import sys
import dns.message, dns.query
dns.query.udp(dns.message.make_query("a.example", "A"), sys.argv[1], timeout=2)
"""
REPACK = """\
set -e
for name in "$@"; do
  mkdir -p "/tmp/$name/DEBIAN"
  dpkg -L "$name" | while read -r file; do
    if [ -f "$file" ] || [ -L "$file" ]; then cp --parents -a "$file" "/tmp/$name"; fi
  done
  dpkg-query -s "$name" | grep -v '^Status:' > "/tmp/$name/DEBIAN/control"
  dpkg-deb --build -Znone "/tmp/$name" /srv/ >/dev/null
done
cd /srv
for file in *.deb; do
  dpkg-deb -f "$file"
  echo "Filename: ./$file"; echo "Size: $(stat -c %s "$file")"; echo "SHA256: $(sha256sum < "$file" | head -c 64)"; echo
done > Packages
"""


def write_policy(machine, exempt=""):
    text = POLICY.format(foreign=FOREIGN, exempt=exempt)
    machine.run("install", "-D", "-m", "0600", "/dev/stdin", "/etc/hostkit/hostkit.yml", stdin=text)


def world(machine, *packages):
    """Return the world outside, with a resolver that knows every name and a mirror that has these packages."""
    outside = machine.outside()
    outside.run("sh", "-c", "mkdir -p /srv; echo listed > /srv/index.html; cat > /tmp/resolver.py", stdin=RESOLVER)
    if packages:
        outside.run("sh", "-c", REPACK, "sh", *packages)
    for address in (FOREIGN, outside.address):
        outside.start("sh", "-c", f"python3 /tmp/resolver.py {address} >> /tmp/asked")
    outside.start("python3", "-m", "http.server", "--directory", "/srv", "80")
    wait_for(lambda: fetched(machine, f"http://{FOREIGN}/") == "listed\n", 20)
    return outside


def fetched(machine, url, proxy="", user="root"):
    """Return what curl gets, empty if it gets nothing."""
    words = ("setpriv", f"--reuid={user}", "--clear-groups", "curl", "-sS", "--max-time", "3", "--proxy", proxy, url)
    return machine.run(*words, check=False).stdout


def asked(machine, resolver, user="root"):
    """Return whether a resolver answers somebody of this host."""
    words = ("setpriv", f"--reuid={user}", "--clear-groups", "python3", "-c", ASK, resolver)
    return machine.run(*words, check=False).code == 0


def mirror_is(machine, address):
    machine.run("sh", "-c", "rm -f /etc/apt/sources.list.d/*; cat > /etc/apt/sources.list",
                stdin=f"deb [trusted=yes] http://{address}/ ./\n")  # fmt: skip


def test_what_is_listed_leaves_by_the_gateway_and_nothing_else_does_root_included(systemd_machine):
    systemd_machine.install_hostkit()
    write_policy(systemd_machine)
    outside = world(systemd_machine)
    assert asked(systemd_machine, FOREIGN)

    harden(systemd_machine)
    assert fetched(systemd_machine, f"http://{FOREIGN}/") == ""
    assert not asked(systemd_machine, FOREIGN)
    assert asked(systemd_machine, FOREIGN, user="hostkit-gateway")
    assert not asked(systemd_machine, outside.address, user="hostkit-gateway")

    assert fetched(systemd_machine, "http://mirror.example/", PROXY) == "listed\n"
    refused = json.loads(fetched(systemd_machine, "http://unlisted.example/", PROXY))
    assert (refused["rule"], "unlisted.example is not listed" in refused["reason"]) == ("not-listed", True)
    assert json.loads(fetched(systemd_machine, f"http://{FOREIGN}/", PROXY))["rule"] == "ip-literal"
    assert "unlisted.example" not in outside.run("cat", "/tmp/asked").stdout
    _its_records_are_its_own_and_it_has_no_power(systemd_machine)
    _whoever_needs_it_is_told(systemd_machine)


def _whoever_needs_it_is_told(machine):
    shell = machine.run("bash", "-lc", "curl -sS http://mirror.example/").stdout
    assert shell == "listed\n"
    machine.run("sh", "-c", "printf '[Service]\\nExecStart=/bin/sleep inf\\n' > /run/systemd/system/docker.service")
    machine.run("systemctl", "daemon-reload")
    engine = machine.run("systemctl", "show", "-P", "Environment", "docker.service").stdout.split()
    assert engine == [f"HTTP_PROXY={PROXY}", f"HTTPS_PROXY={PROXY}", "NO_PROXY=localhost,127.0.0.0/8,::1,10.231.0.0/20"]


def _its_records_are_its_own_and_it_has_no_power(machine):
    lines = machine.run("cat", RECORDS).stdout.splitlines()
    told = [(line["event"], line["name"], line["client"]) for line in map(json.loads, lines)]
    assert told[:2] == [("intent", "mirror.example", "host"), ("outcome", "mirror.example", "host")]
    assert told[2] == ("denied", "unlisted.example", "host")
    owned = machine.run("stat", "-c", "%U %a", "/var/lib/hostkit", "/var/lib/hostkit/host-gateway").stdout
    assert owned == "root 700\nhostkit-gateway 700\n"
    status = machine.run("cat", f"/proc/{main_pid(machine)}/status").stdout
    assert ("CapBnd:\t0000000000000000" in status, "NoNewPrivs:\t1" in status) == (True, True)


def test_ipv6_is_closed_by_the_same_fence(systemd_machine):
    systemd_machine.install_hostkit()
    write_policy(systemd_machine)
    systemd_machine.run("sh", "-c", SIX)
    assert heard(systemd_machine, "2001:db8::7", 8443) == "six"
    harden(systemd_machine)
    assert heard(systemd_machine, "2001:db8::7", 8443, tries=2) == ""
    systemd_machine.run("nft", "delete", "table", "inet", "hostkit")
    assert heard(systemd_machine, "2001:db8::7", 8443) == "six"


SIX = """\
sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
ip netns add world
ip link add six type veth peer name other netns world
ip address add 2001:db8::1/64 dev six nodad; ip link set six up
ip -n world address add 2001:db8::7/64 dev other nodad; ip -n world link set other up
nohup ip netns exec world sh -c 'while :; do echo six | nc -6 -q 0 -l -p 8443; done' >/dev/null 2>&1 </dev/null &
"""


def test_a_bare_machine_gets_what_the_gateway_needs_and_apt_goes_on_through_the_gateway(systemd_machine):
    needed = ("python3-dnspython",)
    systemd_machine.install_hostkit()
    write_policy(systemd_machine)
    world(systemd_machine, *needed, "conntrack")
    systemd_machine.run("dpkg", "--purge", "--force-depends", *needed, "conntrack")
    mirror_is(systemd_machine, FOREIGN)

    said = harden(systemd_machine)
    assert "changed  Install them while the way out is still open" in said
    assert f"warning: apt fetches from {FOREIGN}:80, which host.egress does not list" in said

    mirror_is(systemd_machine, "mirror.example")
    assert systemd_machine.run("apt-get", "update", "-q").stderr == ""
    systemd_machine.run("apt-get", "install", "-q", "-y", "conntrack")
    systemd_machine.run("conntrack", "--version")
    mirror_is(systemd_machine, FOREIGN)
    direct = ("-o", "Acquire::http::Proxy=DIRECT", "-o", "Acquire::http::Timeout=2", "-o", "Acquire::Retries=0")
    refused = systemd_machine.run("apt-get", *direct, "update", "-q", check=False)
    assert f"Could not connect to {FOREIGN}:80" in refused.stderr


def test_an_exempt_account_sends_by_itself_and_no_other_does(systemd_machine):
    systemd_machine.install_hostkit()
    write_policy(systemd_machine, exempt="nobody-here")
    refused = systemd_machine.ssh("sudo", "hostkit", "bootstrap", user="admin", check=False)
    assert (refused.code, "host.exempt names nobody-here, which is no account" in refused.stderr) == (2, True)
    write_policy(systemd_machine, exempt="admin")
    world(systemd_machine)
    said = harden(systemd_machine)
    assert "  out: admin: anything, exempt" in said
    assert fetched(systemd_machine, f"http://{FOREIGN}/", user="admin") == "listed\n"
    assert fetched(systemd_machine, f"http://{FOREIGN}/") == ""


def test_the_gateway_comes_back_when_it_is_killed_and_takes_a_new_policy_while_it_runs(systemd_machine):
    systemd_machine.install_hostkit()
    write_policy(systemd_machine)
    world(systemd_machine)
    harden(systemd_machine)
    assert fetched(systemd_machine, "http://mirror.example/", PROXY) == "listed\n"
    before = main_pid(systemd_machine)
    systemd_machine.run("systemctl", "kill", "--signal=KILL", "hostkit-gateway")
    wait_for(lambda: fetched(systemd_machine, "http://mirror.example/", PROXY) == "listed\n", 20)
    after = main_pid(systemd_machine)
    assert after not in {before, "0"}
    assert len(systemd_machine.run("cat", RECORDS).stdout.splitlines()) == 4  # of before and after

    text = systemd_machine.run("cat", "/etc/hostkit/hostkit.yml").stdout
    second = text.partition("egress:\n")[2].partition("\n")[0].replace("mirror", "second")
    text = text.replace("egress:\n", f"egress:\n{second}\n")
    systemd_machine.run("sh", "-c", "cat > /etc/hostkit/hostkit.yml", stdin=text)
    changed = systemd_machine.run("hostkit", "bootstrap")
    assert "changed  Write what the policy lets this host reach" in changed.stdout
    assert changed.stdout.split("\n")[1].startswith("1 changed, "), changed.stdout
    wait_for(lambda: fetched(systemd_machine, "http://second.example/", PROXY) == "listed\n", 5)
    assert main_pid(systemd_machine) == after


def main_pid(machine):
    return machine.run("systemctl", "show", "-P", "MainPID", "hostkit-gateway").stdout.strip()
