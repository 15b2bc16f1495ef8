"""Taking the steps back, one by one; what fails is said, and does not keep the rest from going back."""

import errno
from collections.abc import Callable

from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.keep import Kept
from hostkit.bootstrap.look import look
from hostkit.bootstrap.record import ABSENT, Record, Thing
from hostkit.bootstrap.undo import STATE, SUFFIX, Act, Way, plan
from hostkit.errors import CannotTell, HostkitError
from hostkit.host import Host, accounts
from hostkit.host.apple import DSCL, records

Told = Callable[[str, str], None]
"""Takes what became of a step (undone, failed or stays), and the step in words."""


class _InUse(Exception):  # noqa: N818 - it is an answer, not a mistake
    """A folder that hostkit made and in which somebody keeps files: it stays theirs."""


def way_back(host: Host, disk: Disk) -> Way | None:
    """Return the way back as things are now, None if nothing is on record."""
    record = Kept(disk).record()
    return None if record is None else plan(record, look(host, disk, (thing.key for thing in record.things)))


def go_back(host: Host, disk: Disk, told: Told) -> bool:
    """Take every step and return whether all is as it was; the record goes when it is, and only then."""
    kept = Kept(disk)
    record, way = kept.record(), way_back(host, disk)
    assert record is not None  # noqa: S101 - the caller asked
    assert way is not None  # noqa: S101 - same
    whole = True
    for act in way.acts:
        became, why = _taken(host, disk, kept, act)
        told(became, f"{act.says}: {why}" if why else act.says)
        whole = whole and (became != "failed" or not act.needed)
        if became == "failed" and act.is_first:
            break
    if whole:
        kept.forget()
        _empty_state_folder(disk, record)
    return whole


def _taken(host: Host, disk: Disk, kept: Kept, act: Act) -> tuple[str, str]:
    """Take one step and return what became of it, and why it was not undone."""
    try:
        for command in act.commands:
            host.run(*command, timeout=150)  # launchd gives a VM two minutes to end
        if act.files:
            _put_back(host, disk, kept, act)
        if act.account:
            _remove_account(host, act.account)
    except _InUse as why:
        return "stays", str(why)
    except (HostkitError, OSError) as why:
        return "failed", str(why)
    return "undone", ""


def _put_back(host: Host, disk: Disk, kept: Kept, act: Act) -> None:
    found = [(thing.name, disk.look(thing.name)) for thing in act.files]
    contents = {name: disk.read(name) for name, state in found if state["kind"] == "file"}
    for thing in act.files:
        if thing.name in act.aside:
            disk.set_aside(thing.name, SUFFIX)
    for thing in act.files:
        _put(disk, kept, thing)
    if not act.check or host.stat(act.check[0]) is None:
        return
    try:
        host.run(*act.check)
    except CannotTell:
        for name, state in found:
            disk.put(name, state, contents.get(name, b""))
        raise


def _put(disk: Disk, kept: Kept, thing: Thing) -> None:
    content = kept.content(thing.was["digest"]) if thing.was["kind"] == "file" else b""
    try:
        disk.put(thing.name, thing.was, content)
    except OSError as why:
        if why.errno != errno.ENOTEMPTY:
            raise
        raise _InUse("it is not empty") from None


def _remove_account(host: Host, name: str) -> None:
    """Remove an account that bootstrap made; raise CannotTell while anything runs as it or belongs to it."""
    uid = _uid(host, name)
    if not uid:
        return
    if uid in host.run("ps", "-e", "-o", "uid=").split():
        raise CannotTell(f"something still runs as {name}", f"see it with ps -u {name}, end it, and undo again")
    if found := _belonging(host, uid):
        raise CannotTell(f"{found} belongs to {name}", _EMPTIED.get(host.platform, _GIVEN))
    if host.platform == "darwin":
        host.run(DSCL, ".", "-delete", f"/Users/{name}")
        host.run(DSCL, ".", "-delete", f"/Groups/{name}")
        return
    host.run("userdel", name)
    if any(line.startswith(f"{name}:") for line in host.read("/etc/group").splitlines()):
        host.run("groupdel", name)


_GIVEN = "give it to another account, and undo again"
_EMPTIED = {"darwin": "if nothing there is wanted, the VM's disk neither, remove that account's home, and undo again"}


def _uid(host: Host, name: str) -> str:
    if host.platform == "darwin":
        return records(host, "UniqueID").get(name, "").strip()
    return next((words[2] for words in accounts(host) if words[0] == name), "")


def _belonging(host: Host, uid: str) -> str:
    """Return a file that belongs to an account, empty if none does; on a Mac where an account can have any."""
    if host.platform == "darwin":
        places = ("/Users", "/Library", "/private/var", "/private/tmp", "/opt", "/usr/local")
        there = [place for place in places if host.stat(place)]
        found = host.ask("/usr/bin/find", *there, "-xdev", "-user", uid, timeout=300).out  # SIP hides some: code 1
        return found.partition("\n")[0]
    pruned = [word for path in ("/proc", "/sys", STATE) for word in ("-path", path, "-o")][:-1]
    search = ("find", "/", "-ignore_readdir_race", "(", *pruned, ")", "-prune", "-o", "-uid", uid, "-print", "-quit")
    return host.run(*search, timeout=300).strip()


def _empty_state_folder(disk: Disk, record: Record) -> None:
    """Remove hostkit's folder if bootstrap made it and nothing else of hostkit's lies there."""
    made = any(thing.key == ("file", STATE) and thing.was == ABSENT for thing in record.things)
    if made and not any(disk.at(STATE).iterdir()):
        disk.put(STATE, ABSENT)
