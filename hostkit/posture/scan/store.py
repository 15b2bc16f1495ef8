"""What is remembered of repositories, so that each commit is scanned once: their heads, and where secrets were."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from hostkit.errors import CannotTell
from hostkit.health import state_directory
from hostkit.posture.scan.kingfisher import Place

_VERSION = 1


@dataclass(frozen=True)
class Known:
    """A repository as it was last scanned."""

    heads: tuple[str, ...]
    places: tuple[Place, ...]


def _path() -> Path:
    return state_directory() / "scan.json"


def known(rules: str) -> dict[str, Known]:
    """Return the repositories that were scanned by these rules; none if nothing is remembered that is understood."""
    try:
        plain = json.loads(_path().read_text("utf-8"))
        if (plain["version"], plain["rules"]) != (_VERSION, rules):
            return {}
        return {
            path: Known(tuple(entry["heads"]), tuple(Place(**place) for place in entry["places"]))
            for path, entry in plain["repositories"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def keep(rules: str, repositories: dict[str, Known]) -> None:
    """Remember the repositories, replacing what was remembered."""
    plain = {path: asdict(entry) for path, entry in repositories.items()}
    beside = _path().with_suffix(".new")
    try:
        beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            json.dump({"version": _VERSION, "rules": rules, "repositories": plain}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(_path())
    except OSError as why:
        raise CannotTell(f"{_path()}: {why.strerror}", "make room, or give hostkit its directory back") from None
