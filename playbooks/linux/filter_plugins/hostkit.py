"""What plays ask of hostkit's own Python."""

from collections.abc import Callable

from hostkit.bootstrap.accounts import filled, uids


class FilterModule:
    """Ansible looks for filters under this name, beside the plays."""

    def filters(self) -> dict[str, Callable[[str, str], str]]:
        """Return the filters by the names that plays know them by."""
        return {"hostkit_filled": lambda draft, passwd: filled(draft, uids(passwd))}
