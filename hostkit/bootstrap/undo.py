"""The way back, from the record and what is here now: pure. Nothing that hostkit did not change is touched.

The fence goes first: it only ever closes, so without it nobody is cut off while the rest goes back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hostkit.bootstrap.mac import undo as mac
from hostkit.bootstrap.mac.jobs import PROGRAM as MAC_PROGRAM
from hostkit.bootstrap.mac.pf import ANCHOR
from hostkit.bootstrap.record import ABSENT, Key, Record, State, Thing, settled
from hostkit.bootstrap.touched import FENCE

SUFFIX = ".hostkit-undo"
STATE = "/var/lib/hostkit"
"""The folder of the record itself: it goes last, after the record, if nothing else of hostkit's lies there."""
PROGRAM = "/usr/local/lib/hostkit/fence"
_FENCES = {FENCE: (PROGRAM, ("nft", "delete", "table", *FENCE.split())), ANCHOR: (MAC_PROGRAM, mac.TAKE_DOWN)}
"""Each fence's own program, which takes it down with `undo`, and what does where that is gone."""
_SSH, _SUDO = "/etc/ssh/", "/etc/sudoers"
_FLUSHES = {"nftables.service"}
"""Its start, stop and reload flush every table, the engine's too, whose containers would then be cut off."""
_NOT_RESTARTED = {"docker.service", "docker.socket", "containerd.service", *_FLUSHES}
_ENGINE = "an engine that runs goes on as it was set; to let it read its files anew: systemctl restart docker"
_READ_LATER = {
    "/etc/apparmor.d/": "the kernel holds the profile hostkit-agent until the next boot: agents may run under it",
    "/etc/fstab": "shares that were unmounted stay so; to mount them again: mount -a",
    "/etc/docker/": _ENGINE,
    "/etc/systemd/system/docker.service.d/": _ENGINE,
}
_KEPT_KINDS = {"absent", "file", "link", "directory"}


@dataclass(frozen=True)
class Act:
    """One step back: `commands` to run in order, files to put back together, or an account to take away.

    `check` is the command that must take the files; where it does not, they are left as they were found. What is not
    `needed` may fail: the thing is back, only what runs has not read it yet. Where what `is_first` fails, none follows.
    """

    says: str
    commands: tuple[tuple[str, ...], ...] = ()
    files: tuple[Thing, ...] = ()
    aside: frozenset[str] = frozenset()
    check: tuple[str, ...] = ()
    account: str = ""
    needed: bool = True
    is_first: bool = False


@dataclass(frozen=True)
class Way:
    """The whole way back: the steps in their order, and what stays, each line with what to do about it."""

    acts: tuple[Act, ...]
    stays: tuple[str, ...]


def plan(record: Record, now: Mapping[Key, State]) -> Way:
    """Return the way back; a thing that is as it was is not on it."""
    record = settled(record, now)
    changed = [thing for thing in record.things if thing.changed and now[thing.key] != thing.was]
    changed.sort(key=lambda thing: thing.play, reverse=True)  # stable: the plays backwards, each in its own order
    own = [thing for thing in changed if thing.kind == "unit" and _own(thing, record)]
    drifted = [thing for thing in changed if thing not in own and _drifted(thing, now[thing.key])]
    ours = [thing for thing in changed if thing not in drifted]
    files = [thing for thing in ours if thing.kind == "file"]
    units = [thing for thing in ours if thing.kind == "unit"]
    kept = [thing for thing in files if _can(thing, now[thing.key]) and thing.name != STATE]
    drop_ins = [thing for thing in kept if ".service.d/" in thing.name]
    rest = [thing for thing in kept if thing not in drop_ins]
    acts = (
        *_tables(ours, now),
        *(Act(says, commands) for says, commands in mac.ended(ours)),
        *(Act(says, commands, needed=needed) for says, commands, needed in mac.settings(ours)),
        *_files(drop_ins, now),
        *_reload_systemd(drop_ins),
        *_retired(own, now),
        *_files(rest, now),
        *_reload_systemd(rest, units),
        *_units(units, now),
        *_read_anew(record, kept, now),
        *(Act(says, commands, needed=False) for says, commands in mac.read_anew(kept)),
        *_sysctls(ours),
        *_accounts(ours),
    )
    return Way(acts, (*_impossible(files, now), *(_left(t, now[t.key]) for t in drifted), *_stay(ours, own, now)))


