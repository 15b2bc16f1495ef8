"""What apt's sources files say, in either of their two forms."""

from hostkit.policy import Egress
from hostkit.policy.mirrors import mirrors, unlisted

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/k.gpg] https://Packages.example./debian bookworm main
deb-src http://user:secret@mirror.example:8080/debian bookworm main # http://afterwards.example
deb cdrom:[Debian]/ bookworm main
deb file:/srv/mirror ./
"""
DEB822 = """\
Types: deb
URIs: http://deb.example/debian http://second.example/debian
#      http://commented.example/debian
Suites: bookworm

Types: deb
Enabled: no
URIs: http://off.example/debian
"""


def test_names_and_ports_are_read_from_both_forms_and_what_is_switched_off_is_not():
    assert mirrors([ONE_LINE, DEB822]) == (
        ("deb.example", 80),
        ("mirror.example", 8080),
        ("packages.example", 443),
        ("second.example", 80),
    )


def test_a_mirror_counts_as_listed_by_its_name_and_its_port():
    ways = [
        Egress(name="deb.example", ports=(80,)),
        Egress(name="second.example", ports=(80,)),
        Egress(name="mirror.example", ports=(8080, 443)),
        Egress(name="packages.example", raw=4433),
    ]
    assert unlisted([ONE_LINE, DEB822], ways) == ("packages.example:443",)
    wildcard = [Egress(name="*.mirrors.example", ports=(80,))]
    assert unlisted(["deb http://de.mirrors.example/ ./", "deb http://mirrors.example/ ./"], wildcard) == (
        "mirrors.example:80",
    )
    assert unlisted([], ways) == ()
