"""The agents' AppArmor profile: its name and rules, and how the kernel tells of it. Pure but for the shipped file."""

import re

from hostkit.shipped import shipped

NAME = "hostkit-agent"
KERNEL = "/sys/module/apparmor/parameters/enabled"
"""Says Y where AppArmor confines; not there where the kernel was built without it."""
PROFILES = "/sys/kernel/security/apparmor/profiles"
"""The profiles that the kernel holds, each with its mode; root's to read."""


def rules() -> str:
    """Return the profile without the line that names an abi: that one is the distribution's parser's."""
    return (shipped("sandbox") / f"{NAME}.apparmor").read_text("utf-8")


def mode(profiles: str) -> str:
    """Return the mode in which the kernel holds the profile, such as enforce or complain; empty if it does not."""
    found = re.search(rf"^{NAME} \((\w+)\)$", profiles, re.MULTILINE)
    return found[1] if found else ""
