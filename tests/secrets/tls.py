"""Chains that a client must take or refuse, a server that shows one, and the clients that are asked.

`CASES` is the table: each row is a chain and the name that is asked for. `CLIENTS` is who looks: each is a function
(trusted root, name, port, folder) that dials 127.0.0.1 and returns "" if it took the chain, else its own words. A new
client, in a container or not, is one function more; `LOOSE` says who does not look at what.
"""

import atexit
import contextlib
import functools
import ipaddress
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hostkit.secrets import authority, trust

NOW = datetime.now(UTC).replace(microsecond=0)
LISTED = ("api.example.com", "*.example.org", "xn--bcher-kva.example.net", "_acme.example.net")
PROBE = Path(__file__).with_name("Probe.java")


@dataclass(frozen=True)
class Case:
    """A chain and the name that a client asks of it; `taken` is whether a client that looks takes it."""

    what: str
    asked: str
    names: tuple[str, ...]
    taken: bool = False
    made: str = "leaf"


CASES = (
    Case("a listed name", "api.example.com", ("api.example.com",), taken=True),
    Case("a name below a listed suffix", "a.example.org", ("*.example.org",), taken=True),
    Case("an international name", LISTED[2], (LISTED[2],), taken=True),
    Case("a listed name of another leaf", "api.example.com", ("a.example.org",)),
    Case("a name two labels below a suffix", "a.b.example.org", ("*.example.org",)),
    Case("a name outside", "bank.example", ("bank.example",)),
    Case("a name outside, by a wildcard", "www.bank.example", ("*.bank.example",)),
    Case("a name above a listed one", "example.com", ("example.com",)),
    Case("a name that only ends alike", "evilapi.example.com", ("evilapi.example.com",)),
    Case("everything", "bank.example", ("*.example",)),
    Case("a listed name beside one outside", "api.example.com", ("api.example.com", "bank.example")),
    Case("an address", "127.0.0.1", ("127.0.0.1",)),
    Case("an address beside a listed name", "127.0.0.1", ("api.example.com", "127.0.0.1")),
    Case("an address as a name", "127.0.0.1", ("127.0.0.1",), made="named address"),
    Case("a name outside in the subject alone", "bank.example", ("bank.example",), made="subject"),
    Case("a leaf of last week", "api.example.com", ("api.example.com",), made="old"),
    Case("a leaf that signs a leaf", "api.example.com", ("api.example.com",), made="leaf as authority"),
    Case("an authority below the intermediate", "api.example.com", ("api.example.com",), made="deeper"),
    Case("another client's leaf", "api.example.com", ("api.example.com",), made="another's"),
)

LOOSE = {}
"""(client, what of a case) -> why: who takes what should be refused. Nobody does, of those that were asked."""


@functools.cache
def middle(client="acme"):
    """Return a client's root and its intermediate for the listed names."""
    root = authority._certified(client, ec.generate_private_key(ec.SECP256R1()), NOW)
    return root, authority.intermediate(root, client, LISTED, 1, NOW)


def chain(case):
    """Return (root, what the server shows, its key) of a case, all as PEM."""
    root, first = middle()
    above = {
        "another's": lambda: middle("other")[1],
        "leaf as authority": lambda: _signing_leaf(first),
        # Of another generation: one that is called as its issuer is would not count (RFC 5280, self-issued).
        "deeper": lambda: authority.intermediate(first, "acme", LISTED, 2, NOW),
    }.get(case.made, lambda: first)()
    shown, key = _leaf(above, case)
    between = authority.pem(first.certificate) if above not in {first, middle("other")[1]} else b""
    return authority.pem(root.certificate), shown + between, key


