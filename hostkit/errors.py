"""What every refusal of hostkit looks like, and the four exit codes."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command: design decision 11."""

    STANDS = 0
    FOUND = 1
    REFUSED = 2
    CANNOT_TELL = 3


class HostkitError(Exception):
    """Something hostkit will not do: what happened, and what to do about it."""

    code = Exit.REFUSED

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(f"{what}; {do}" if do else what)
        self.what = what
        self.do = do


class CannotTell(HostkitError):  # noqa: N818 - it is an answer, not a mistake
    """Something hostkit could not see, so it says nothing about it."""

    code = Exit.CANNOT_TELL


class WallOpen(HostkitError):  # noqa: N818 - it is a finding, not a mistake
    """A wall that was tried and did not hold."""

    code = Exit.FOUND
