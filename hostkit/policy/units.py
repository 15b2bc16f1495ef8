"""Sizes as people write them."""

import re
from typing import Annotated

from pydantic import AfterValidator

_UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def parse_size(text: str) -> int:
    """Return the bytes of a size such as 512MiB; raise ValueError if it is not a number with KiB, MiB or GiB."""
    match = re.fullmatch(r"([1-9][0-9]{0,6})(KiB|MiB|GiB)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 512MiB or 2GiB")
    return int(match[1]) * _UNITS[match[2]]


def _size(value: str) -> str:
    parse_size(value)
    return value


Size = Annotated[str, AfterValidator(_size)]
