"""What arrived: one JSON line for each request and each message, on standard output, in a file, and at `/__seen`."""

import hashlib
import json
import sys
import time

LONGEST = 16384


class Seen:
    """The log. Every line is kept until `forget`, so that a test can ask what arrived and what never did."""

    def __init__(self, path=None):
        self._lines, self._path = [], path

    def add(self, **what):
        """Note one thing; octets become text, cut to LONGEST, beside their size and digest."""
        body = what.pop("body", b"")
        told = {"at": round(time.time(), 4), **what, "size": len(body), "digest": hashlib.sha256(body).hexdigest()}
        line = json.dumps({**told, "body": body[:LONGEST].decode("utf-8", "backslashreplace")})
        self._lines.append(line)
        self.say(line)
        if self._path:
            with self._path.open("a") as log:
                log.write(line + "\n")

    @staticmethod
    def say(line):
        """Print one line at once."""
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def text(self):
        """Return all lines as they stand at `/__seen`."""
        return "".join(line + "\n" for line in self._lines)

    def forget(self):
        """Begin anew, for the next test."""
        self._lines.clear()