def _leaf(above, case):
    """Return a leaf as `authority.leaf` makes it, but for any names."""
    key, now = ec.generate_private_key(ec.SECP256R1()), NOW - timedelta(days=8 if case.made == "old" else 0)
    subject = case.names[0] if case.made == "subject" else "hostkit inspected"
    builder = authority._builder(authority._named(subject), key, above, now, authority.LEAF_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if case.made != "subject":
        names = [_general(name, named=case.made == "named address") for name in case.names]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = authority._for_servers(builder.add_extension(authority._uses("digital_signature"), critical=True))
    shown = authority.pem(builder.sign(above.key, SHA256())) + authority.pem(above.certificate)
    return shown, authority.pem_key(key)


def _general(name, *, named):
    try:
        return x509.DNSName(name) if named else x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signing_leaf(above):
    leaf = authority.leaf(above, "api.example.com", NOW)
    return authority.Signer(x509.load_pem_x509_certificate(leaf.chain_pem), load_pem_private_key(leaf.key_pem, None))


@contextlib.contextmanager
def serving(shown, key, folder, address="127.0.0.1"):
    """Show a chain on a port of 127.0.0.1, answer each request with 204, and give the port."""
    (folder / "chain.pem").write_bytes(shown)
    (folder / "key.pem").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    with socket.create_server((address, 0)) as listener:
        threading.Thread(target=_answer, args=(listener, context), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _answer(listener, context):
    while True:
        try:
            plain = listener.accept()[0]
        except OSError:
            return
        with contextlib.suppress(OSError), plain:
            plain.settimeout(20)
            with context.wrap_socket(plain, server_side=True) as tls:
                tls.recv(4096)
                tls.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def python_ssl(root, name, port, folder):
    """Verify as Python 3.13 does, whatever this one does by itself."""
    context = ssl.create_default_context(cafile=root)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return dialled(context, name, port)


def dialled(context, name, port):
    """Return "" if a handshake under this context came about, else why not."""
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
    except ssl.SSLCertVerificationError as why:
        return why.verify_message or str(why)
    return ""


def _ran(*command, **more):
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, **more
    )
    return done.returncode, f"{done.stdout}\n{done.stderr}".strip()


def openssl(root, name, port, folder):
    what = "-verify_ip" if name == "127.0.0.1" else "-verify_hostname"
    command = ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", root, what, name)
    code, said = _ran(*command, "-x509_strict", "-verify_return_error", "-brief")
    return said if code else ""


def curl(root, name, port, folder):
    to = () if name == "127.0.0.1" else ("--resolve", f"{name}:{port}:127.0.0.1")
    code, said = _ran("curl", "-sS", "--noproxy", "*", "--cacert", root, *to, f"https://{name}:{port}/")
    return said if code else ""


def node(root, name, port, folder):
    script = f"""require('tls').connect({{host: '127.0.0.1', port: {port}, servername: '{name}',
        checkServerIdentity: (_, shown) => require('tls').checkServerIdentity('{name}', shown)}}, () => process.exit(0))
        .on('error', why => {{ console.log(why.message); process.exit(1) }})"""
    script = script.replace(f"servername: '{name}',", "") if name == "127.0.0.1" else script
    code, said = _ran("node", "-e", script, env={"NODE_EXTRA_CA_CERTS": root, "PATH": "/usr/bin:/bin"})
    return said if code else ""


@functools.cache
def _probe():
    """Compile the probe once, for a JVM that compiles it anew takes twice as long."""
    folder = tempfile.mkdtemp(prefix="hostkit-probe-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(["javac", "-d", folder, str(PROBE)], check=True, timeout=120)
    return folder


def java(root, name, port, folder):
    (folder / "trust.p12").write_bytes(trust.files(Path(root).read_bytes())["trust.p12"])
    options = (f"-Djavax.net.ssl.trustStore={folder}/trust.p12", f"-Djavax.net.ssl.trustStorePassword={trust.PASSWORD}")
    quick = ("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", _probe())
    code, said = _ran("java", *quick, *options, "Probe", name, str(port))
    return said if code else ""


def gnutls(root, name, port, folder):
    command = ("gnutls-cli", "--x509cafile", root, "--verify-hostname", name, "--port", str(port), "127.0.0.1")
    code, said = _ran(*command, "--sni-hostname", name if name != "127.0.0.1" else "localhost")
    return said if code else ""


CLIENTS = {"python": python_ssl, "openssl": openssl, "curl": curl, "node": node, "java": java, "gnutls": gnutls}
PROGRAMS = {"gnutls": "gnutls-cli", "java": "javac"}


def missing(client):
    """Return whether a client's program is not on this machine."""
    return client != "python" and shutil.which(PROGRAMS.get(client, client)) is None
