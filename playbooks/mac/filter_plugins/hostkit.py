"""What the plays of a Mac ask of hostkit's own Python: how a setting is read, and what makes it as it should be."""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from hostkit.bootstrap.mac.known import named
from hostkit.bootstrap.mac.settings import Command, changes, value
from hostkit.errors import HostkitError
from hostkit.host import Said


def read(name: str) -> Command:
    """Return the command that asks for a setting."""
    return named(name).read


def wanting(told: Mapping[str, Any], name: str, profile: str) -> tuple[Command, ...]:
    """Return the commands that make a setting what is wanted; end the play if its tool said nothing that is known."""
    said = Said(int(told.get("rc", 1)), str(told.get("stdout", "")), str(told.get("stderr", told.get("msg", ""))))
    setting = named(name, profile)
    try:
        return changes(setting, value(setting, said))
    except HostkitError as why:
        raise AnsibleFilterError(str(why)) from why


class FilterModule:
    """Ansible looks for filters under this name, beside the plays."""

    def filters(self) -> dict[str, Callable[..., Command | tuple[Command, ...]]]:
        """Return the filters by the names that plays know them by."""
        return {"hostkit_read": read, "hostkit_wanting": wanting}
