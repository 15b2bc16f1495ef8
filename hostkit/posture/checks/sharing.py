"""What a Mac offers to others on the network: each service by what launchd was told, what it holds, and who listens."""

import re

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, heard, need_root, open_ports, pairs, printed, service_faults, setting
from hostkit.posture.model import Command, Verdict, every, fail, ok
from hostkit.posture.readings import processes

_CUPSCTL = "/usr/sbin/cupsctl"
_CACHE = "/usr/bin/AssetCacheManagerUtil"
_OFF = "closed, not loaded, and nobody listens"


@check(
    "sharing-screen",
    severity="high",
    why="Whoever sees the screen sees what the agent and its owner do, and may type.",
    fix="hostkit bootstrap (play 30-sharing); by hand: "
    "sudo launchctl disable system/com.apple.screensharing; sudo launchctl bootout the same.",
    play="30-sharing",
    references=("mSCP system_settings_screen_sharing_disable", "NIST SP 800-53 AC-17"),
)
def screen_is_not_shared(host: Host, policy: Policy) -> Verdict:
    """Screen sharing is off: launchd neither may start it nor holds it, and nobody listens on its port."""
    return every(service_faults(host, "com.apple.screensharing", 5900), _OFF)


_REMOTE = "/Library/Application Support/Apple/Remote Desktop/RemoteManagement.launchd"


@check(
    "sharing-management",
    severity="high",
    why="Apple Remote Desktop runs commands as root for whoever has its password.",
    fix="hostkit bootstrap (play 30-sharing); by hand: "
    "sudo kickstart -deactivate -stop, in RemoteManagement/ARDAgent.app/Contents/Resources of CoreServices.",
    play="30-sharing",
    references=("mSCP system_settings_remote_management_disable", "NIST SP 800-53 AC-17"),
)
def remote_management_is_off(host: Host, policy: Policy) -> Verdict:
    """Remote Management (Apple Remote Desktop) is off: not set up, no agent of it runs, and the system says so."""
    if host.stat(_REMOTE):
        return fail(f"{_REMOTE} is there")
    need_root(host, "whether Remote Management is on")
    running = [entry for entry in processes(host) if entry.name == "ARDAgent"]
    told = heard(host, "/usr/libexec/mdmclient", "QuerySecurityInfo", form=r"^\s*RemoteDesktopEnabled = ([01]);$")
    faults = ["ARDAgent runs"] if running else []
    return every(faults + (["RemoteDesktopEnabled"] if told == "1" else []), "not set up, and no agent of it runs")


@check(
    "sharing-login",
    severity="high",
    why="A way to log in that the policy does not name is one that nobody watches.",
    fix="hostkit bootstrap (play 30-sharing); by hand: "
    "sudo launchctl disable system/com.openssh.sshd && sudo launchctl bootout system/com.openssh.sshd; or name the "
    "interface that you manage this Mac over under host.management.",
    play="30-sharing",
    references=("mSCP system_settings_ssh_disable", "NIST SP 800-53 AC-17"),
)
def remote_login_is_as_the_policy_says(host: Host, policy: Policy) -> Verdict:
    """Remote Login (SSH) is off, or the policy names the interface that this Mac is managed over."""
    faults = service_faults(host, "com.openssh.sshd", 22)
    if faults and policy.host.management:
        return ok(f"on, for management over {', '.join(policy.host.management)}")
    if faults:
        return every(faults, "")
    need_root(host, "the system's setting of Remote Login")
    word = heard(host, "/usr/sbin/systemsetup", "-getremotelogin", form=r"^Remote Login: (On|Off)$")
    return fail("the system says it is on") if word == "On" and not policy.host.management else ok(_OFF)


@check(
    "sharing-events",
    severity="medium",
    why="Remote Apple Events let another machine command the programs here.",
    fix="hostkit bootstrap (play 30-sharing); by hand: "
    "sudo launchctl disable system/com.apple.AEServer && sudo launchctl bootout system/com.apple.AEServer.",
    play="30-sharing",
    references=("mSCP system_settings_rae_disable", "NIST SP 800-53 AC-17"),
)
def no_apple_events_from_elsewhere(host: Host, policy: Policy) -> Verdict:
    """Remote Apple Events are off, by launchd, by the port and by the system's own setting."""
    faults = service_faults(host, "com.apple.AEServer", 3031)
    if faults:
        return every(faults, "")
    need_root(host, "the system's setting of Remote Apple Events")
    form = r"^Remote Apple Events: (On|Off)$"
    word = heard(host, "/usr/sbin/systemsetup", "-getremoteappleevents", form=form)
    return fail("the system says they are on") if word == "On" else ok(_OFF)


@check(
    "sharing-files",
    severity="high",
    why="A file server hands this machine's files, the clients' among them, to whoever asks on the network.",
    fix="hostkit bootstrap (play 30-sharing); by hand: "
    "sudo launchctl disable system/com.apple.smbd && sudo launchctl bootout system/com.apple.smbd; then sharing -l "
    "names the share points, and sharing -r takes one away.",
    play="30-sharing",
    references=("mSCP system_settings_smbd_disable", "NIST SP 800-53 CM-7"),
)
def no_files_are_shared(host: Host, policy: Policy) -> Verdict:
    """File sharing (SMB) is off: launchd neither may start it nor holds it, and nobody listens on its ports."""
    return every(service_faults(host, "com.apple.smbd", 445, 139), _OFF)


