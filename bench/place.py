"""Where the gateway is measured: an origin and a resolver, the gateway and its peers, each a process on loopback.

Debian's packages of all of them are unpacked by `scripts/prepare bench`, not installed: no service of theirs starts
here. The gateway runs under Debian's Python with Debian's parsers and uvloop, as it does in its image.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import lay

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ.get("HOSTKIT_WORK", "/var/tmp/hostkit-work")) / "bench"
TREE = TOOLS / "tree"
_START = 30.0
"""Seconds that a process has until it listens: mitmproxy takes two on an idle machine."""
_PRODUCT = """\
import sys
from pathlib import Path
from hostkit.gateway import __main__ as product
from hostkit.gateway.server import PROXY_ONLY
rules, records, vault = map(Path, sys.argv[1:])
keeper = product.Keeper(rules, records, PROXY_ONLY, "bench")
keeper.gateway.house.directory = vault
product.keeper_for = lambda _: keeper
product.main()
"""
"""The gateway's own main, with the three places that are mounted in its container."""


@dataclass(frozen=True)
class Process:
    """A running process that listens; what it took is read from /proc."""

    pid: int

    @property
    def resident(self) -> float:
        """Its resident memory in MB of 10^6 bytes, the shared pages of its libraries included."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @property
    def worked(self) -> float:
        """Seconds of a processor that it and its children have had."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split() for pid in (self.pid, *children)]
        return sum(int(one[11]) + int(one[12]) for one in stats) / os.sysconf("SC_CLK_TCK")


class Place:
    """One directory with all that is served and trusted in it, and how each part is started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.records = directory / "records" / "requests.jsonl"
        self._libraries = {"LD_LIBRARY_PATH": f"{TREE}/usr/lib/x86_64-linux-gnu"}

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Serve with the origin and the resolver while the block runs."""
        lay.lay(self.directory, TREE)
        names = ("-A/example/127.0.0.1", "--local-ttl=60", f"--host-record={lay.LOOKED_UP},127.0.0.1,0")
        resolver = ("-k", "-C", "/dev/null", "-R", "-h", "-u", "root", "-a", "127.0.0.1", "-z", *names)
        with (
            self._running(f"{TREE}/usr/sbin/nginx", "-c", f"{self.directory}/nginx.conf", port=443),
            self._running(f"{TREE}/usr/sbin/dnsmasq", *resolver, f"-x{self.directory}/dnsmasq.pid", port=53),
        ):
            yield

    @contextlib.contextmanager
    def gateway(self) -> Iterator[Process]:
        """Run the gateway, from HOSTKIT_TREE where another version is measured."""
        places = [f"{self.directory}/{name}" for name in ("rules.json", "records", "vault")]
        path = f"{os.environ.get('HOSTKIT_TREE', ROOT)}:{TREE}/usr/lib/python3/dist-packages"
        words = ("/usr/bin/python3", "-P", "-c", _PRODUCT, *places)
        with self._running(*words, port=lay.GATEWAY, PYTHONPATH=path) as process:
            yield process

    @contextlib.contextmanager
    def squid(self) -> Iterator[Process]:
        words = (f"{TREE}/usr/sbin/squid", "-N", "-f", f"{self.directory}/squid.conf")
        with self._running(*words, port=lay.SQUID) as process:
            yield process

    @contextlib.contextmanager
    def mitmproxy(self) -> Iterator[Process]:
        """Run mitmproxy with nothing of its own on top: it swaps no key, judges nothing and keeps no record."""
        trusted = f"ssl_verify_upstream_trusted_ca={self.directory}/far-root.pem"
        words = (f"{TOOLS}/mitmproxy/bin/mitmdump", "-q", "--set", f"confdir={self.directory}/mitmproxy")
        where = ("--listen-host", "127.0.0.1", "--listen-port", str(lay.MITMPROXY), "--set", trusted)
        with self._running(*words, *where, port=lay.MITMPROXY) as process:
            yield process

    @contextlib.contextmanager
    def _running(self, *words: str, port: int, **environment: str) -> Iterator[Process]:
        errors = self.directory / f"{Path(words[0]).name}.err"
        libraries = self._libraries if words[0].startswith(f"{TREE}/") else {}
        with errors.open("wb") as said:
            child = subprocess.Popen(
                words,
                env={**os.environ, **libraries, **environment},
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
            )
        try:
            _await(child, port, errors)
            yield Process(child.pid)
        finally:
            child.terminate()
            child.wait()

    def load(self, what: str, **terms: Any) -> dict[str, Any]:
        """Run one of the load generator's parts in a process of its own and return what it found."""
        with self.loading(what, **terms) as child:
            told = child.communicate()[0]
        if child.returncode:
            raise RuntimeError(f"the load generator ended with {child.returncode}")
        found: dict[str, Any] = json.loads(told)
        return found

    @contextlib.contextmanager
    def loading(self, what: str, **terms: Any) -> Iterator["subprocess.Popen[str]"]:
        """Run a part of the load generator beside the block, which hangs up on it at its end."""
        words = (sys.executable, f"{ROOT}/bench/load.py", what, json.dumps({"place": str(self.directory), **terms}))
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            yield child


def _await(child: "subprocess.Popen[bytes]", port: int, errors: Path) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end and child.poll() is None:
        if _listens(port):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{port} is not listened on: {errors.read_text()[-500:]}")


def _listens(port: int) -> bool:
    """Return whether somebody does, as the kernel tells it: a connection that asks nothing would be on record."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    sockets = (line.split()[1:4] for line in lines)
    return any(state == "0A" and local.endswith(f":{port:04X}") for local, _, state in sockets)
