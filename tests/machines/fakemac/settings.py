"""The preferences, and the tools that hold one thing or two."""

import os
import pwd
import sys

from .core import ARD, PASSWORD, PORTS, End, is_root, logged, recorded


def defaults(state, words):
    who = pwd.getpwuid(os.geteuid()).pw_name
    if words[0] == "-currentHost":
        who, words = f"{who} current", words[1:]
    verb, domain, key, *rest = words
    if domain.startswith("/") and verb != "read" and not is_root():
        raise End(1, f"Could not write domain {domain}; exiting")
    settings = state["defaults"].get(who, {}).get(domain, {})
    if verb == "write":
        settings = state["defaults"].setdefault(who, {}).setdefault(domain, {})
    if verb == "write" and rest[0] == "-dict-add":
        settings.setdefault(key, {})[rest[1]] = int(rest[3])
    elif verb == "write":
        settings[key] = {"true": "1", "false": "0"}.get(rest[1], rest[1]) if rest[0] == "-bool" else rest[1]
    elif key not in settings:
        said = f"2026-06-26 10:00:00.000 defaults[1:2] \nThe domain/default pair of ({domain}, {key}) does not exist"
        raise End(1, said)
    elif verb == "delete":
        del settings[key]
        _tidy(state["defaults"], who, domain)
    else:
        print(_plain(settings[key]))
    if "com.apple.loginwindow" in domain and verb == "delete" and key == "autoLoginUser":
        PASSWORD.unlink(missing_ok=True)


def _tidy(preferences, who, domain):
    """Take away what is empty: a domain without a key is one that was never written."""
    if not preferences[who][domain]:
        del preferences[who][domain]
    if not preferences[who]:
        del preferences[who]


def _plain(value, pad=""):
    """Return a value as `defaults` prints it."""
    if value == []:
        return f"(\n{pad})"
    if not isinstance(value, dict):
        return str(value)
    lines = [f"{pad}    {key} = {_plain(inner, pad + '    ')};\n" for key, inner in value.items()]
    return "{\n" + "".join(lines) + f"{pad}}}"


def killall(state, words):
    if words != ["ControlCenter"]:
        raise End(1, f"No matching processes belonging to you were found: {words}")


def sysadminctl(state, words):
    match words:
        case ["-smbGuestAccess", "status"]:
            logged(f"SMB guest access {state['smb-guests']}.")
        case ["-smbGuestAccess", word]:
            state["smb-guests"] = "enabled" if word == "on" else "disabled"
        case ["-guestAccount", word]:
            window = state["defaults"]["root"]["/Library/Preferences/com.apple.loginwindow"]
            window["GuestEnabled"] = "1" if word == "on" else "0"
        case ["-autologin", "status"]:
            logged(f"Automatic login user: {state['autologin']}" if state["autologin"] else "Automatic login is OFF.")
        case ["-autologin", "off"]:
            state["autologin"] = ""
            state["defaults"]["root"]["/Library/Preferences/com.apple.loginwindow"].pop("autoLoginUser", None)
            PASSWORD.unlink(missing_ok=True)
        case ["-screenLock", "status"]:
            told = state["locks"].get(pwd.getpwuid(os.geteuid()).pw_name, "is off")
            logged(f"screenLock {told}" if told == "is off" else f"screenLock delay is {told}")
        case _:
            raise End(1, "sysadminctl: unknown option")


def softwareupdate(state, words):
    if len(words) == 2:
        state["schedule"] = words[1]
    print(f"Automatic checking for updates is turned {state['schedule']}")


def pmset(state, words):
    if words == ["-g", "custom"]:
        print("AC Power:\n Sleep On Power Button 1")
        for key, value in state["power"].items():
            print(f" {key:<20} {value}")
        return
    if not is_root():
        raise End(77, "'pmset' must be run as root...")
    for key, value in zip(words[1::2], words[2::2], strict=True):
        state["power"][key] = value


def profiles(state, words):
    print(recorded("profiles-enroll-yes.txt" if state["enrolled"] else "profiles-enroll-none.txt"), end="")


def mdmclient(state, words):
    on = ARD.exists() or "com.apple.screensharing" in state["jobs"]
    print(
        recorded("mdm-securityinfo-rd-on.txt").replace("RemoteDesktopEnabled = 1", f"RemoteDesktopEnabled = {int(on)}"),
        end="",
    )


def kickstart(state, words):
    if "-activate" in words:
        ARD.parent.mkdir(parents=True, exist_ok=True)
        ARD.write_text("enabled\n")
    elif "-deactivate" in words:
        ARD.unlink(missing_ok=True)
    print("Starting...\nDone.")


def systemsetup(state, words):
    if not is_root():
        raise End(0, recorded("systemsetup-noroot.txt"))
    if words == ["-getremotelogin"]:
        print(f"Remote Login: {'On' if 'com.openssh.sshd' in state['jobs'] else 'Off'}")
    elif words == ["-getremoteappleevents"]:
        print(f"Remote Apple Events: {'On' if 'com.apple.AEServer' in state['jobs'] else 'Off'}")
    else:
        raise End(0, recorded("systemsetup-remotelogin-nofda.stderr"))


def nfsd(state, words):
    if words[0] in {"enable", "disable"}:
        state["nfs"] = f"{words[0]}d"
    else:
        print(f"nfsd service is {state['nfs']}")


def cupsctl(state, words):
    for word in words:
        name = word.removeprefix("--").removeprefix("no-").replace("-", "_")
        state["cups"][name] = "0" if word.startswith("--no-") else "1"
    if not words:
        print("_debug_logging=0", *(f"_{name}={value}" for name, value in state["cups"].items()), sep="\n")


def AssetCacheManagerUtil(state, words):  # noqa: N802 - Apple's name
    if words == ["status"]:
        told = recorded("contentcache-off.txt").replace("Activated: false", f"Activated: {str(state['cache']).lower()}")
        print(told, end="", file=sys.stderr)
    else:
        state["cache"] = words == ["activate"]


def netstat(state, words):
    open_ports = [PORTS[label] for label in state["jobs"] if label in PORTS]
    open_ports += [2049] if state["nfs"] == "enabled" else []
    ann = state["defaults"].get("ann current", {}).get("com.apple.controlcenter", {})
    bo = state["defaults"].get("bo current", {}).get("com.apple.controlcenter", {})
    open_ports += [7000] if "0" not in (ann.get("AirplayRecieverEnabled"), bo.get("AirplayRecieverEnabled")) else []
    head, *rows = recorded("netstat-26-tcp.txt").splitlines()[1:]
    print("Active Internet connections (including servers)", head, sep="\n")
    example = next(row for row in rows if "launchd:1" in row)
    for port in open_ports:
        print(example.replace("*.22  ", f"*.{port:<4}"))
