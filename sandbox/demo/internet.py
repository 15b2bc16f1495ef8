"""The demo's internet, in one container: name server, Slack look-alike, PostgreSQL, and a host nobody listed.

It waits until it is given its addresses, then prints each request it serves as a JSON line.
"""

import http.server
import json
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.rrset

RESOLVER, SLACK, WAREHOUSE, FORBIDDEN = (f"198.51.100.{last}" for last in (53, 10, 20, 66))
NAMES = {
    "slack.example.": SLACK,
    "warehouse.example.": WAREHOUSE,
    "exfil.example.": FORBIDDEN,
    "turncoat.example.": "10.99.0.1",
}
FOLDER = Path("/tmp/internet")  # noqa: S108 - inside the demo's own container


def say(kind: str, what: str) -> None:
    """Print one line of what happened."""
    print(json.dumps({"kind": kind, "what": what}), flush=True)


def await_addresses() -> None:
    """Wait until the last address of the demo is here; whoever started this container gives them to it."""
    with socket.socket() as wire:
        while True:
            try:
                wire.bind((FORBIDDEN, 0))
            except OSError:
                time.sleep(0.05)
            else:
                return


def run(*command: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed words


class Resolver(socketserver.BaseRequestHandler):
    """Answers the demo's names."""

    def handle(self) -> None:
        """Answer one query."""
        data, wire = self.request
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text().lower()
        say("dns", name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        if name not in NAMES:
            answer.set_rcode(3)
        elif query.question[0].rdtype == 1:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", NAMES[name]))
        wire.sendto(answer.to_wire(), self.client_address)


class Web(http.server.BaseHTTPRequestHandler):
    """Says ok, as Slack does, and logs what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take a message."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 65536))
        say("web", f"{self.server.server_address[0]} {self.headers.get('Host')} {self.path} {len(body)} bytes")
        answer = b'{"ok": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        """Stay silent: `say` has said it."""


class WebServer(http.server.ThreadingHTTPServer):
    """A server that does not look its own name up when it binds: no resolver is here, and asking takes 10 s."""

    def server_bind(self) -> None:
        """Bind, and no more."""
        socketserver.TCPServer.server_bind(self)


def certificate() -> None:
    """Make one certificate for all names of the demo, and trust in it is handed out by the demo alone."""
    names = ",".join(f"DNS:{name.rstrip('.')}" for name in NAMES)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-keyout", f"{FOLDER}/key.pem", "-out", f"{FOLDER}/cert.pem", "-subj", "/CN=hostkit demo",
        "-addext", f"subjectAltName={names}")  # fmt: skip


def serve_web(address: str, port: int) -> None:
    """Serve HTTPS at one address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "cert.pem", FOLDER / "key.pem")
    server = WebServer((address, port), Web)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def start_postgres() -> None:
    """Start a PostgreSQL with one table, for anyone who gets there."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    data = FOLDER / "pg"
    data.mkdir()
    run("chown", "postgres", str(data))
    as_postgres = ("runuser", "-u", "postgres", "--")
    run(*as_postgres, str(programs / "initdb"), "-D", str(data), "--auth=trust", "-N")
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 198.51.100.0/24 trust\n")
    options = f"-c listen_addresses={WAREHOUSE} -c fsync=off -k /tmp"
    run(*as_postgres, str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-w", "-l", f"{data}/log", "start")
    sql = "create table orders (id int, amount int); insert into orders values (1, 40), (2, 2);"
    run(*as_postgres, "psql", "-q", "-h", "/tmp", "-d", "postgres", "-c", sql)  # noqa: S108 - inside the demo's own container


def main() -> None:
    """Serve until stopped."""
    FOLDER.mkdir(exist_ok=True)
    certificate()
    await_addresses()
    resolver = socketserver.ThreadingUDPServer((RESOLVER, 53), Resolver)
    threading.Thread(target=resolver.serve_forever, daemon=True).start()
    for address, port in ((SLACK, 443), (SLACK, 8443), (FORBIDDEN, 443)):
        serve_web(address, port)
    start_postgres()
    say("ready", "the demo's internet")
    threading.Event().wait()


if __name__ == "__main__":
    main()
