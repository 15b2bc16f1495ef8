"""Keeping the record where only root reads: whole at any moment, and on the disk before what it tells of may change."""

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from hostkit.bootstrap.disk import Disk, synced
from hostkit.bootstrap.look import look, spelled
from hostkit.bootstrap.record import Record, as_json, closed, digests, opened, parse
from hostkit.bootstrap.touched import Touch
from hostkit.bootstrap.undo import STATE
from hostkit.errors import CannotTell
from hostkit.host import Host

FOLDER = f"{STATE}/bootstrap"


class Kept:
    """The record on this machine: an index, and beside it each content once, named by its digest."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._folder = disk.at(FOLDER)

    def record(self) -> Record | None:
        """Return the record, None if there is none; raise HostkitError if it is not readable as one."""
        try:
            return parse((self._folder / "index.json").read_text("utf-8"), f"{FOLDER}/index.json")
        except FileNotFoundError:
            return None

    def open_run(self, host: Host, touches: Iterable[Touch]) -> None:
        """Put on record, as it is now, everything that a run may touch and that is not there yet."""
        record, found = self.record() or Record(), spelled(self._disk, touches)
        keys = {thing.key for thing in record.things} | {(touch.kind, touch.name) for touch in found}
        made = opened(record, found, look(host, self._disk, keys))
        known = {thing.key for thing in record.things}
        self._make_folder()
        for thing in made.things:
            if thing.key not in known and thing.was.get("kind") == "file":
                self._keep(thing.name, thing.was["digest"])
        self._write(made)

    def close_run(self, host: Host, touches: Iterable[Touch], ran: Mapping[str, str] | None = None) -> None:
        """Put on record what the run made of what it touched, and the stamps of the plays that ran to their end."""
        record = self.record()
        assert record is not None  # noqa: S101 - open_run wrote it, under the same lock
        found = spelled(self._disk, touches)
        keys = {thing.key for thing in record.things} | {(touch.kind, touch.name) for touch in found}
        made = closed(record, found, look(host, self._disk, keys))
        self._write(dataclasses.replace(made, plays={**made.plays, **(ran or {})}))

    def content(self, digest: str) -> bytes:
        """Return a content that was kept; raise CannotTell if it is not what it was."""
        content = (self._folder / digest).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise CannotTell(f"{FOLDER}/{digest} is not what was kept", "put that file back from a backup")
        return content

    def forget(self) -> None:
        """Delete the record, its index first: what is left without it is nothing to undo."""
        (self._folder / "index.json").unlink()
        synced(self._folder)
        shutil.rmtree(self._folder)

    def _make_folder(self) -> None:
        for folder in (self._folder.parent, self._folder):
            folder.mkdir(mode=0o700, exist_ok=True)
            synced(folder.parent)

    def _keep(self, path: str, digest: str) -> None:
        content = self._disk.read(path)
        if hashlib.sha256(content).hexdigest() != digest:
            raise CannotTell(f"{path} changes while it is put on record", "run hostkit bootstrap again")
        self._durably(self._folder / digest, content)

    def _write(self, record: Record) -> None:
        self._durably(self._folder / "index.json", as_json(record).encode())
        needed = {"index.json", *digests(record)}
        for left in (path for path in self._folder.iterdir() if path.name not in needed):
            left.unlink()

    def _durably(self, place: Path, content: bytes) -> None:
        temporary = place.with_name(f"{place.name}.new")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
        synced(self._folder)
