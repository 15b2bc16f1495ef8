"""What launchd is given: the jobs of hostkit on a Mac, as property lists. Pure."""

import plistlib
from collections.abc import Mapping
from typing import Any

from hostkit.policy import Policy

PF = "org.hostkit.pf"
CHECK = "org.hostkit.check"
VM = "org.hostkit.vm"
PROGRAM = "/Library/PrivilegedHelperTools/org.hostkit.pf"
STATE = "/var/lib/hostkit"
_MINUTE = 60
_SYSTEM = "/usr/bin:/bin:/usr/sbin:/sbin"


_COLIMA = ("--save-config=false", "--mount=none", "--port-forwarder=none")
"""What a Colima before 0.10 refuses, so that it does not start: there, no mount at all was not to be had."""


def jobs(policy: Policy, hostkit: str, home: str, colima: str) -> dict[str, dict[str, str]]:
    """Return each job's label and property list; `hostkit` and `colima` are programs' paths, `home` the account's."""
    return {
        "pf": _job(PF, _pf()),
        "check": _job(CHECK, _check(policy, hostkit)),
        "vm": _job(VM, _vm(policy, home, colima)),
    }


def _job(label: str, plain: Mapping[str, Any]) -> dict[str, str]:
    return {"label": label, "plist": plistlib.dumps({"Label": label, **plain}).decode()}


def _pf() -> dict[str, Any]:
    return {
        "ProgramArguments": [PROGRAM, "assert"],
        "RunAtLoad": True,
        "StartInterval": _MINUTE,
        "WatchPaths": ["/etc/pf.conf"],
    }


def _check(policy: Policy, hostkit: str) -> dict[str, Any]:
    """Return the daily check: the last result stays until the next one is whole, as on Linux."""
    new, kept = f"{STATE}/check.json.new", f"{STATE}/check.json"
    lines = f'"$0" --policy "$1" check --json --patience 60 >{new}; told=$?; mv -f {new} {kept}; exit $told'
    return {
        "ProgramArguments": ["/bin/sh", "-c", lines, hostkit, policy.path],
        "EnvironmentVariables": {"PATH": _SYSTEM},
        "RunAtLoad": True,
        "StartCalendarInterval": {"Hour": 3, "Minute": 30},
        "Umask": 0o077,
        "LowPriorityIO": True,
        "Nice": 5,
    }


def _vm(policy: Policy, home: str, colima: str) -> dict[str, Any]:
    """Return the VM's job: no login, no session of a person's, and none of their settings.

    Colima writes its settings anew when it starts, unless it is told not to.
    """
    return {
        "ProgramArguments": [colima, "start", "--foreground", *_COLIMA],
        "UserName": policy.host.account,
        "GroupName": policy.host.account,
        "WorkingDirectory": home,
        "EnvironmentVariables": {"HOME": home, "PATH": f"{colima.rpartition('/')[0]}:{_SYSTEM}", "LC_ALL": "C"},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": _MINUTE,
        "ExitTimeOut": 2 * _MINUTE,
        "StandardErrorPath": f"{home}/.colima/colima.log",
        "Umask": 0o077,
    }
