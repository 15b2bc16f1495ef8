"""What a Mac offers to whoever is near: set by each person for himself, so each one's settings are read."""

from collections.abc import Callable

from hostkit.errors import CannotTell
from hostkit.host import Host
from hostkit.policy import Policy
from hostkit.posture.mac import brief, check, known, need_root, open_ports, persons, printed, setting, switch
from hostkit.posture.model import Verdict, every


def _each(host: Host, ask: Callable[[str], str]) -> list[str]:
    """Return each person's fault, named; read as root a person's settings would be root's, so each is asked for."""
    need_root(host, "each person's own settings")
    return [f"{name}: {fault}" for name in persons(host) if (fault := ask(name))]


def _switched(host: Host, domain: str, key: str, person: str, *, by_host: bool = False) -> bool:
    """Return a switch of a person's; what was never set goes by a default that the release decides."""
    told = switch(host, domain, key, person, by_host=by_host)
    if told is None:
        raise CannotTell(f"{person} has never set {key}, and what holds then is not known")
    return told


@check(
    "nearby-airdrop",
    severity="medium",
    why="By AirDrop a file comes in from whoever stands in the corridor.",
    fix="hostkit bootstrap (play 35-nearby); by hand: "
    "as that person: defaults write com.apple.sharingd DiscoverableMode -string Off.",
    play="35-nearby",
    references=("mSCP os_airdrop_disable", "NIST SP 800-53 CM-7"),
)
def airdrop_takes_nothing(host: Host, policy: Policy) -> Verdict:
    """AirDrop is off for every person here; at solo it may take from their contacts."""
    fine = {"Off", "Contacts Only"} if policy.host.profile == "solo" else {"Off"}

    def fault(person: str) -> str:
        mode = setting(host, "com.apple.sharingd", "DiscoverableMode", person)
        if mode not in {"Off", "Contacts Only", "Everyone"}:
            raise CannotTell(f"AirDrop of {person} is set to {brief(mode or '')}")
        return "" if mode in fine else f"AirDrop takes from {mode.lower()}"

    return every(_each(host, fault), "off")


@check(
    "nearby-airplay",
    severity="medium",
    why="The AirPlay receiver is on by default, and listens to the whole network.",
    fix="hostkit bootstrap (play 35-nearby); by hand: "
    "as that person: defaults -currentHost write com.apple.controlcenter AirplayRecieverEnabled -bool false; "
    "killall ControlCenter.",
    play="35-nearby",
    references=("mSCP system_settings_airplay_receiver_disable", "NIST SP 800-53 CM-7"),
)
def nothing_is_played_here(host: Host, policy: Policy) -> Verdict:
    """The AirPlay receiver is off for every person here, and nobody listens on its port."""
    domain, key = "com.apple.controlcenter", "AirplayRecieverEnabled"  # Apple's spelling

    def fault(person: str) -> str:
        told = switch(host, domain, key, person, by_host=True)
        return {None: "the receiver is on by default", True: "the receiver is on", False: ""}[told]

    listening = ["port 7000 listens"] if 7000 in open_ports(host) else []
    return every(listening + _each(host, fault), "off, and nobody listens")


@check(
    "nearby-bluetooth",
    severity="medium",
    why="Bluetooth sharing hands out files without any network at all.",
    fix="hostkit bootstrap (play 35-nearby); by hand: "
    "as that person: defaults -currentHost write com.apple.Bluetooth PrefKeyServicesEnabled -bool false; log out.",
    play="35-nearby",
    references=("mSCP system_settings_bluetooth_sharing_disable", "NIST SP 800-53 CM-7"),
)
def bluetooth_shares_nothing(host: Host, policy: Policy) -> Verdict:
    """Bluetooth sharing is off for every person here, and no stranger finds this Mac over Bluetooth."""

    def fault(person: str) -> str:
        told = _switched(host, "com.apple.Bluetooth", "PrefKeyServicesEnabled", person, by_host=True)
        return "Bluetooth sharing is on" if told else ""

    said = printed(host, "/usr/sbin/system_profiler", "SPBluetoothDataType")
    found = known("system_profiler", said, r"^\s+Discoverable: (On|Off)$").group(1) == "On"
    return every((["this Mac is discoverable"] if found else []) + _each(host, fault), "off")


@check(
    "nearby-media",
    severity="low",
    why="Media sharing opens a person's library to the network.",
    fix="hostkit bootstrap (play 35-nearby); by hand: "
    "as that person: defaults write com.apple.amp.mediasharingd home-sharing-enabled -bool false; same for "
    "public-sharing-enabled.",
    play="35-nearby",
    references=("mSCP system_settings_media_sharing_disabled", "NIST SP 800-53 CM-7"),
)
def no_media_are_shared(host: Host, policy: Policy) -> Verdict:
    """Media sharing is off for every person here, at home and in public, and nobody listens on its port."""

    def fault(person: str) -> str:
        keys = ("home-sharing-enabled", "public-sharing-enabled")
        on = [key for key in keys if _switched(host, "com.apple.amp.mediasharingd", key, person)]
        return f"{' and '.join(on)} set" if on else ""

    listening = ["port 3689 listens"] if 3689 in open_ports(host) else []
    return every(listening + _each(host, fault), "off, and nobody listens")
