"""The mark inside every placeholder: any gateway tells by it that the text is hostkit's, and whose.

A mark is `hk`, eight hexadecimal digits of the SHA-256 of the client's name, twenty random letters and four that check
the rest: 34 of [0-9a-z], whatever stands before and after. By chance one stands in some 1.4 TB of such letters. Whoever
knows a client's name can make a mark of it: that is a reason for an alarm, never a permission.
"""

import hashlib
import re
from functools import lru_cache

LENGTH = 34
"""Letters of a whole mark: who looks through a stream keeps the last 33 of one piece for the next."""
RANDOM = 20
"""Letters of a mark that are drawn: 103 bits."""
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"

# Neither h nor k is a hexadecimal digit, so no mark begins inside the ten letters of another's beginning.
_WHOLE = re.compile(rb"hk[0-9a-f]{8}(?=([0-9a-z]{24}))")


def mark(client: str) -> str:
    """Return the ten letters by which a client's placeholders are known."""
    return "hk" + hashlib.sha256(client.encode()).hexdigest()[:8]


def sealed(client: str, drawn: str) -> str:
    """Return a whole mark of a client around twenty letters that were drawn at random."""
    text = mark(client) + drawn
    return text + _check(text.encode())


def find_marks(text: bytes) -> set[str]:
    """Return whose marks stand in the text, each as `mark` gives it, however the text goes on around them."""
    if b"hk" not in text:
        return set()
    return {found[0].decode() for found in _WHOLE.finditer(text) if _holds(found[0], found[1])}


@lru_cache(maxsize=256)  # an agent's own stands in each of its requests
def _holds(whose: bytes, rest: bytes) -> bool:
    return _check(whose + rest[:RANDOM]).encode() == rest[RANDOM:]


def _check(text: bytes) -> str:
    number = int.from_bytes(hashlib.sha256(b"hostkit mark " + text).digest(), "big")
    return "".join(ALPHABET[number // 36**place % 36] for place in range(4))
