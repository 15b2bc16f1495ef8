"""Whether a Mac takes Apple's updates."""

import re
import time
from datetime import UTC, datetime, timedelta

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, heard, setting, switch
from hostkit.posture.model import Command, Verdict, every, fail, ok

_DOMAIN = "/Library/Preferences/com.apple.SoftwareUpdate"
_SECURITY = ("ConfigDataInstall", "CriticalUpdateInstall")
_WITHIN = timedelta(days=7)


def _take(host: Host, policy: Policy) -> tuple[Command, ...]:
    keys = ("AutomaticCheckEnabled", "AutomaticDownload", *_SECURITY)
    return tuple(("/usr/bin/defaults", "write", _DOMAIN, key, "-bool", "true") for key in keys)


@check(
    "macupdates-automatic",
    severity="high",
    why="Most holes are closed before they are used, on the machines that take the update.",
    fix="hostkit bootstrap (play 40-updates); by hand: "
    "System Settings > General > Software Update > Automatic Updates: all but installing macOS itself, which would "
    "restart a Mac with FileVault into a locked disk.",
    play="40-updates",
    mend=_take,
    references=(
        "mSCP system_settings_software_update_enforce",
        "mSCP system_settings_critical_update_install_enforce",
        "NIST SP 800-53 SI-2",
    ),
)
def updates_are_taken(host: Host, policy: Policy) -> Verdict:
    """This Mac looks for updates, downloads them, and installs those of security by itself."""
    word = heard(
        host, "/usr/sbin/softwareupdate", "--schedule", form=r"^Automatic checking for updates is turned (on|off)$"
    )
    told = {key: switch(host, _DOMAIN, key) for key in ("AutomaticCheckEnabled", "AutomaticDownload", *_SECURITY)}
    faults = [] if word == "on" else ["macOS does not look for updates"]
    faults += [f"{key} is off" for key, value in told.items() if value is False]
    # The tool's own word answers for AutomaticCheckEnabled; what the others are by default differs by release.
    silent = [key for key, value in told.items() if value is None and key != "AutomaticCheckEnabled"]
    if silent and not faults:
        raise CannotTell(f"{', '.join(silent)} was never set, and what holds then is not known")
    return every(faults, "looked for, downloaded, and installed where they are of security")


@check(
    "macupdates-recent",
    severity="medium",
    why="A Mac that was told to look for updates and cannot is silent about it.",
    fix="softwareupdate -l says what stands in the way; the egress list must let Apple's update hosts through.",
    references=("mSCP system_settings_softwareupdate_current", "NIST SP 800-53 SI-2"),
)
def updates_were_looked_for(host: Host, policy: Policy) -> Verdict:
    """This Mac has looked for updates, with success, within a week."""
    told = setting(host, _DOMAIN, "LastFullSuccessfulDate")
    if told is None:
        return fail("never with success")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", told):
        raise CannotTell(f"the last success is told in a form that is not known: {brief(told)}")
    age = datetime.fromtimestamp(time.time(), UTC) - datetime.strptime(told, "%Y-%m-%d %H:%M:%S %z")
    if age < -timedelta(days=1):
        return fail(f"the last success lies in the future: {told}")
    return ok(f"last on {told[:10]}") if age <= _WITHIN else fail(f"last on {told[:10]}, {age.days} days ago")
