"""What is said to ssh and to the far shell: pure, and nothing of it is parsed twice."""

import shlex
from pathlib import Path

from hostkit.fleet.inventory import Target

CONNECT_SECONDS = 10
_OPTIONS = {
    "BatchMode": "yes",  # nobody is asked for a password or a host key: that host is unknown, and told
    "ClearAllForwardings": "yes",  # the host that is asked may be in wrong hands: it gets nothing of this computer
    "ConnectTimeout": str(CONNECT_SECONDS),
    "ControlMaster": "no",  # a fence is confirmed over a connection of its own, never over one that was there before it
    "ControlPath": "none",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "PermitLocalCommand": "no",
    "ServerAliveCountMax": "4",
    "ServerAliveInterval": "5",
}
_AS_ROOT = 'run=; [ "$(id -u)" = 0 ] || run="sudo -n --"; exec $run "$@"'
_FROM_HERE = ' --confirm-from "${SSH_CONNECTION%% *}"'


def ssh(target: Target, remote: str) -> list[str]:
    """Return the command that runs one line of shell on a host, over a connection of its own."""
    words = ["ssh", "-T", *(("-F", _home(target.ssh_config)) if target.ssh_config else ())]
    words += [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
    words += ["-o", "IdentitiesOnly=yes", "-i", _home(target.key)] if target.key else []
    words += ["-p", str(target.port)] if target.port else []
    words += ["-l", target.user] if target.user else []
    return [*words, "--", target.address, remote]


def check(target: Target) -> str:
    """Return the line that has a host check itself; the scan, which may take a quarter of an hour, is its timer's."""
    return _as_root(_AS_ROOT, target, "check", "--json", "--skip", "scans")


def bootstrap(target: Target, options: tuple[str, ...], *, dry: bool) -> str:
    """Return the line that hardens a host; only whoever comes from where this connection comes from may confirm."""
    if dry:
        return _as_root(_AS_ROOT, target, "bootstrap", "--check", *options)
    return _as_root(_AS_ROOT + _FROM_HERE, target, "bootstrap", *options)


def confirm(target: Target) -> str:
    """Return the line that keeps a host's fence."""
    return _as_root(_AS_ROOT, target, "bootstrap", "--confirm")


def _as_root(script: str, target: Target, *words: str) -> str:
    policy = ("--policy", target.policy) if target.policy else ()
    return shlex.join(["sh", "-c", script, "hostkit-fleet", "hostkit", *policy, *words])


def _home(place: str) -> str:
    return str(Path(place).expanduser())