def _drifted(thing: Thing, now: State) -> bool:
    """Return whether somebody else has changed it since hostkit did; a unit that came to run or ended is the same."""
    told = thing.wrote if thing.sure else None
    if told is None or thing.kind not in {"unit", "sysctl", "account", "setting"}:
        return False
    if thing.kind == "unit":  # as it was: an undo was cut short between two steps
        return now["enabled"] not in {told["enabled"], thing.was["enabled"]}
    return told != now


def _left(thing: Thing, now: State) -> str:
    shown = ", ".join(f"{name} {value}" for name, value in now.items())
    return f"{thing.kind} {thing.name}: somebody else has changed it since hostkit did ({shown}); it is left as it is"


def _can(thing: Thing, now: State) -> bool:
    both = {thing.was["kind"], now["kind"]}
    return both <= _KEPT_KINDS and ("directory" not in both or both <= {"directory", "absent"})


def _impossible(files: Iterable[Thing], now: Mapping[Key, State]) -> list[str]:
    return [
        f"{thing.name}: it was {thing.was['kind']}, now it is {now[thing.key]['kind']}: not kept; put it back by hand"
        for thing in files
        if not _can(thing, now[thing.key])
    ]


def _tables(ours: Iterable[Thing], now: Mapping[Key, State]) -> list[Act]:
    names = [thing.name for thing in ours if thing.kind == "table" and not thing.was["there"]]
    if not names:
        return []
    program, command = _FENCES[names[0]]
    there = now.get(("file", program), ABSENT) != ABSENT
    return [Act("take the fence down", commands=((program, "undo") if there else command,), is_first=True)]


def _own(unit: Thing, record: Record) -> bool:
    """Return whether hostkit wrote the unit itself; else it came with a package."""
    files = [thing for thing in record.things if thing.kind == "file" and thing.was == ABSENT]
    return any(file.name.endswith(f"/{unit.name}") for file in files)


def _retired(own: Iterable[Thing], now: Mapping[Key, State]) -> list[Act]:
    """Return the end of hostkit's own units, while their files still say what ends with them.

    The engine's drop-ins are gone by then: with them it would end too, for it requires the fence's.
    """
    acts = []
    for unit in own:
        words = ["stop"] if now[unit.key]["active"] else []
        words += ["disable"] if now[unit.key]["enabled"] == "enabled" else []
        acts.append(Act(_words(unit, words), commands=tuple(("systemctl", "-q", word, unit.name) for word in words)))
    return [act for act in acts if act.commands]


def _words(unit: Thing, words: Iterable[str]) -> str:
    return f"{unit.name}: {', '.join(words)}"


def _files(kept: Iterable[Thing], now: Mapping[Key, State]) -> list[Act]:
    """Return the files in the order in which each has its folder: folders made, files, folders taken away."""
    made = sorted((t for t in kept if t.was["kind"] == "directory"), key=lambda t: t.name.count("/"))
    gone = [t for t in kept if now[t.key]["kind"] == "directory" and t.was == ABSENT]
    rest = [t for t in kept if t not in made and t not in gone]
    ssh = [t for t in rest if t.name.startswith(_SSH)]
    return [
        *(_file([t], now) for t in made),
        *(_file([t], now, _check(t)) for t in rest if t not in ssh),
        *([_file(ssh, now, ("/usr/sbin/sshd", "-t"))] if ssh else []),
        *(_file([t], now) for t in sorted(gone, key=lambda t: -t.name.count("/"))),
    ]


def _check(thing: Thing) -> tuple[str, ...]:
    """Return what must take a file of sudo's as it was; sshd's are taken together."""
    reads = thing.name.startswith(_SUDO) and thing.was["kind"] == "file"
    return ("/usr/sbin/visudo", "-c", "-q", "-f", thing.name) if reads else ()


