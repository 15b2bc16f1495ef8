import pytest

from hostkit.host import Process, Said
from hostkit.posture import mac as tools
from hostkit.posture.checks import sharing as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import DISABLED, NETSTAT, absent, erred, gone, held, mac, recorded, wired

P = make_policy()
MANAGED = make_policy({"management": ["en0"]})
HARDENED = recorded("launchctl-print-disabled-hardened.txt")
SHARING = recorded("launchctl-print-disabled-sharing-on.txt")
QUIET = wired(without=(22,))


def service(label, job=None, overrides=HARDENED, sockets=QUIET, more=None, **root):
    printed = {("/bin/launchctl", "print", f"system/{label}"): job or gone(label)}
    return mac({DISABLED: overrides, NETSTAT: sockets, **printed, **(more or {})}, **root)


def every_signal(check, label, port, **more):
    """Return a case for each sign that a service is on, and for each that could not be read."""
    on = HARDENED.replace(f'"{label}" => disabled', f'"{label}" => enabled')
    return [
        (check, service(label, **more), P, "ok", "nobody listens"),
        (check, service(label, held(label), **more), P, "fail", f"{label} is loaded"),
        (check, service(label, overrides=on, **more), P, "fail", f"{label} is enabled"),
        (check, service(label, sockets=wired(port), **more), P, "fail", f"*:{port} listens"),
        (check, service(label, Said(0), **more), P, "unknown", f"nothing that is known of {label}"),
        (check, service(label, overrides="disabled services = {\n}\n", **more), P, "unknown", "nothing that is known"),
        (check, service(label, overrides=HARDENED.replace("=> disabled", "=> true"), **more), P, "unknown", "known"),
        (check, service(label, sockets="", **more), P, "unknown", "netstat said nothing"),
        (check, service(label, sockets=QUIET.replace(" LISTEN ", " LISTN "), **more), P, "unknown", "LISTN"),
    ]


MDM = ("/usr/libexec/mdmclient", "QuerySecurityInfo")
ON = recorded("mdm-securityinfo-rd-on.txt")
OFF = ON.replace("RemoteDesktopEnabled = 1", "RemoteDesktopEnabled = 0")
SETUP = {subject._REMOTE: ""}
ARD = Process(9, 1, "ARDAgent", ("ARDAgent",), 501)
EVENTS = ("/usr/sbin/systemsetup", "-getremoteappleevents")
AE = "com.apple.AEServer"
LOGIN = ("/usr/sbin/systemsetup", "-getremotelogin")
LOGIN_ON, LOGIN_OFF = ({LOGIN: recorded(f"systemsetup-remotelogin-{word}.txt")} for word in ("on", "off"))
LOGIN_MUTE = {LOGIN: recorded("systemsetup-noroot.txt")}
GUEST = ("/usr/sbin/sysadminctl", "-smbGuestAccess", "status")
NFS = ("/sbin/nfsd", "status")
NFS_OFF = Said(1, "nfsd service is disabled\nnfsd is not running\n")
NAT = ("/usr/bin/defaults", "read", subject._NAT, "NAT")
SHARED = "{\n    AirPort =     {\n        Enabled = 0;\n    };\n    Enabled = 1;\n    PrimaryInterface = en0;\n}\n"
CUPS, CACHE = ("/usr/sbin/cupsctl",), ("/usr/bin/AssetCacheManagerUtil", "status")
CACHED = recorded("contentcache-off.txt")


def managed(said=OFF, processes=(), **more):
    return mac({MDM: said}, processes=processes, **more)


def nfs(said=NFS_OFF, sockets=QUIET, **files):
    return mac({NFS: said, NETSTAT: sockets}, files=files.get("files"))


def printers(said="cupsctl-share-off.line", sockets=QUIET):
    return mac({CUPS: recorded(said), NETSTAT: sockets})


