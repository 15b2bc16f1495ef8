"""The look-alikes as one process of this machine, and what real clients are told to find them, without Docker."""

import asyncio
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path

from tests.lookalikes import certificates
from tests.lookalikes.tunnel import Tunnel

HERE = Path(__file__).parent
ADDRESS = "127.0.0.93"
CA_VARIABLES = (
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT", "NODE_EXTRA_CA_CERTS",
    "npm_config_cafile",
)  # fmt: skip


def free_ports(count):
    """Return ports that nobody listens on at ADDRESS just now."""
    held = [socket.create_server((ADDRESS, 0)) for _ in range(count)]
    ports = [wire.getsockname()[1] for wire in held]
    for wire in held:
        wire.close()
    return ports


class Running:
    """One running process: its certificates, its ports, its log."""

    def __init__(self, folder, delay):
        self.folder, self.log = folder, folder / "seen.jsonl"
        self.tls, self.plain, self.seen_port, self.names = free_ports(4)
        certificates.make(folder)
        words = ["--listen", ADDRESS, "--certificates", folder, "--log", self.log, "--delay", delay]
        ports = ["--tls", self.tls, "--plain", self.plain, "--seen", self.seen_port, "--names", self.names]
        command = [sys.executable, "-m", "tests.lookalikes", *map(str, (*words, *ports))]
        self.process = subprocess.Popen(command, cwd=HERE.parents[1], stdout=subprocess.PIPE, text=True)
        assert "ready" in self.process.stdout.readline()
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def connect(self, name):
        """Return a TLS connection to a name, verified as a strict client does."""
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        wire = socket.create_connection((ADDRESS, self.tls), 5)
        try:
            return context.wrap_socket(wire, server_hostname=name)
        except OSError:
            wire.close()
            raise

    def ask(self, name, path, *, method="GET", body=None, **headers):
        """Return (status, headers, body) of one request."""
        with closing(http.client.HTTPConnection(name)) as client:
            client.sock = self.connect(name)
            named = {key.replace("_", "-"): value for key, value in headers.items()}
            client.request(method, path, body, named)
            answer = client.getresponse()
            return answer.status, answer.headers, answer.read()

    def raw(self, name, octets):
        """Return all that comes back for these octets."""
        with self.connect(name) as wire:
            wire.sendall(octets)
            return b"".join(iter(lambda: wire.recv(65536), b""))

    def seen(self, method="GET"):
        """Return the log's entries; with DELETE it is empty afterwards."""
        with closing(http.client.HTTPConnection(ADDRESS, self.seen_port, timeout=5)) as client:
            client.request(method, "/__seen")
            return [json.loads(line) for line in client.getresponse().read().splitlines()]

    def environment(self, proxy, **more):
        """Return what a client is told: the proxy, the CA in each variable, Java's own words, and nothing of ours."""
        ours = {"SSL_CERT_DIR", "NO_PROXY", "no_proxy", "PYTHONPATH"}
        store = f"-Djavax.net.ssl.trustStore={self.folder}/ca.p12 -Djavax.net.ssl.trustStorePassword=changeit"
        java = f"-Dhttps.proxyHost={ADDRESS} -Dhttps.proxyPort={proxy} {store}"
        told = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://{ADDRESS}:{proxy}")
        told |= dict.fromkeys(CA_VARIABLES, str(self.folder / "ca.crt"))
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        return {**kept, **told, "NODE_USE_ENV_PROXY": "1", "JAVA_TOOL_OPTIONS": java, "PYTHON": sys.executable, **more}


@contextmanager
def running(folder, delay=0.05):
    """Run the look-alikes for the length of a block."""
    made = Running(folder, delay)
    try:
        yield made
    finally:
        made.process.terminate()
        made.process.wait(10)
        made.process.stdout.close()


@contextmanager
def tunnel(target):
    """Run a bare CONNECT proxy to that place for the length of a block; gives (port, names asked for)."""
    made, (port,), loop = Tunnel(target), free_ports(1), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(made.connection, ADDRESS, port))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield port, made.asked
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
