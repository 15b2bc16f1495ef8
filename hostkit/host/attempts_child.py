"""The child of hostkit.host.attempts: becomes an account, then tries. It imports the standard library alone.

All of it at its start: the account may not be able to read it where it lies (/root/.venv).
"""

import encodings.idna
import encodings.latin_1  # noqa: F401 - both are looked up by name when a host name is
import errno
import http.client
import json
import os
import select
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

LIMIT = 64 * 1024
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL, errno.EACCES}
_QUERY = b"\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07hostkit\x07invalid\x00\x00\x01\x00\x01"
Told = tuple[str, str]


def become(uid: int, gid: int) -> None:
    """Be that account and nobody else; raise OSError where that cannot be."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid) or os.getgroups():
        raise PermissionError(errno.EPERM, "another account could not be taken")


class Packet:
    """One packet on its way: a connection that is begun, or a question to a resolver."""

    def __init__(self, kind: str, address: str, port: int) -> None:
        self.told: Told | None = None
        self.socket: socket.socket | None = None
        self.events = select.POLLIN | (select.POLLOUT if kind == "tcp" else 0)
        try:
            self._send(kind, address, port)
        except OSError as why:
            self.told = _local(kind, why)

    def _send(self, kind: str, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = wire = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        wire.setblocking(False)
        try:
            wire.connect((address, port))
        except BlockingIOError:
            return
        if kind == "tcp":
            self.told = ("answered", "connected")
        else:
            wire.send(_QUERY)

    def heard(self) -> None:
        """Note what came back: even a refusal is somebody's answer, so the packet had left."""
        if self.socket is None:
            return
        problem = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.told = ("answered", os.strerror(problem) if problem else "connected, or a reply")


def _local(kind: str, why: OSError) -> Told:
    if kind == "udp" and why.errno == errno.EPERM:
        return "refused", str(why.strerror)
    if why.errno == errno.ECONNREFUSED:
        return "answered", str(why.strerror)
    if why.errno in _NO_WAY or why.errno == errno.EPERM:
        return "no-way", str(why.strerror)
    raise why


def packets(tries: list[tuple[str, str, int]], wait: float) -> list[Told]:
    """Send one packet for each (kind, address, port), and listen for so many seconds."""
    sent = [Packet(*entry) for entry in tries]
    end = time.monotonic() + wait
    while waiting := {one.socket.fileno(): one for one in sent if one.told is None and one.socket is not None}:
        poll = select.poll()
        for number, one in waiting.items():
            poll.register(number, one.events)
        ready = poll.poll(max(0.0, end - time.monotonic()) * 1000)
        for number, _ in ready:
            waiting[number].heard()
        if not ready:
            break
    for one in sent:
        if one.socket is not None:
            one.socket.close()
    return [one.told or ("sent", "") for one in sent]


def tunnel(place: tuple[str, int], name: str, port: int, wait: float) -> Told:
    """Ask the proxy for a tunnel to a name, and the name for TLS: whose certificate it is does not matter here."""
    with socket.create_connection(place, wait) as wire:
        end = time.monotonic() + wait
        wire.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
        said = b""
        while b"\r\n\r\n" not in said and len(said) < LIMIT:
            if not (more := wire.recv(4096)):
                break
            said += more
        if b" 200 " not in said.partition(b"\r\n")[0]:
            return _refusal(said, wire)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        wire.settimeout(max(0.1, end - time.monotonic()))
        with context.wrap_socket(wire, server_hostname=name) as safe:
            return "answered", str(safe.version())


def _refusal(said: bytes, wire: socket.socket) -> Told:
    """Return the proxy's status and typed rule."""
    head, _, body = said.partition(b"\r\n\r\n")
    while len(body) < LIMIT and (more := wire.recv(4096)):
        body += more
    words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    return "denied", f"{words[1] if len(words) > 1 else 'no status'} {_rule(body)}"


def _rule(body: bytes) -> str:
    try:
        plain = json.loads(body)
    except ValueError:
        return ""
    return str(plain.get("rule", ""))[:40] if isinstance(plain, dict) else ""


def request(place: tuple[str, int], name: str, port: int, wait: float) -> Told:
    """Ask the proxy for a page of a name; a page of whatever status is an answer, the proxy's own refusal is not."""
    asked = http.client.HTTPConnection(*place, timeout=wait)
    try:
        asked.request("GET", f"http://{name}:{port}/", headers={"Host": f"{name}:{port}", "Connection": "close"})
        answer = asked.getresponse()
        rule = _rule(answer.read(LIMIT))
    finally:
        asked.close()
    return ("denied", f"{answer.status} {rule}") if rule else ("answered", str(answer.status))


def raw(place: tuple[str, int], wait: float) -> Told:
    """Take a port that leads to one name: whoever is behind it speaks, or hangs up when it is told that nobody asks.

    The gateway takes the connection before it dials, and hangs up at once where nobody takes its own.
    """
    with socket.create_connection(place, wait) as wire:
        wire.settimeout(wait / 3)
        try:
            return ("answered", "it speaks") if wire.recv(1) else ("denied", "hung up")
        except TimeoutError:
            wire.shutdown(socket.SHUT_WR)
        wire.settimeout(wait * 2 / 3)
        wire.recv(1)
        return "answered", "it takes connections"


def asked(entry: dict[str, Any], wait: float) -> Told:
    """Return what came of one try through a gateway."""
    place: tuple[str, int] = (entry["place"][0], entry["place"][1])
    try:
        if entry["kind"] == "raw":
            return raw(place, wait)
        return (tunnel if entry["kind"] == "tls" else request)(place, entry["name"], entry["port"], wait)
    except TimeoutError:
        return "silent", f"no answer in {wait:g} s"
    except (OSError, ssl.SSLError, http.client.HTTPException) as why:
        return "denied", str(getattr(why, "strerror", None) or why)[:80]


def main() -> None:
    """Read what to try, become the account, try, say what came of it."""
    told = json.load(sys.stdin)
    become(told["uid"], told["gid"])
    tries, wait = told["tries"], told["wait"]
    direct = [number for number, entry in enumerate(tries) if entry["kind"] in {"tcp", "udp"}]
    found: dict[int, Told] = {}
    if direct:
        sent = packets([(tries[n]["kind"], *tries[n]["place"]) for n in direct], wait["tcp"])
        found = dict(zip(direct, sent, strict=True))
    rest = [number for number in range(len(tries)) if number not in found]
    if rest:
        with ThreadPoolExecutor(min(32, len(rest))) as pool:
            answers = pool.map(lambda n: asked(tries[n], wait[tries[n]["kind"]]), rest)
            found |= dict(zip(rest, answers, strict=True))
    sys.stdout.write(json.dumps([found[number] for number in range(len(tries))]))


if __name__ == "__main__":
    main()
