"""What a tool of Apple's holds and a play may set: how it is read, what is wanted, how it is written. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hostkit.errors import CannotTell
from hostkit.host import Said
from hostkit.host.apple import MOST, brief

Command = tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """One thing that a tool holds: `read` asks for it, and `form` finds its value in what either stream says.

    `wanted` are the values that need no change, the first of them the one that is set; None is what was never set, and
    what the tool says then is `absent`. In `write` each {} is the value, or its word. `unset` makes it never set again,
    `back` puts back a value that has no word; `stays` says why one cannot be put back, and what to do.
    """

    name: str
    read: Command
    form: str
    wanted: tuple[str | None, ...]
    write: tuple[Command, ...]
    words: Mapping[str, str] = field(default_factory=dict)
    absent: str = ""
    unset: tuple[Command, ...] = ()
    back: tuple[Command, ...] = ()
    stays: str = ""


def value(setting: Setting, said: Said) -> str | None:
    """Return what a tool said of a setting, None if it was never set; raise CannotTell if it said nothing known."""
    text = said.both
    found = {match.group(match.lastindex or 0) for match in re.finditer(setting.form, text[:MOST], re.MULTILINE)}
    if len(found) == 1 and len(text) <= MOST:
        return found.pop()
    if not found and setting.absent and re.search(setting.absent, text[:MOST], re.MULTILINE):
        return None
    do = "look at it by hand; hostkit bootstrap --skip leaves a play out"
    raise CannotTell(f"{setting.name}: {setting.read[0].rpartition('/')[2]} said {brief(text)}", do)


def changes(setting: Setting, now: str | None) -> tuple[Command, ...]:
    """Return the commands that make a setting what is wanted, none if it is."""
    return () if now in setting.wanted else written(setting, setting.wanted[0])


def written(setting: Setting, wanted: str | None) -> tuple[Command, ...]:
    """Return the commands that give a setting a value, none where that cannot be done."""
    if wanted is None:
        return setting.unset
    if setting.words and wanted not in setting.words:
        return setting.back
    word = setting.words.get(wanted, wanted)
    return tuple(tuple(part.replace("{}", word) for part in command) for command in setting.write)
