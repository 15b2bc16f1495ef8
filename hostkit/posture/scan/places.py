"""What a place where a secret was found is: where it is meant to be, a copy that was left, or neither."""

import re

from hostkit.errors import CannotTell
from hostkit.health import state_directory
from hostkit.host import Host, accounts
from hostkit.policy import Policy
from hostkit.posture.scan.kingfisher import Place
from hostkit.secrets import fingerprints

_LEFT = re.compile(
    r"_history$|/\.(?:viminfo|lesshst|wget-hsts)$|(?:~|\.(?:bak|backup|old|orig|save|rej|tmp|sw[a-p]|dump|core|jsonl|log"
    r"|dpkg-(?:old|dist|new|tmp)|ucf-(?:old|dist)))(?:\.\d{1,4})?$"
    r"|^/var/(?:log|backups|crash|lib/systemd/coredump|lib/docker/containers)/"
    r"|/(?:backups?|cache|logs?|sessions|transcripts|shell-snapshots|file-history)/"
)
"""Where shells, editors, package managers, crashes, loggers and agents leave what passed through them."""


def is_left(path: str) -> bool:
    """Return whether a file is one that something wrote on the side: a history, a backup, a log, a transcript."""
    return _LEFT.search(path) is not None


def user(path: str) -> str:
    """Return whose a file or a repository is: a client's by its volume, else its service's or home's folder."""
    parts = path.partition(": ")[0].split("/")
    volume = next((part for part in parts if part.startswith("hostkit-")), "")
    if volume and "volumes" in parts:
        return volume.rpartition("-")[0]
    depth = 2 if parts[1:2] == ["root"] else 5 if parts[1:3] == ["var", "lib"] else 3
    return "/".join(parts[:depth])


def sources(policy: Policy) -> dict[str, str]:
    """Return the files that the policy takes secrets from, each with whose they are."""
    told = {
        f"{name}.{key}": secret.source for name, one in policy.clients.items() for key, secret in one.secrets.items()
    }
    return {source.removeprefix("file:"): name for name, source in told.items() if source.startswith("file:")}


def stray(host: Host, policy: Policy, places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the places where no secret is meant to be.

    It may be in a file that the policy names and in hostkit's own directory; a private key, where only its owner reads
    it, be it root or a person but not the agent.
    """
    agent = next((line[2] for line in accounts(host) if line[0] == policy.host.account), "")
    own = (f"{state_directory()}/attest/", f"{state_directory()}/fingerprint.key")
    known = sources(policy)
    return tuple(
        place
        for place in places
        if place.path not in known and not place.path.startswith(own) and not _is_kept_key(host, place, agent)
    )


def _is_kept_key(host: Host, place: Place, agent: str) -> bool:
    if "private-key" not in place.rule or is_left(place.path):
        return False
    facts = host.stat(place.path)
    if facts is None or str(facts.uid) == agent:
        return False
    return not facts.mode & (0o027 if facts.uid == 0 else 0o077)


def given(host: Host, policy: Policy) -> frozenset[str]:
    """Return the fingerprints of the values that the policy's files hold; one that cannot be read has none."""
    key, found = fingerprints.key(), set()
    for path in sources(policy):
        try:
            found.add(fingerprints.of(host.read(path).encode("utf-8", "surrogateescape"), key))
        except CannotTell:
            continue
    return frozenset(found)
