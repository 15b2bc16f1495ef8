"""The two images, built when their recipe is new: the look-alikes, and an agent's room full of real clients."""

import functools
import hashlib
import os
import tempfile
from pathlib import Path

from hostkit.launch.parts import probe_image
from tests.machines.machine import kept, local, locked, packed

HERE = Path(__file__).parent
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt").resolve()
SERVERS, CLIENTS = "hostkit/test-lookalikes", "hostkit/test-clients"
BASE = "hostkit/base:bookworm"


@functools.cache
def servers():
    """Return the name of the look-alikes' image."""
    sources = sorted(path for path in HERE.glob("*.py") if not path.name.startswith("test_"))
    names = [f"lookalikes/{path.name}" for path in sources]
    return _image(SERVERS, BASE, [HERE / "Dockerfile", *sources], ["Dockerfile", *names])


@functools.cache
def clients():
    """Return the name of the image in which the client scripts run: the agent's, with the clients in it."""
    sources = sorted((HERE / "clients").iterdir())
    names = [f"clients/{path.name}" for path in sources]
    return _image(CLIENTS, probe_image(), [HERE / "clients.Dockerfile", *sources], ["Dockerfile", *names])


def _image(latest, base, sources, names):
    known = local("docker", "image", "inspect", "-f", "{{.Id}}", base).stdout.strip()
    files = [(path, name) for path, name in zip(sources, names, strict=True) if path.is_file()]
    recipe = hashlib.sha256(known.encode() + b"".join(path.read_bytes() for path, _ in files)).hexdigest()[:12]
    name = f"{latest}:{recipe}"
    with locked(kept("images") / latest.replace("/", "-")):
        if local("docker", "image", "inspect", name, check=False).code:
            _build(base, (name, f"{latest}:latest"), files)
    return name


def _build(base, tags, files):
    with tempfile.NamedTemporaryFile() as nothing:
        trusted = TRUSTED if TRUSTED.exists() else Path(nothing.name)
        context = packed(*(path for path, _ in files), trusted, names=[*(name for _, name in files), "trusted.crt"])
    os.environ["DOCKER_BUILDKIT"] = "0"
    words = [word for tag in tags for word in ("-t", tag)]
    local("docker", "build", "-q", "--build-arg", f"BASE={base}", *words, "-", stdin=context, timeout=1200)