CASES = [
    *every_signal(subject.screen_is_not_shared, "com.apple.screensharing", 5900),
    *every_signal(subject.no_files_are_shared, "com.apple.smbd", 445),
    *every_signal(subject.no_apple_events_from_elsewhere, AE, 3031, more={EVENTS: recorded("systemsetup-rae-off.txt")}),
    *every_signal(subject.remote_login_is_as_the_policy_says, "com.openssh.sshd", 22, more=LOGIN_OFF),
    (
        subject.remote_login_is_as_the_policy_says,
        service("com.openssh.sshd", more=LOGIN_ON),
        P,
        "fail",
        "says it is on",
    ),
    (subject.remote_login_is_as_the_policy_says, service("com.openssh.sshd", more=LOGIN_ON), MANAGED, "ok", "nobody"),
    (
        subject.remote_login_is_as_the_policy_says,
        service("com.openssh.sshd", more=LOGIN_MUTE),
        P,
        "unknown",
        "administrator",
    ),
    (subject.remote_login_is_as_the_policy_says, service("com.openssh.sshd", root=False), P, "unknown", "without root"),
    (subject.no_files_are_shared, service("com.apple.smbd", overrides=SHARING), P, "fail", "com.apple.smbd is enabled"),
    (
        subject.remote_login_is_as_the_policy_says,
        service("com.openssh.sshd", recorded("launchctl-print-sshd-on.txt"), SHARING, wired()),
        P,
        "fail",
        "com.openssh.sshd is enabled, com.openssh.sshd is loaded, *:22 listens",
    ),
    (
        subject.remote_login_is_as_the_policy_says,
        service("com.openssh.sshd", recorded("launchctl-print-sshd-on.txt"), SHARING, wired()),
        MANAGED,
        "ok",
        "over en0",
    ),
    (
        subject.no_apple_events_from_elsewhere,
        service(AE, more={EVENTS: recorded("systemsetup-rae-on.txt")}),
        P,
        "fail",
        "the system says",
    ),
    (
        subject.no_apple_events_from_elsewhere,
        service(AE, more={EVENTS: recorded("systemsetup-noroot.txt")}),
        P,
        "unknown",
        "administrator access",
    ),
    (subject.no_apple_events_from_elsewhere, service(AE, root=False), P, "unknown", "without root"),
    (subject.remote_management_is_off, managed(), P, "ok", "not set up"),
    (subject.remote_management_is_off, managed(ON), P, "fail", "RemoteDesktopEnabled"),
    (subject.remote_management_is_off, managed(processes=(ARD,)), P, "fail", "ARDAgent runs"),
    (subject.remote_management_is_off, managed(files=SETUP, root=False), P, "fail", "is there"),
    (subject.remote_management_is_off, managed(root=False), P, "unknown", "without root"),
    (subject.remote_management_is_off, managed("Daemon response: {\n}\n"), P, "unknown", "mdmclient said nothing"),
    (subject.guests_open_no_shares, mac({GUEST: recorded("smb-guest-off.line")}), P, "ok", "disabled"),
    (subject.guests_open_no_shares, mac({GUEST: Said(0, err="SMB guest access enabled.\n")}), P, "fail", "enabled"),
    (subject.guests_open_no_shares, mac({GUEST: ""}), P, "unknown", "nothing that is known"),
    (subject.guests_open_no_shares, mac({GUEST: "SMB guest access unchanged\n"}), P, "unknown", "unchanged"),
    (subject.no_nfs_server, nfs(), P, "ok", "nobody listens"),
    (
        subject.no_nfs_server,
        nfs("nfsd service is enabled\nnfsd is running (pid 812, 8 threads)\n"),
        P,
        "fail",
        "enabled",
    ),
    (subject.no_nfs_server, nfs(sockets=wired(2049)), P, "fail", "port 2049 listens"),
    (subject.no_nfs_server, nfs(files={"/etc/exports": ""}), P, "fail", "/etc/exports is there"),
    (subject.no_nfs_server, nfs(""), P, "unknown", "nothing that is known"),
    (subject.internet_is_not_shared, mac({NAT: absent(subject._NAT, "NAT")}), P, "ok", "never set up"),
    (subject.internet_is_not_shared, mac({NAT: SHARED.replace("= 1", "= 0")}), P, "ok", "disabled"),
    (subject.internet_is_not_shared, mac({NAT: SHARED}), P, "fail", "enabled"),
    (subject.internet_is_not_shared, mac({NAT: "{\n}\n"}), P, "unknown", "form that is not known"),
    (subject.internet_is_not_shared, mac({NAT: Said(1, err="Rosetta says no\n")}), P, "unknown", "Rosetta says no"),
    (subject.no_printers_are_shared, printers(), P, "ok", "nobody listens"),
    (subject.no_printers_are_shared, printers("cupsctl-share-on.line"), P, "fail", "share_printers is on"),
    (subject.no_printers_are_shared, printers(sockets=wired(631)), P, "fail", "port 631 listens"),
    (subject.no_printers_are_shared, mac({CUPS: ""}), P, "unknown", "cupsctl said nothing"),
    (subject.no_content_is_cached_for_others, mac({CACHE: Said(0, err=CACHED)}), P, "ok", "not activated"),
    (
        subject.no_content_is_cached_for_others,
        mac({CACHE: Said(0, err=CACHED.replace("Activated: false", "Activated: true"))}),
        P,
        "fail",
        "activated",
    ),
    (subject.no_content_is_cached_for_others, mac({CACHE: erred("systemsetup-noroot.txt")}), P, "unknown", "known"),
]


def test_what_listens_on_loopback_only_is_offered_to_nobody():
    places = ("tcp4 0 0 127.0.0.1", "tcp6 0 0 ::1", "tcp6 0 0 fe80::1%lo0")
    rows = "".join(f"{place}.5900 *.* LISTEN 0 0\n" for place in places)
    assert 5900 not in tools.open_ports(mac({NETSTAT: recorded("netstat-26-tcp.txt") + rows}))


def test_a_socket_that_only_carries_a_connection_does_not_listen():
    assert set(tools.open_ports(mac({NETSTAT: wired()}))) == {38123, 56966, 22}


@pytest.mark.parametrize("row", ["tcp4 0 0 *.http *.* LISTEN\n", "tcp4 0 0\n"])
def test_a_socket_in_a_form_that_is_not_known_hides_all(row):
    with pytest.raises(tools.CannotTell, match="form that is not known"):
        tools.open_ports(mac({NETSTAT: wired() + row}))
