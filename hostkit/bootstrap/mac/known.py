"""Every setting that the plays of a Mac know, by its name. Pure.

A name says the kind and, behind @, what of: `power@sleep`, `service@com.apple.smbd`, `airdrop@ann`. Where the commands
and their answers come from: usnistgov/macos_security (macOS 14 to 26), Apple's manual pages, and recordings of Macs.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping

from hostkit.bootstrap.mac.settings import Command, Setting
from hostkit.errors import HostkitError
from hostkit.host.apple import DEFAULTS, LAUNCHCTL


def named(name: str, profile: str = "strict") -> Setting:
    """Return the setting of that name; raise HostkitError if hostkit knows none."""
    kind, _, what = name.partition("@")
    make = _KINDS.get(kind)
    if make is None or (kind in _OF_ONE) is not bool(what):
        raise HostkitError(f"no setting is called {name}", "use the hostkit that wrote it down")
    made = dataclasses.replace(make(what), name=name)
    if kind == "airdrop" and profile == "solo":
        made = dataclasses.replace(made, wanted=("Off", "Contacts Only"))
    return made


_ON_OFF = {"enabled": "on", "disabled": "off", "ENABLED": "on", "DISABLED": "off", "1": "on", "0": "off"}
_FIREWALL = "/usr/libexec/ApplicationFirewall/socketfilterfw"
_SYSADMIN = "/usr/sbin/sysadminctl"
_MANAGER = "/System/Library/CoreServices/RemoteManagement/ARDAgent.app/Contents/Resources/kickstart"
_WINDOW = "/Library/Preferences/com.apple.loginwindow"
_UPDATES = "/Library/Preferences/com.apple.SoftwareUpdate"
_NAT = "/Library/Preferences/SystemConfiguration/com.apple.nat"


def _without(name: str, mark: str) -> str:
    """Return the form of an answer that has a mark, and says nothing at all of a name."""
    return rf"\A(?![\s\S]*{re.escape(name)})[\s\S]*{mark}"


_NEVER_SET = r"^The domain/default pair of \(.*\) does not exist$"


def _firewall(option: str, form: str, *wanted: str, words: Mapping[str, str] = _ON_OFF) -> Callable[[str], Setting]:
    def made(_: str) -> Setting:
        read = {"allowsignedapp": "allowsigned"}.get(option, option)  # one question answers for both
        return Setting("", (_FIREWALL, f"--get{read}"), form, wanted, ((_FIREWALL, f"--set{option}", "{}"),), words)

    return made


def _program(path: str) -> Setting:
    form = rf"^\d+ : {re.escape(path)} *\n\s*\(\s*(Allow|Block) incoming connections\s*\)"
    words, absent = {"Block": "block", "Allow": "unblock"}, _without(path, r"^Total number of apps = \d+")
    write = ((_FIREWALL, "--{}app", path),)
    return Setting("", (_FIREWALL, "--listapps"), form, ("Block", None), write, words, absent)


def _let_in(path: str) -> Setting:
    """Return whether the firewall lets a program be called; one that it does not know of is put on its list first."""
    blocked = _program(path)
    write = ((_FIREWALL, "--add", path), *blocked.write)
    return dataclasses.replace(blocked, wanted=("Allow",), write=write, unset=((_FIREWALL, "--remove", path),))


_PLISTS = {
    "com.openssh.sshd": "ssh",
    "com.apple.AEServer": "com.apple.eppc",
    "com.apple.screensharing": "com.apple.screensharing",
    "com.apple.smbd": "com.apple.smbd",
}
"""The services of the system that the plays end, with their files' names in /System/Library/LaunchDaemons."""


def _service(label: str) -> Setting:
    """Return whether launchd may start a service; what it was never told about it starts only if the system asks."""
    words = {"disabled": "disable", "enabled": "enable"}
    return Setting(
        "", (LAUNCHCTL, "print-disabled", "system"), rf'^\s*"{re.escape(label)}" => (enabled|disabled)$',
        ("disabled", None), ((LAUNCHCTL, "{}", f"system/{label}"),), words,
        absent=_without(label, r"^\s*disabled services = \{$"),
        stays=f"launchd keeps {label} from starting; sudo launchctl enable system/{label}",
    )  # fmt: skip


