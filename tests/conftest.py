"""A host that knows only what it was taught; a policy to judge it by."""

import fnmatch
import itertools
import json

import pytest

from hostkit.errors import CannotTell
from hostkit.host import FileFacts, Said
from hostkit.host.trees import Thing
from hostkit.policy import Policy
from hostkit.posture import readings


class FakeHost:
    """What it was not taught it cannot tell, except that a file it does not know is not there.

    What changes with time is taught as a function, called when it is asked. A command is taught by what it prints, or
    by a Said where it fails or speaks on its error stream.
    """

    def __init__(self, commands=None, files=None, facts=None, *, platform="linux", root=True, **readings):
        self.commands, self.files, self.facts = commands or {}, files or {}, facts or {}
        self.platform, self.is_root, self.readings = platform, root, readings
        self.ran, self.closed = [], []

    def run(self, *command, timeout=5.0, stdin=""):
        said = self.ask(*command)
        if said.code != 0:
            raise CannotTell(f"{' '.join(command[:3])} failed: {said.err.strip()[:200] or said.code}")
        return said.out

    def ask(self, *command, timeout=5.0, stdin=""):
        self.ran.append(command)
        found = self._told(self.commands, command, " ".join(command))
        return found if isinstance(found, Said) else Said(0, found)

    def pour(self, *command, timeout, codes, environment, shown=False):
        return iter(self._told(self.readings, "poured", command[0]))

    def things(self, root):
        known = sorted({*self.files, *self.facts})
        for path in (path for path in known if f"{path}/".startswith(f"{root.rstrip('/')}/")):
            facts = self.stat(path)
            yield Thing(path, facts.kind, facts.size)

    def read(self, path):
        return self._told(self.files, path, path)

    def stat(self, path):
        if path in self.facts:
            return self._told(self.facts, path, path)
        return FileFacts(0o644, 0, 0, "file") if path in self.files else None

    def glob(self, pattern):
        known = [
            path for path in {*self.files, *self.facts} if "**" in pattern or path.count("/") == pattern.count("/")
        ]
        return tuple(sorted(path for path in known if fnmatch.fnmatch(path, pattern.replace("**/", "*"))))

    def names(self, path):
        taught = self.readings.get("names", {})
        if path in taught:
            return self._told(taught, path, path)
        folder, known = path.rstrip("/") + "/", {*self.files, *self.facts, *self.readings.get("links", {})}
        inside = [name.removeprefix(folder) for name in known if name.startswith(folder)]
        return tuple(sorted({name.partition("/")[0] for name in inside} - {""}))

    def acl(self, path):
        return self.readings.get("acls", {}).get(path, ())

    def link(self, path):
        return self.readings.get("links", {}).get(path)

    def space(self, path):
        return self._told(self.readings.get("spaces", {}), path, path)

    def clock(self):
        return self._told(self.readings, "clock", "clock")

    def close(self, path, mode, owner=-1, group=-1):
        self.closed.append((path, mode, owner, group))

    def processes(self):
        return self._told(self.readings, "processes", "processes")

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

    def attempts(self, uid, gid, tries):
        answer = self.readings.get("attempts")
        if answer is None:
            raise CannotTell("attempts: not taught")
        return tuple(answer(uid, gid, tries))

    def below(self, tree, most):
        links = self.readings.get("links", {})
        found = sorted(path for path in {*self.files, *self.facts, *links} if path.startswith(f"{tree}/"))
        if len(found) > most or tree in self.readings.get("deep", ()):
            raise CannotTell(f"{tree} has more than {most} entries")
        return tuple((path, links.get(path)) for path in found)

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


ENGINE = ("docker", "second_engine", "audit")
"""What the tests that share this machine's one engine, its clients' names and its audit are marked with."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Put what needs no machine first, VMs last, the long before the short; give the shared engine to one process.

    What is wrong in the small is then known within minutes, and of two processes neither waits long for the other.
    """
    for item in items:
        if any(map(item.get_closest_marker, ENGINE)):
            item.add_marker(pytest.mark.xdist_group("engine"))
    items.sort(key=_place)
    items[:] = _alternating(items)


def _virtual(item):
    return any(map(item.get_closest_marker, ("vm", "vagrant")))


def _place(item):
    marked = item.get_closest_marker("timeout")
    return "e2e" in item.path.parts, _virtual(item), -marked.args[0] if marked else 0


def _alternating(items):
    """Put a short one behind each long one of the VMs' tests.

    A process of pytest-xdist is given its next test while it has one yet to begin: of two long ones the second would
    wait for the first, and the other process have nothing to do.
    """
    virtual = [item for item in items if _virtual(item)]
    rest, half = items[: len(items) - len(virtual)], (len(virtual) + 1) // 2
    pairs = itertools.zip_longest(virtual[:half], virtual[half:])
    return rest + [item for pair in pairs for item in pair if item]


@pytest.fixture(autouse=True)
def _nothing_read_before(monkeypatch, tmp_path):
    readings.forget()
    for module in ("secrets.fingerprints", "secrets.authority", "posture.scan.kingfisher", "posture.scan.store"):
        monkeypatch.setattr(f"hostkit.{module}.state_directory", lambda: tmp_path / "scan-state")


@pytest.fixture
def policy():
    return make_policy()
