from hostkit.posture.checks import nearby as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import ACCOUNTS, AS_ANN, AS_BO, NETSTAT, absent, erred, mac, recorded, wired

P = make_policy()
SOLO = make_policy({"profile": "solo"})
CURRENT = ("/usr/bin/defaults", "-currentHost", "read")
DROP = ("/usr/bin/defaults", "read", "com.apple.sharingd", "DiscoverableMode")
PLAY = (*CURRENT, "com.apple.controlcenter", "AirplayRecieverEnabled")
TEETH = (*CURRENT, "com.apple.Bluetooth", "PrefKeyServicesEnabled")
MEDIA = [
    ("/usr/bin/defaults", "read", "com.apple.amp.mediasharingd", f"{word}-sharing-enabled")
    for word in ("home", "public")
]


BLUE, RADIO = ("/usr/sbin/system_profiler", "SPBluetoothDataType"), recorded("bluetooth-on.txt")


def each(words, ann, bo, sockets=None, radio=RADIO, **more):
    listed = {NETSTAT: wired() if sockets is None else sockets, BLUE: radio}
    return mac({**ACCOUNTS, **listed, (*AS_ANN, *words): ann, (*AS_BO, *words): bo}, **more)


def media(home="0\n", public="0\n", sockets=None):
    told = {(*who, *words): said for who in (AS_ANN, AS_BO) for words, said in zip(MEDIA, (home, public), strict=True)}
    return mac({**ACCOUNTS, NETSTAT: sockets or wired(), **told})


OFF, EVERYONE, CONTACTS = (recorded(f"airdrop-{word}.txt") for word in ("off", "everyone", "contacts"))
UNSET = absent("com.apple.sharingd", "DiscoverableMode")
CASES = [
    (subject.airdrop_takes_nothing, each(DROP, OFF, OFF), P, "ok", "off"),
    (subject.airdrop_takes_nothing, each(DROP, OFF, EVERYONE), P, "fail", "bo: AirDrop takes from everyone"),
    (subject.airdrop_takes_nothing, each(DROP, CONTACTS, OFF), P, "fail", "ann: AirDrop takes from contacts only"),
    (subject.airdrop_takes_nothing, each(DROP, CONTACTS, OFF), SOLO, "ok", "off"),
    (subject.airdrop_takes_nothing, each(DROP, OFF, UNSET), P, "unknown", "AirDrop of bo is set to nothing"),
    (subject.airdrop_takes_nothing, each(DROP, OFF, "Niemand\n"), P, "unknown", "set to Niemand"),
    (subject.airdrop_takes_nothing, each(DROP, OFF, OFF, root=False), P, "unknown", "without root"),
    (subject.airdrop_takes_nothing, mac(dict.fromkeys(ACCOUNTS, "root 0\n")), P, "unknown", "0 accounts of persons"),
    (subject.nothing_is_played_here, each(PLAY, "0\n", "0\n"), P, "ok", "nobody listens"),
    (subject.nothing_is_played_here, each(PLAY, "0\n", "1\n"), P, "fail", "bo: the receiver is on"),
    (
        subject.nothing_is_played_here,
        each(PLAY, "0\n", absent("com.apple.controlcenter", "AirplayRecieverEnabled")),
        P,
        "fail",
        "bo: the receiver is on by default",
    ),
    (subject.nothing_is_played_here, each(PLAY, "0\n", "0\n", wired(7000)), P, "fail", "port 7000 listens"),
    (subject.nothing_is_played_here, each(PLAY, "0\n", "0\n", ""), P, "unknown", "netstat said nothing"),
    (subject.nothing_is_played_here, each(PLAY, "0\n", "nein\n"), P, "unknown", "neither 0 nor 1: nein"),
    (subject.bluetooth_shares_nothing, each(TEETH, "0\n", "0\n"), P, "ok", "off"),
    (
        subject.bluetooth_shares_nothing,
        each(TEETH, "0\n", "0\n", radio=RADIO.replace("Discoverable: Off", "Discoverable: On")),
        P,
        "fail",
        "this Mac is discoverable",
    ),
    (
        subject.bluetooth_shares_nothing,
        each(TEETH, "0\n", "0\n", radio="Bluetooth:\n"),
        P,
        "unknown",
        "system_profiler said",
    ),
    (subject.bluetooth_shares_nothing, each(TEETH, "1\n", "0\n"), P, "fail", "ann: Bluetooth sharing is on"),
    (
        subject.bluetooth_shares_nothing,
        each(TEETH, "0\n", absent("com.apple.Bluetooth", "PrefKeyServicesEnabled")),
        P,
        "unknown",
        "bo has never set PrefKeyServicesEnabled",
    ),
    (subject.bluetooth_shares_nothing, each(TEETH, "", "0\n"), P, "unknown", "nothing that is known"),
    (
        subject.bluetooth_shares_nothing,
        each(TEETH, erred("systemsetup-noroot.txt"), "0\n"),
        P,
        "unknown",
        "administrator",
    ),
    (subject.no_media_are_shared, media(), P, "ok", "nobody listens"),
    (subject.no_media_are_shared, media(public="1\n"), P, "fail", "public-sharing-enabled set"),
    (subject.no_media_are_shared, media(sockets=wired(3689)), P, "fail", "port 3689 listens"),
    (
        subject.no_media_are_shared,
        media(absent("com.apple.amp.mediasharingd", "home-sharing-enabled")),
        P,
        "unknown",
        "has never set home-sharing-enabled",
    ),
]