def _loaded(label: str) -> Setting:
    """Return whether launchd holds a service. One that the system submitted has no file to load it from again."""
    what, gone = f"system/{label}", f'Could not find service "{label}" in domain for system'
    plist = f"/System/Library/LaunchDaemons/{_PLISTS.get(label, label)}.plist"
    return Setting(
        "", (LAUNCHCTL, "print", what), rf"^({re.escape(what)} = \{{)$|^({re.escape(gone)})$", (gone,),
        ((LAUNCHCTL, "disable", what), (LAUNCHCTL, "bootout", what)), {gone: ""},
        back=((LAUNCHCTL, "enable", what), (LAUNCHCTL, "bootstrap", "system", plist)),
        stays=f"{label} runs again after the next start of this Mac",
    )  # fmt: skip


def _management(_: str) -> Setting:
    back = ((_MANAGER, "-activate", "-restart", "-agent"),)
    return Setting("", ("/usr/libexec/mdmclient", "QuerySecurityInfo"), r"^\s*RemoteDesktopEnabled = ([01]);$", ("0",),
                   ((_MANAGER, "-{}", "-stop"),), {"0": "deactivate"}, back=back)  # fmt: skip


def _guests(_: str) -> Setting:
    return Setting("", (_SYSADMIN, "-smbGuestAccess", "status"), r"SMB guest access (enabled|disabled)\.?$",
                   ("disabled",), ((_SYSADMIN, "-smbGuestAccess", "{}"),), _ON_OFF)  # fmt: skip


def _nfs(_: str) -> Setting:
    words = {"disabled": "disable", "enabled": "enable"}
    return Setting("", ("/sbin/nfsd", "status"), r"^nfsd service is (enabled|disabled)$", ("disabled",),
                   (("/sbin/nfsd", "{}"),), words)  # fmt: skip


def _internet(_: str) -> Setting:
    # Only the outer one counts: each kind of interface has an Enabled of its own, further in.
    write = (DEFAULTS, "write", _NAT, "NAT", "-dict-add", "Enabled", "-int", "{}")
    form = r"^ {4}Enabled = ([01]);$"
    return Setting("", (DEFAULTS, "read", _NAT, "NAT"), form, ("0", None), (write,), absent=_NEVER_SET)


def _printers(what: str) -> Setting:
    option, tool = what.replace("_", "-"), "/usr/sbin/cupsctl"
    wanted, absent = (("0",), "") if what == "share_printers" else (("0", None), _without(what, r"^_share_printers="))
    words = {"0": "no-", "1": ""}
    return Setting("", (tool,), rf"^_{re.escape(what)}=([01])$", wanted, ((tool, "--{}" + option),), words, absent,
                   stays=f"cupsctl --{option} turns it on")  # fmt: skip


def _cache(_: str) -> Setting:
    tool = "/usr/bin/AssetCacheManagerUtil"
    words = {"true": "activate", "false": "deactivate"}
    return Setting("", (tool, "status"), r"^\s*Activated: (true|false)$", ("false",), ((tool, "{}"),), words)


def _update(key: str) -> Setting:
    return _switch((DEFAULTS,), _UPDATES, key, ("1",))


def _schedule(_: str) -> Setting:
    tool = "/usr/sbin/softwareupdate"
    form = r"^Automatic checking for updates is turned (on|off)$"
    return Setting("", (tool, "--schedule"), form, ("on",), ((tool, "--schedule", "{}"),))


def _power(key: str) -> Setting:
    # What holds on the wall's power; the sections of a laptop's battery are left alone.
    form = rf"(?s:AC Power:\n(?:(?!^\S).)*?)^ {re.escape(key)} +(\d+)(?: \(.*\))?$"
    wanted: tuple[str | None, ...] = ("1",) if key == "autorestart" else ("0", None) if key == "standby" else ("0",)
    tool = "/usr/bin/pmset"
    return Setting(
        "", (tool, "-g", "custom"), form, wanted, ((tool, "-c", key, "{}"),), absent=_without(key, r"^AC Power:$")
    )


def _guest(_: str) -> Setting:
    return Setting("", (DEFAULTS, "read", _WINDOW, "GuestEnabled"), r"^([01])$", ("0", None),
                   ((_SYSADMIN, "-guestAccount", "{}"),), _ON_OFF, absent=_NEVER_SET)  # fmt: skip


