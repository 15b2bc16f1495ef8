"""Two package registries with one tiny package each, made anew at the start: a wheel and a tarball."""

import base64
import functools
import gzip
import hashlib
import io
import json
import tarfile
import zipfile

from tests.lookalikes.names import NODE_INDEX, PACKAGE

WHEEL, TARBALL = f"{PACKAGE}-1.0.0-py3-none-any.whl", f"{PACKAGE}-1.0.0.tgz"
WORD = "installed through the gateway"


@functools.cache
def wheel():
    """Return the wheel: a module with one word."""
    folder = f"{PACKAGE}-1.0.0.dist-info"
    files = {
        f"{PACKAGE}.py": f"WORD = {WORD!r}\n",
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0.0\n",
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nGenerator: lookalikes\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{name},sha256={_short(text.encode())},{len(text)}" for name, text in files.items()]
    files[f"{folder}/RECORD"] = "\n".join([*lines, f"{folder}/RECORD,,", ""])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return stream.getvalue()


def _short(octets):
    return base64.urlsafe_b64encode(hashlib.sha256(octets).digest()).rstrip(b"=").decode()


@functools.cache
def tarball():
    """Return the tarball: a module with one word."""
    about = {"name": PACKAGE, "version": "1.0.0", "main": "index.js", "license": "Apache-2.0"}
    files = {"package/package.json": json.dumps(about), "package/index.js": f"module.exports = '{WORD}'\n"}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(stream.getvalue(), mtime=0)


async def python(exchange):
    """Answer the Python index: the simple pages, and the wheel."""
    digest = hashlib.sha256(wheel()).hexdigest()
    pages = {
        "/simple/": f'<!DOCTYPE html><a href="{PACKAGE}/">{PACKAGE}</a>',
        f"/simple/{PACKAGE}/": f'<!DOCTYPE html><a href="../../files/{WHEEL}#sha256={digest}">{WHEEL}</a>',
    }
    if exchange.path == f"/files/{WHEEL}":
        return await exchange.answer(200, wheel(), kind="application/octet-stream")
    page = pages.get(exchange.path)
    return await exchange.answer(200 if page else 404, (page or "").encode(), kind="text/html")


async def node(exchange):
    """Answer the Node registry: the package's document, and the tarball."""
    if exchange.path == f"/{PACKAGE}/-/{TARBALL}":
        return await exchange.answer(200, tarball(), kind="application/octet-stream")
    if exchange.path == f"/{PACKAGE}":
        return await exchange.answer(200, _document())
    return await exchange.answer(404, {"error": "Not found"})


def _document():
    whole = base64.b64encode(hashlib.sha512(tarball()).digest()).decode()
    dist = {"tarball": f"https://{NODE_INDEX}/{PACKAGE}/-/{TARBALL}", "integrity": f"sha512-{whole}"}
    dist["shasum"] = hashlib.sha1(tarball()).hexdigest()
    version = {"name": PACKAGE, "version": "1.0.0", "main": "index.js", "dist": dist}
    return {"name": PACKAGE, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
