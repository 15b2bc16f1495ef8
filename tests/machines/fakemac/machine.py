"""A Mac that is none: the tools of this folder at their places, in a container that has sudo, sshd and hostkit."""

import json
from pathlib import Path

from tests.machines import systemd
from tests.machines.fakemac.core import PATHS
from tests.machines.machine import packed

HERE = Path(__file__).parent
RECORDINGS = HERE.parents[1] / "posture/checks/macos"
HOSTKIT = """\
#!/opt/hostkit/.venv/bin/python
from hostkit.host import LocalHost

LocalHost.platform = property(lambda self: "darwin")
from hostkit.cli import main

main()
"""
SETUP = """\
set -e
rm -f /usr/local/bin/hostkit
cat > /usr/local/bin/hostkit
chmod 0755 /usr/local/bin/hostkit
ln -sf /usr/local/bin/hostkit /opt/hostkit/.venv/bin/hostkit
groupadd -g 20 -f staff 2>/dev/null || true
for name in ann:501 bo:502; do
  useradd -o -u "${name#*:}" -g 20 -m -d "/Users/${name%:*}" -s /bin/bash "${name%:*}"
  chmod 0755 "/Users/${name%:*}"
done
install -d -o ann -m 0755 /Users/ann/Library /Users/ann/Library/Keychains
install -o ann -m 0644 /dev/null /Users/ann/Library/Keychains/login.keychain-db
install -d /Library/LaunchDaemons /Library/Preferences /var/fakemac "/Library/Application Support"
touch /var/fakemac/lock /var/fakemac/state.json
chmod 0777 /var/fakemac && chmod 0666 /var/fakemac/lock /var/fakemac/state.json
chmod 0755 /var/fakemac/tool
"""


class FakeMac(systemd.SystemdMachine):
    """The container; `state` is what its tools hold."""

    patience = 150  # tools that are Python, sixteen checks at once

    def start(self):
        super().start()
        self.install_hostkit()
        tree = packed(HERE, HERE / "tool", RECORDINGS, names=["fakemac", "tool", "recordings"])
        self.run("sh", "-c", "mkdir -p /var/fakemac && tar -x -C /var/fakemac", stdin=tree)
        self.run("sh", "-c", SETUP, stdin=HOSTKIT)
        links = "\n".join(f'mkdir -p "{Path(p).parent}"; ln -sf /var/fakemac/tool "{p}"' for p in PATHS)
        self.run("sh", "-ec", links)
        self.run(
            "sh",
            "-ec",
            "mkdir -p /opt/homebrew/bin; ln -sf ../Cellar/colima/0.10.1/bin/colima /opt/homebrew/bin/colima",
        )
        self.run("fakemac", "bare")

    def state(self):
        """Return what the tools hold."""
        return json.loads(self.run("cat", "/var/fakemac/state.json").stdout)
