"""The kernel's settings that an agent's host wants, as data: the play writes them, the check reads them back. Pure."""

from collections.abc import Iterable, Mapping

SETTINGS: Mapping[str, str] = {
    "dev.tty.ldisc_autoload": "0",
    "fs.protected_fifos": "2",
    "fs.protected_hardlinks": "1",
    "fs.protected_regular": "2",
    "fs.protected_symlinks": "1",
    "fs.suid_dumpable": "0",
    "kernel.core_pattern": "|/bin/false",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    "kernel.perf_event_paranoid": "3",
    "kernel.randomize_va_space": "2",
    "kernel.unprivileged_bpf_disabled": "2",
    "kernel.yama.ptrace_scope": "1",
    "net.core.bpf_jit_harden": "2",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.conf.all.rp_filter": "2",
    "net.ipv4.conf.all.secure_redirects": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.default.accept_source_route": "0",
    "net.ipv4.conf.default.secure_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv6.conf.all.accept_source_route": "0",
    "net.ipv6.conf.default.accept_redirects": "0",
    "net.ipv6.conf.default.accept_source_route": "0",
}
"""From CIS Debian 12 (1.5, 3.3) and Lynis' KRNL-6000, less what breaks containers or this host: ip_forward is the
engine's, user namespaces may be wanted by a rootless one, and modules_disabled keeps nftables from loading
(facts/controls.md, B.1). `unprivileged_bpf_disabled` is 2 and not 1, which no --undo could take back; rp_filter is 2,
as newer Debians have it, and not 1, which drops what a machine with two ways out is sent by the other one."""

OWN: Mapping[str, str] = {
    "net/ipv4/conf/{}/accept_redirects": "0",
    "net/ipv4/conf/{}/send_redirects": "0",
    "net/ipv6/conf/{}/accept_redirects": "0",
    "net/ipv6/conf/{}/accept_source_route": "0",
}
"""What each interface is asked for itself: `all` does not speak for it there, and `default` only for later ones."""

_TIGHTER = {"kernel.unprivileged_bpf_disabled": ("1",), "kernel.yama.ptrace_scope": ("2", "3"),
            "kernel.perf_event_paranoid": ("4",), "net.ipv4.conf.all.rp_filter": ("1",)}  # fmt: skip


def settings(*, in_container: bool) -> dict[str, str]:
    """Return the settings that are this machine's own: in a container the rest of the kernel is another machine's."""
    own = ("net.ipv4.", "net.ipv6.")
    return {name: value for name, value in SETTINGS.items() if not in_container or name.startswith(own)}


def own_settings(interfaces: Iterable[str]) -> dict[str, str]:
    """Return the settings of these interfaces, in sysctl's spelling with slashes: a name may have a dot in it."""
    return {name.format(one): value for one in interfaces for name, value in OWN.items()}


def path(name: str) -> str:
    """Return where a setting lies, such as /proc/sys/kernel/dmesg_restrict."""
    return "/proc/sys/" + (name if "/" in name else name.replace(".", "/"))


def good(name: str) -> tuple[str, ...]:
    """Return the live values that need no change: the wanted one, and those that forbid more."""
    return (SETTINGS.get(name, "0"), *_TIGHTER.get(name, ()))
