"""github.com's look-alike: git over HTTPS by `git http-backend`, Basic with the token as the password, 401 first."""

import asyncio
import base64
import binascii
import os
import subprocess

from tests.lookalikes.names import LOGINS, REPOSITORIES

AUTHOR = {
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
       (("NAME", "Look"), ("EMAIL", "look@github.example"), ("DATE", "1700000000 +0000"))},
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
}  # fmt: skip


def make(folder):
    """Lay out the repositories, each with one commit on main; pushes are taken."""
    for name in REPOSITORIES:
        bare = folder / f"{name}.git"
        _git("init", "-q", "--bare", "-b", "main", str(bare))
        _git("-C", str(bare), "config", "http.receivepack", "true")
        blob = _git("-C", str(bare), "hash-object", "-w", "--stdin", given=f"# {name}\n")
        tree = _git("-C", str(bare), "mktree", given=f"100644 blob {blob}\tREADME.md\n")
        commit = _git("-C", str(bare), "commit-tree", "-m", "First", tree)
        _git("-C", str(bare), "update-ref", "refs/heads/main", commit)


def _git(*words, given=""):
    env = {"PATH": os.environ["PATH"], **AUTHOR}
    done = subprocess.run(["git", *words], input=given, capture_output=True, text=True, check=True, env=env)
    return done.stdout.strip()


def login_of(exchange):
    """Return whose the password of Basic is, or None."""
    scheme, _, value = exchange.header("authorization").partition(" ")
    try:
        told = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return LOGINS.get(told.partition(":")[2]) if scheme.lower() == "basic" else None


class Repositories:
    """The folder that `make` laid out, behind HTTP."""

    def __init__(self, folder):
        self.folder = folder

    async def serve(self, exchange):
        """Answer github.com: a repository's three git addresses, and nothing else."""
        login = login_of(exchange)
        if login is None:
            return await exchange.answer(401, b"", [("WWW-Authenticate", 'Basic realm="GitHub"')])
        _, *parts = exchange.path.split("/", 3)
        name = "/".join(parts[:2]).removesuffix(".git")
        if name not in REPOSITORIES or len(parts) < 3:
            return await exchange.answer(404, b"Not Found")
        return await self._backend(exchange, login, f"/{name}.git/{parts[2]}")

    async def _backend(self, exchange, login, path):
        environment = {**_cgi(exchange), "PATH_INFO": path, "REMOTE_USER": login, "GIT_PROJECT_ROOT": str(self.folder)}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=environment
        )
        told, _ = await process.communicate(exchange.octets)
        head, _, body = told.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
        status = next((int(value[:3]) for name, value in headers if name == "Status"), 200)
        kind = next((value for name, value in headers if name == "Content-Type"), "text/plain")
        others = [pair for pair in headers if pair[0] not in ("Status", "Content-Type", "Content-Length")]
        await exchange.answer(status, body, others, kind)


def _cgi(exchange):
    return {
        **AUTHOR,
        "PATH": os.environ["PATH"],
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": exchange.method,
        "QUERY_STRING": exchange.target.partition("?")[2],
        "CONTENT_TYPE": exchange.header("content-type"),
        "CONTENT_LENGTH": str(len(exchange.octets)),
        "HTTP_CONTENT_ENCODING": exchange.header("content-encoding"),
        "GIT_PROTOCOL": exchange.header("git-protocol"),
        "REMOTE_ADDR": "192.0.2.1",
    }
