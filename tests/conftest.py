"""A host that knows only what it was taught; a policy to judge it by."""

import fnmatch
import json

import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts
from hostkit.policy import Policy


class FakeHost:
    """What it was not taught it cannot tell, except that a file it does not know is not there.

    What changes with time is taught as a function, called when it is asked.
    """

    def __init__(self, commands=None, files=None, facts=None, *, platform="linux", root=True, **readings):
        self.commands, self.files, self.facts = commands or {}, files or {}, facts or {}
        self.platform, self.is_root, self.readings = platform, root, readings

    def run(self, *command, timeout=5.0, stdin=""):
        return self._told(self.commands, command, " ".join(command))

    def read(self, path):
        return self._told(self.files, path, path)

    def stat(self, path):
        if path in self.facts:
            return self._told(self.facts, path, path)
        return FileFacts(0o644, 0, 0, "file") if path in self.files else None

    def glob(self, pattern):
        return tuple(sorted(path for path in {*self.files, *self.facts} if fnmatch.fnmatch(path, pattern)))

    def listeners(self):
        return self._told(self.readings, "listeners", "sockets")

    def addresses(self):
        return self._told(self.readings, "addresses", "addresses")

    def default_routes(self):
        return self._told(self.readings, "routes", "routes")

    def own_session(self):
        return self.readings.get("session")

    def own_peer(self):
        return self._told(self.readings, "peer", "this session's other end")

    def connections(self):
        return self._told(self.readings, "connections", "connections")

    @staticmethod
    def _told(taught, key, name):
        found = taught.get(key)
        if found is None:
            raise CannotTell(f"{name}: not taught")
        return found() if callable(found) else found


def make_policy(host=None, clients=None, path="/etc/hostkit/hostkit.yml"):
    """Return a policy with the given host lines and clients."""
    plain = {"version": 1, "host": {"resolvers": ["198.51.100.53"], **(host or {})}, "clients": clients or {}}
    return Policy.model_validate_json(json.dumps(plain)).model_copy(update={"path": path})


def client(**agreement):
    """Return a client whose agreement has these lines."""
    told = {"permitted": True, "document": "one.pdf", "expires": "2099-01-01", **agreement}
    return {"agreement": told, "trust": "observer", "agent": {"preset": "shell"}}


@pytest.fixture
def policy():
    return make_policy()