def _file(things: list[Thing], now: Mapping[Key, State], check: tuple[str, ...] = ()) -> Act:
    aside = frozenset(thing.name for thing in things if _theirs(thing, now[thing.key]))
    words = [f"{'remove' if thing.was == ABSENT else 'put back'} {thing.name}" for thing in things]
    notes = [f"; what is there now is kept as {name}{SUFFIX}" for name in sorted(aside)]
    return Act(", ".join(words) + "".join(notes), files=tuple(things), aside=aside, check=check)


def _theirs(thing: Thing, now: State) -> bool:
    """Return whether what is there may be somebody's own work."""
    return now["kind"] in {"file", "link"} and (not thing.sure or now != thing.wrote)


def _reload_systemd(kept: Iterable[Thing], units: Iterable[Thing] = ()) -> list[Act]:
    read = tuple(units) or any("/systemd/" in thing.name for thing in kept)
    return [Act("let systemd read its units anew", commands=(("systemctl", "daemon-reload"),))] if read else []


def _units(units: Iterable[Thing], now: Mapping[Key, State]) -> list[Act]:
    found = [(unit, _unit(unit, now[unit.key])) for unit in units if unit.was["there"]]
    return [
        Act(_words(unit, words), commands=tuple(("systemctl", "-q", word, unit.name) for word in words))
        for unit, words in found
        if words
    ]


def _unit(unit: Thing, now: State) -> list[str]:
    was = unit.was
    words: list[str] = []
    if was["enabled"] != now["enabled"]:
        words += ["unmask"] if now["enabled"].startswith("masked") else []
        words += {"enabled": ["enable"], "disabled": ["disable"], "masked": ["mask"]}.get(was["enabled"], [])
    if was["active"] != now["active"] and unit.name not in _FLUSHES:
        words += ["start" if was["active"] else "stop"]
    return words


def _read_anew(record: Record, kept: Iterable[Thing], now: Mapping[Key, State]) -> list[Act]:
    """Return the reloads of what runs on with files that were put back; the engine's would end its containers."""
    plays = {thing.play for thing in kept}
    names = [thing.name for thing in record.things if thing.kind == "unit" and thing.play in plays
             and thing.was["active"] and now[thing.key]["active"] and thing.name not in _NOT_RESTARTED]  # fmt: skip
    return [
        Act(f"{name}: read its files anew", commands=(("systemctl", "try-reload-or-restart", name),), needed=False)
        for name in dict.fromkeys(names)
    ]


def _sysctls(ours: Iterable[Thing]) -> list[Act]:
    found = [(t.name, t.was["value"]) for t in ours if t.kind == "sysctl" and t.was["value"] is not None]
    return [Act(f"{n} = {value}", commands=(("sysctl", "-q", "-w", f"{n}={value}"),)) for n, value in found]


def _accounts(ours: Iterable[Thing]) -> list[Act]:
    made = [t.name for t in ours if t.kind == "account" and t.was["entry"] is None]
    return [Act(f"remove the account {name}", account=name) for name in made]


def _stay(ours: Iterable[Thing], own: list[Thing], now: Mapping[Key, State]) -> list[str]:
    said = [_stays(thing, now[thing.key]) for thing in ours if thing not in own]
    return [line for line in dict.fromkeys(said) if line]


def _stays(thing: Thing, now: State) -> str:
    """Return what of a thing stays as hostkit made it, and what to do about it; empty if nothing does."""
    name, was = thing.name, thing.was
    if thing.kind == "setting":
        return mac.stays(thing)
    says = {
        "package": f"package {name} was taken out; to have it again: apt-get install {name}",
        "account": f"account {name} was {was.get('entry')}; to have it so again: vipw" if was.get("entry") else "",
        "file": next((said for path, said in _READ_LATER.items() if name.startswith(path)), ""),
    }
    if thing.kind == "package" and now["installed"]:
        return f"package {name} stays; to remove it: apt-get remove {name}"
    if thing.name in _FLUSHES and was["active"] and not now["active"]:
        return f"{name} loads its tables at the next boot; it flushes all others, so it is not started now"
    if thing.kind == "unit" and not was["there"] and (now["active"] or now["enabled"] == "enabled"):
        return f"{name} came with a package and stays; to end it: systemctl disable --now {name}"
    return says.get(thing.kind, "")