@check(
    "sharing-guests",
    severity="medium",
    why="A share that a guest may open has no owner to blame; the next one who turns sharing on does not think of it.",
    fix="hostkit bootstrap (play 30-sharing); by hand: sudo sysadminctl -smbGuestAccess off.",
    play="30-sharing",
    references=("mSCP system_settings_guest_access_smb_disable", "NIST SP 800-53 AC-3"),
)
def guests_open_no_shares(host: Host, policy: Policy) -> Verdict:
    """Guests may not open shared folders."""
    word = heard(host, "/usr/sbin/sysadminctl", "-smbGuestAccess", "status", form=r"SMB guest access (\w+)\.?$")
    if word not in {"enabled", "disabled"}:
        raise CannotTell(f"SMB guest access is said to be {brief(word)}")
    return fail("guest access is enabled") if word == "enabled" else ok("guest access is disabled")


@check(
    "sharing-nfs",
    severity="high",
    why="NFS believes the uid that a client claims.",
    fix="hostkit bootstrap (play 30-sharing); by hand: sudo nfsd disable, and remove /etc/exports.",
    play="30-sharing",
    references=("mSCP os_nfsd_disable", "NIST SP 800-53 AC-3"),
)
def no_nfs_server(host: Host, policy: Policy) -> Verdict:
    """The NFS server is off: it may not start, nobody listens on its port, and nothing is exported."""
    word = heard(host, "/sbin/nfsd", "status", form=r"^nfsd service is (enabled|disabled)$")
    faults = ["nfsd is enabled"] if word == "enabled" else []
    faults += ["port 2049 listens"] if 2049 in open_ports(host) else []
    return every(faults + (["/etc/exports is there"] if host.stat("/etc/exports") else []), _OFF)


_NAT = "/Library/Preferences/SystemConfiguration/com.apple.nat"


@check(
    "sharing-internet",
    severity="high",
    why="A Mac that shares its way out routes for machines that no policy knows.",
    fix="hostkit bootstrap (play 30-sharing); by hand: System Settings > General > Sharing > Internet Sharing: off.",
    play="30-sharing",
    references=("mSCP system_settings_internet_sharing_disable", "NIST SP 800-53 SC-7"),
)
def internet_is_not_shared(host: Host, policy: Policy) -> Verdict:
    """Internet Sharing is off. What vmnet starts for its virtual machines is not meant: nobody else comes in by it."""
    told = setting(host, _NAT, "NAT")
    if told is None:
        return ok("never set up")
    # Only the outer one counts: each kind of interface has an Enabled of its own, further in.
    outer = re.findall(r"^ {4}Enabled = ([01]);$", told, re.MULTILINE)
    if len(outer) != 1:
        raise CannotTell(f"Internet Sharing is set up in a form that is not known: {brief(told)}")
    return fail("enabled") if outer == ["1"] else ok("set up, and disabled")


def _keep_printers(host: Host, policy: Policy) -> tuple[Command, ...]:
    return ((_CUPSCTL, "--no-share-printers", "--no-remote-admin", "--no-remote-any"),)


@check(
    "sharing-printers",
    severity="low",
    why="The print server is a large old program, and this host prints nothing.",
    fix="hostkit bootstrap (play 30-sharing); by hand: cupsctl --no-share-printers --no-remote-admin --no-remote-any.",
    play="30-sharing",
    mend=_keep_printers,
    references=("mSCP system_settings_printer_sharing_disable", "NIST SP 800-53 CM-7"),
)
def no_printers_are_shared(host: Host, policy: Policy) -> Verdict:
    """No printer is shared, and the print server is not on the network."""
    said = printed(host, _CUPSCTL)
    told = pairs("cupsctl", said, r"^_(share_printers|remote_admin|remote_any)=([01])$")
    if "share_printers" not in told:
        raise CannotTell(f"cupsctl said nothing that is known: {brief(said)}")
    faults = [f"{name} is on" for name, value in told.items() if value == "1"]
    return every(faults + (["port 631 listens"] if 631 in open_ports(host) else []), "not shared, and nobody listens")


def _end_cache(host: Host, policy: Policy) -> tuple[Command, ...]:
    return ((_CACHE, "deactivate"),)


@check(
    "sharing-cache",
    severity="low",
    why="A content cache serves strangers on the network and keeps what an iCloud account stores.",
    fix="hostkit bootstrap (play 30-sharing); by hand: sudo AssetCacheManagerUtil deactivate.",
    play="30-sharing",
    mend=_end_cache,
    references=("mSCP system_settings_content_caching_disable", "NIST SP 800-53 CM-7"),
)
def no_content_is_cached_for_others(host: Host, policy: Policy) -> Verdict:
    """Content caching is off."""
    word = heard(host, _CACHE, "status", form=r"^\s*Activated: (true|false)$")
    return fail("activated") if word == "true" else ok("not activated")
