"""A Mac that stays up, and comes back."""

import re

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, printed
from hostkit.posture.model import Command, Verdict, every

_TOOL = "/usr/bin/pmset"


def _settings(host: Host) -> dict[str, int]:
    """Return what holds while there is power from the wall."""
    said = printed(host, _TOOL, "-g", "custom")
    _, found, section = said.partition("AC Power:\n")
    section = re.split(r"^\S.*:$", section, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [re.fullmatch(r" ([A-Za-z]+(?: [A-Za-z]+)*) +(\d+)(?: \(.*\))?", line) for line in section.splitlines()]
    pairs = [(line[1], line[2]) for line in lines if line]
    if not found or not pairs or len(pairs) != len(lines) or len(dict(pairs)) != len(pairs):
        raise CannotTell(f"pmset said nothing that is known: {brief(said)}")
    return {name: int(value) for name, value in pairs}


def _value(settings: dict[str, int], name: str) -> int:
    if name not in settings:
        raise CannotTell(f"pmset does not say {name}")
    return settings[name]


def _stay(host: Host, policy: Policy) -> tuple[Command, ...]:
    return ((_TOOL, "-a", "sleep", "0", "disksleep", "0", "standby", "0"),)


@check(
    "power-awake",
    severity="medium",
    why="A sleeping host runs no agent, writes no record and raises no alarm.",
    fix="hostkit bootstrap (play 45-power); by hand: sudo pmset -a sleep 0 disksleep 0 standby 0.",
    play="45-power",
    mend=_stay,
    references=("NIST SP 800-53 CP-10",),
)
def it_does_not_sleep(host: Host, policy: Policy) -> Verdict:
    """The Mac never sleeps by itself; its display may."""
    settings = _settings(host)
    faults = [f"sleeps after {minutes} minutes"] if (minutes := _value(settings, "sleep")) else []
    return every(faults + (["standby is on"] if settings.get("standby") else []), "never sleeps")


def _return(host: Host, policy: Policy) -> tuple[Command, ...]:
    return ((_TOOL, "-a", "autorestart", "1"),)


@check(
    "power-returns",
    severity="medium",
    why="After a power cut nobody is there to press the button, and the alarm that would say so is down too.",
    fix="hostkit bootstrap (play 45-power); by hand: "
    "sudo pmset -a autorestart 1. With FileVault somebody still has to unlock the disk.",
    play="45-power",
    mend=_return,
    references=("NIST SP 800-53 CP-10",),
)
def it_comes_back_after_a_power_cut(host: Host, policy: Policy) -> Verdict:
    """The Mac starts by itself when the power is back."""
    faults = [] if _value(_settings(host), "autorestart") else ["autorestart is off"]
    return every(faults, "starts by itself")
