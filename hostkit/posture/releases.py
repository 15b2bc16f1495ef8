"""Until when each distribution's makers mend it: pure."""

from collections.abc import Mapping
from datetime import date

SUPPORTED: Mapping[str, date] = {
    "debian-11": date(2026, 8, 31),
    "debian-12": date(2028, 6, 30),
    "debian-13": date(2030, 6, 30),
    "ubuntu-22.04": date(2027, 6, 1),
    "ubuntu-24.04": date(2029, 5, 31),
    "ubuntu-26.04": date(2031, 5, 29),
}
"""Last days by ID and VERSION_ID of /etc/os-release: Debian's with long-term support, Ubuntu's standard support.

From Debian's package distro-info-data 0.58+deb12u6 (columns eol-lts and eol), which a test compares where it is there.
"""