def _autologin(_: str) -> Setting:
    form = r"[Aa]utomatic login (user)\b|[Aa]utomatic login is (OFF)\b|[Aa]utomatic login (?:is )?(disabled) because\b"
    return Setting(
        "", (_SYSADMIN, "-autologin", "status"), form, ("OFF", "disabled"),
        ((_SYSADMIN, "-autologin", "{}"), ("/bin/rm", "-f", "/etc/kcpassword")), {"OFF": "off"},
        stays="automatic login stays off: it needs the password, which hostkit does not keep; System Settings > Users",
    )  # fmt: skip


def _unlocking(_: str) -> Setting:
    return _switch((DEFAULTS,), _WINDOW, "DisableFDEAutoLogin", ("1",))


def _switch(tool: Command, domain: str, key: str, wanted: tuple[str | None, ...], after: Command = ()) -> Setting:
    """Return a preference that is 0 or 1, of this Mac or of a person; `after` is run once it is written."""
    more = (after,) if after else ()
    write = ((*tool, "write", domain, key, "-bool", "{}"), *more)
    return Setting("", (*tool, "read", domain, key), r"^([01])$", wanted, write, {"1": "true", "0": "false"},
                   absent=_NEVER_SET, unset=((*tool, "delete", domain, key), *more))  # fmt: skip


def _as(person: str, *words: str) -> Command:
    return ("/usr/bin/sudo", "-n", "-u", person, *words)


def _of_this_mac(person: str) -> Command:
    return _as(person, DEFAULTS, "-currentHost")


def _airdrop(person: str) -> Setting:
    tool, where = _as(person, DEFAULTS), ("com.apple.sharingd", "DiscoverableMode")
    write, unset = (*tool, "write", *where, "-string", "{}"), (*tool, "delete", *where)
    form = r"^(Off|Contacts Only|Everyone)$"
    return Setting("", (*tool, "read", *where), form, ("Off",), (write,), absent=_NEVER_SET, unset=(unset,))


def _airplay(person: str) -> Setting:
    # It reads the key when it starts, and launchd starts it; of somebody who is not logged in there is none.
    again = _as(person, "/bin/sh", "-c", "/usr/bin/killall ControlCenter || :")
    return _switch(_of_this_mac(person), "com.apple.controlcenter", "AirplayRecieverEnabled", ("0",), again)


def _bluetooth(person: str) -> Setting:
    return _switch(_of_this_mac(person), "com.apple.Bluetooth", "PrefKeyServicesEnabled", ("0",))


def _media(which: str) -> Callable[[str], Setting]:
    return lambda person: _switch(
        _as(person, DEFAULTS), "com.apple.amp.mediasharingd", f"{which}-sharing-enabled", ("0",)
    )


_SIGNED = r"^Automatically allow {} signed software (ENABLED|DISABLED)\.\s*$"
_STEALTH = r"^(?:Firewall stealth mode is|Stealth mode) (on|off|enabled|disabled)\s*$"
_KINDS: Mapping[str, Callable[[str], Setting]] = {
    "firewall": _firewall("globalstate", r"\(State = ([0-2])\)$", "1", "2", words={"0": "off", "1": "on", "2": "on"}),
    "stealth": _firewall("stealthmode", _STEALTH, "on", "enabled", words={**_ON_OFF, "on": "on", "off": "off"}),
    "built-in": _firewall("allowsigned", _SIGNED.format("built-in"), "DISABLED"),
    "downloaded": _firewall("allowsignedapp", _SIGNED.format("downloaded"), "DISABLED"),
    "program": _program,
    "let-in": _let_in,
    "service": _service,
    "loaded": _loaded,
    "management": _management,
    "smb-guests": _guests,
    "nfs": _nfs,
    "internet": _internet,
    "printers": _printers,
    "cache": _cache,
    "update": _update,
    "schedule": _schedule,
    "power": _power,
    "guest": _guest,
    "autologin": _autologin,
    "unlocking": _unlocking,
    "airdrop": _airdrop,
    "airplay": _airplay,
    "bluetooth": _bluetooth,
    "media-home": _media("home"),
    "media-public": _media("public"),
}
_OF_ONE = frozenset(
    {"program", "let-in", "service", "loaded", "printers", "update", "power"}
    | {"airdrop", "airplay", "bluetooth", "media-home", "media-public"}
)
