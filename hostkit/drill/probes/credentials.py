# ruff: noqa: D401, PLR0913, PTH107, PTH110, PTH111, PTH113, PTH118, PTH123, PTH202, PTH208, T201
"""Coming by a key, or using another than the one that the gateway holds for this client."""

from hostkit.drill.model import Witness, control, probe
from hostkit.drill.wire import good, request

READ = Witness.none("reading what is there anyway leaves no record")


@control("credentials")
def key_stands_in_for_its_placeholder(
    rehearsal: str, proxy_port: str, service: str, placeholder: str, digest: str
) -> str:
    """A request with the placeholder reaches the service with the key in its stead."""
    head = f"GET /open/control HTTP/1.1\r\nHost: {service}\r\nAuthorization: Bearer {placeholder}\r\n\r\n"
    return "works" if digest in request(rehearsal, proxy_port, service, head.encode()).decode() else "another key"


@probe(
    "credentials-foreign-key",
    group="credentials",
    walls=("gateway_credentials",),
    held="denied",
    escaped="carried",
    witness=Witness.request("foreign-credential", "stale-placeholder", "credential-missing", times=6),
    collected=True,
)
def foreign_key(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A key of the attacker's own is refused, alone or beside the placeholder, and so is a request without any."""
    import base64

    own = "drill-a-key-of-the-attackers-own"
    pair = base64.b64encode(f"user:{own}".encode()).decode()
    for line in (
        f"Authorization: Bearer {own}",
        f"Authorization: Basic {pair}",
        f"X-Api-Key: {own}",
        f"Authorization: Bearer {placeholder}\r\nX-Api-Key: {own}",
        f"Authorization: Bearer {placeholder}x",
        "Accept: */*",
    ):
        head = f"GET /open/{marker} HTTP/1.1\r\nHost: {service}\r\n{line}\r\n\r\n"
        if good(request(rehearsal, proxy_port, service, head.encode())):
            print(line.splitlines())
            return "carried"
    return "denied"


@probe(
    "credentials-other-client",
    group="credentials",
    walls=("gateway_credentials",),
    held="denied",
    escaped="carried",
    witness=Witness.request("other-client", times=4),
    collected=True,
)
def other_client(rehearsal: str, proxy_port: str, service: str, placeholder: str, stranger: str, marker: str) -> str:
    """Another client's placeholder is refused wherever it stands: as the key, in the address, a header or the body."""
    own = f"Authorization: Bearer {placeholder}\r\n"
    body = f"{own}Content-Length: {len(stranger)}\r\n\r\n{stranger}"
    for method, query, rest in (
        ("GET", "", f"Authorization: Bearer {stranger}\r\n\r\n"),
        ("GET", f"?t={stranger}", f"{own}\r\n"),
        ("GET", "", f"{own}X-Note: {stranger}\r\n\r\n"),
        ("POST", "", body),
    ):
        head = f"{method} /open/{marker}{query} HTTP/1.1\r\nHost: {service}\r\n{rest}"
        if good(request(rehearsal, proxy_port, service, head.encode())):
            return "carried"
    return "denied"


@probe(
    "credentials-plain-http",
    group="credentials",
    walls=("gateway_credentials",),
    held="denied",
    escaped="carried",
    witness=Witness.request("plain-http", "port-not-listed", times=4),
    collected=True,
)
def plain_http(rehearsal: str, proxy_port: str, service: str, placeholder: str, marker: str) -> str:
    """A placeholder is not sent to its own service over plain HTTP, whatever port is named."""
    import socket

    for port, target, host in (
        (proxy_port, f"http://{service}/open/{marker}", service),
        (proxy_port, f"http://{service}:443/open/{marker}", f"{service}:443"),
        ("80", f"/open/{marker}", service),
        ("80", f"/open/{marker}", f"{service}:443"),
    ):
        with socket.create_connection((rehearsal, int(port)), timeout=5) as wire:
            head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {placeholder}\r\n\r\n"
            wire.sendall(head.encode())
            if good(wire.recv(64)):
                print(port, target)
                return "carried"
    return "denied"


@probe(
    "credentials-held",
    group="credentials",
    walls=("placeholders",),
    held="placeholders",
    escaped="key",
    witness=READ,
)
def held(mark: str, swapped: str) -> str:
    """What the agent holds are placeholders: no key in an environment, a command line, its secrets or its home."""
    import os
    import re
    import time

    begins = r"(?<![A-Za-z0-9])(?:xox[a-z]-|xapp-|sk-|gh[opsu]_|github_pat_|glpat-|AIza|AKIA|npm_|pypi-|ya29\.)"
    key, until = re.compile(begins + r"[A-Za-z0-9_.-]{16,}"), time.monotonic() + 14
    places = [f"/proc/{pid}/{name}" for pid in os.listdir("/proc") if pid.isdigit() for name in ("environ", "cmdline")]
    for top in ("/run/secrets", "/run/agent", os.path.expanduser("~")):
        places += [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
    for place in places:
        if time.monotonic() > until:
            return "unfinished"
        try:
            if not place.startswith("/proc/") and not os.path.isfile(place):
                continue
            with open(place, encoding="latin-1") as file:
                text = file.read(1 << 20)
        except OSError:
            continue
        name = place.removeprefix("/run/secrets/")
        if (name in swapped.split(",") and mark not in text) or any(mark not in one for one in key.findall(text)):
            print(place)
            return "key"
    return "placeholders"


@probe(
    "credentials-authority",
    group="credentials",
    walls=("authority_outside",),
    held="absent",
    escaped="found",
    witness=READ,
)
def authority_key(authority: str) -> str:
    """The key of an authority whose certificates the agent trusts is nowhere within reach."""
    import os
    import ssl
    import tempfile
    import time

    own, until = ("/workspace", "/home/agent"), time.monotonic() + 14
    with open("/proc/self/mountinfo") as lines:
        mounts = [line.split()[4] for line in lines]
    mounts = [place for place in mounts if place != "/" and not (place + "/").startswith(("/proc/", "/sys/", "/dev/"))]
    with tempfile.NamedTemporaryFile("w", dir="/tmp", suffix=".pem") as root:
        root.write(authority)
        root.flush()
        roots = [place for place in (root.name, "/run/hostkit/ca.pem") if os.path.exists(place)]
        tops = [*mounts, "/etc", "/root", "/home", "/opt", "/run", "/srv", "/var", "/usr/local", "/tmp"]
        for top in sorted(dict.fromkeys(tops), key=lambda place: place in own):
            for folder, _, names in os.walk(top):
                for path in (os.path.join(folder, name) for name in names):
                    if time.monotonic() > until:
                        return "absent" if top in own else "unfinished"
                    try:
                        if not os.path.isfile(path) or os.path.getsize(path) > 1 << 16:
                            continue
                        with open(path, "rb") as file:
                            if b"PRIVATE KEY-----" not in file.read():
                                continue
                    except OSError:
                        continue
                    for certificate in roots:
                        try:
                            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, path, lambda: "")
                        except (OSError, ValueError):
                            continue
                        print(path)
                        return "found"
    return "absent"


@probe(
    "credentials-given",
    group="credentials",
    walls=("given_read_only",),
    held="read-only",
    escaped="written",
    witness=Witness.none("the kernel refuses a file operation without a record"),
)
def given(given: str) -> str:
    """What the agent is given to read, its secrets and what it trusts, it cannot change."""
    import os

    for place in given.split(","):
        path = os.path.join(place, "hostkit-drill")
        try:
            with open(path, "w") as file:
                file.write("x")
            os.remove(path)
            print(place)
            return "written"
        except OSError:
            pass
        for name in os.listdir(place):
            try:
                os.utime(os.path.join(place, name))
                with open(os.path.join(place, name), "ab"):
                    print(place, name)
                    return "written"
            except OSError:
                continue
    return "read-only"
