"""What the fake Mac holds before anybody hardened it."""

from .core import PORTS

NAT = {"AirPort": {"Enabled": 0}, "Enabled": 1, "SharingDevices": []}
BARE = {
    "release": "15.5", "managed": False, "enrolled": True, "sip": False, "filevault": "Off", "gatekeeper": False,
    "boot": "Reduced Security", "sealed": False, "scans": "disabled", "arguments": "amfi_get_out_of_my_way=1",
    "authorities": 2, "keychains": ["/Users/ann/Library/Keychains/login.keychain-db"],
    "firewall": {"globalstate": 0, "stealthmode": "off", "blockall": "disabled", "allowsigned": "ENABLED",
                 "allowsignedapp": "ENABLED"},
    "programs": {"/Applications/Example App.app": "Allow", "/usr/libexec/sshd-keygen-wrapper": "Block",
                 "/opt/homebrew/bin/tool": "Block"},
    "overrides": {"com.apple.ftpd": "disabled", **dict.fromkeys(PORTS, "enabled")},
    "jobs": {label: {"plist": ""} for label in PORTS},
    "smb-guests": "enabled", "nfs": "enabled", "cache": True, "schedule": "off",
    "cups": {"remote_admin": "1", "remote_any": "0", "share_printers": "1"},
    "power": {"standby": "1", "displaysleep": "20", "sleep": "10", "autorestart": "0", "disksleep": "10"},
    "autologin": "ann", "locks": {"ann": "300 seconds", "bo": "immediate"},
    "defaults": {
        "root": {
            "/Library/Preferences/com.apple.loginwindow": {"GuestEnabled": "1", "autoLoginUser": "ann"},
            "/Library/Preferences/com.apple.SoftwareUpdate": {"AutomaticDownload": "0", "ConfigDataInstall": "1"},
            "/Library/Preferences/SystemConfiguration/com.apple.nat": {"NAT": NAT},
        },
        "ann": {"com.apple.sharingd": {"DiscoverableMode": "Everyone"},
                "com.apple.amp.mediasharingd": {"home-sharing-enabled": "1"},
                "MobileMeAccounts": {"Accounts": '(\n    {\n    AccountID = "ann@example.com";\n    }\n)'}},
        "ann current": {"com.apple.Bluetooth": {"PrefKeyServicesEnabled": "1"}},
    },
    "users": {
        "root": {"UniqueID": "0", "PrimaryGroupID": "0", "UserShell": "/bin/sh", "NFSHomeDirectory": "/var/root",
                 "AuthenticationAuthority": ";ShadowHash;HASHLIST:<SALTED-SHA512-PBKDF2>"},
        "_www": {"UniqueID": "70", "PrimaryGroupID": "70", "UserShell": "/usr/bin/false",
                 "NFSHomeDirectory": "/Library"},
        "ann": {"UniqueID": "501", "PrimaryGroupID": "20", "UserShell": "/bin/zsh", "NFSHomeDirectory": "/Users/ann"},
        "bo": {"UniqueID": "502", "PrimaryGroupID": "20", "UserShell": "/bin/zsh", "NFSHomeDirectory": "/Users/bo"},
    },
    "groups": {"admin": {"PrimaryGroupID": "80", "GroupMembership": "root ann"}},
    "mounts": ["//nas@nas._smb._tcp.local/share on /Volumes/share (smbfs, nodev, nosuid, mounted by ann)",
               "map -static on /net/share (autofs, automounted, nobrowse)"],
    "pf": {"enabled": False, "tokens": [],
           "anchors": {"com.apple/200.AirDrop": [], "com.apple/250.ApplicationFirewall": []},
           "main": ['scrub-anchor "com.apple/*" all fragment reassemble', 'anchor "com.apple/*" all']},
}  # fmt: skip
