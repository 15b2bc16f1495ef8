"""Git repositories as the scan sees them: a bare one of ours that borrows their objects and takes nothing else.

Neither git nor the repository's own configuration is asked: whoever owns a repository could have it run programs.
What was scanned before is the parents of a commit of ours, which the engine leaves out with all its ancestors.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from hostkit.errors import CannotTell
from hostkit.host import Host

SCANNED = "refs/hostkit/scanned"
_MOST_REFS = 20_000
_ID = re.compile(r"[0-9a-f]{40}")
_US = "hostkit <hostkit> 0 +0000"


@dataclass(frozen=True)
class Repository:
    """A git directory, and the commits that its HEADs, branches, tags and stash point to.

    To a `partial` one, shallow or with objects left at its origin, older commits can come without a head that moves.
    """

    path: str
    heads: tuple[str, ...]
    partial: bool = False


def read(host: Host, path: str) -> Repository:
    """Return a repository's heads; raise CannotTell for one of a form that is not understood."""
    if host.stat(f"{path}/reftable") is not None:
        raise CannotTell(f"{path}: its refs are in reftable form")
    config = host.read(f"{path}/config") if host.stat(f"{path}/config") else ""
    if re.search(r"(?im)^\s*objectformat\s*=\s*(?!sha1\b)\S", config):
        raise CannotTell(f"{path}: its objects are not of sha1")
    packed = host.read(f"{path}/packed-refs") if host.stat(f"{path}/packed-refs") else ""
    loose = [entry.path for entry in host.things(f"{path}/refs") if entry.kind == "file"]
    if len(loose) + packed.count("\n") > _MOST_REFS:
        raise CannotTell(f"{path}: over {_MOST_REFS} refs")
    texts = [host.read(name)[:256] for name in (f"{path}/HEAD", *host.glob(f"{path}/worktrees/*/HEAD"), *loose)]
    words = [line.split(" ")[0] for line in packed.splitlines()] + [text.strip() for text in texts]
    partial = host.stat(f"{path}/shallow") is not None or bool(host.glob(f"{path}/objects/pack/*.promisor"))
    return Repository(path, tuple(sorted({word for word in words if _ID.fullmatch(word)})), partial)


def borrowed(repository: Repository, scanned: tuple[str, ...], place: Path) -> None:
    """Make a bare repository at a place that holds the other's objects and heads, and what was scanned of them."""
    (place / "objects/info").mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "objects/info/alternates").write_text(f"{repository.path}/objects\n", errors="surrogateescape")
    (place / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    tree = _write(place, "tree", "")
    parents = "".join(f"parent {commit}\n" for commit in scanned)
    known = _write(place, "commit", f"tree {tree}\n{parents}author {_US}\ncommitter {_US}\n\nscanned\n")
    refs = [f"{head} refs/heads/h{number}\n" for number, head in enumerate(repository.heads)]
    (place / "packed-refs").write_text("".join(sorted([*refs, f"{known} {SCANNED}\n"], key=lambda line: line[41:])))
    (place / "HEAD").write_text(f"{repository.heads[0]}\n")


def _write(place: Path, kind: str, body: str) -> str:
    raw = f"{kind} {len(body)}\0{body}".encode()
    name = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    folder = place / "objects" / name[:2]
    folder.mkdir(exist_ok=True)
    (folder / name[2:]).write_bytes(zlib.compress(raw))
    return name
