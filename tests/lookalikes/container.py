"""The look-alikes in a container, on a network of documentation addresses: what a gateway's outer leg is joined to."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from tests.lookalikes import build, certificates

FOLDER = "/certificates"
READ = "import urllib.request as u; print(u.urlopen(u.Request('http://{}:8080/__seen', method='{}')).read().decode())"


def docker(*words, check=True):
    """Run one command of the engine; return what it said."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    assert not check or done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout


class Internet:
    """One network with the look-alikes on it; their address is the resolver, and what every name leads to."""

    def __init__(self, name="hostkit-e2e-lookalikes", subnet="203.0.113.32/28", address="203.0.113.42"):
        self.name, self.subnet, self.address, self.authority = name, subnet, address, ""

    def __enter__(self):
        self.remove()
        docker("network", "create", "--internal", "--subnet", self.subnet, self.name)
        place = ("--name", self.name, "--network", self.name, "--ip", self.address)
        words = ("--listen", self.address, "--certificates", FOLDER, "--names", "53")
        docker("create", *place, build.servers(), *words)
        with tempfile.TemporaryDirectory() as folder:
            certificates.make(Path(folder))
            self.authority = (Path(folder) / "ca.crt").read_text()
            docker("cp", f"{folder}/.", f"{self.name}:{FOLDER}")
        docker("start", self.name)
        self._wait()
        return self

    def __exit__(self, *_):
        self.remove()

    def _wait(self):
        until = time.monotonic() + 20
        while "ready" not in docker("logs", self.name):
            assert time.monotonic() < until, subprocess.getoutput(f"docker logs {self.name}")
            time.sleep(0.1)

    def seen(self, method="GET"):
        """Return what arrived since the last DELETE."""
        said = docker("exec", self.name, "python3", "-c", READ.format(self.address, method))
        return [json.loads(line) for line in said.splitlines() if line]

    def remove(self):
        """Remove the container and its network, whoever else was joined to it first."""
        docker("rm", "-f", "-v", self.name, check=False)
        docker("network", "rm", self.name, check=False)
