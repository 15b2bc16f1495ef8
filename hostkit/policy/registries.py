"""Where pip and npm fetch packages from, as this machine's settings say."""

import configparser
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from hostkit.policy.part import is_listed_name

PIP_FILES = ("/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf")
NPM_FILES = ("/etc/npmrc", "~/.npmrc")
_NPM_LINE = re.compile(r"\s*(?:@[^\s:=]+:)?registry\s*=\s*[\"']?([^\s\"']+)")


def pip_hosts(files: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts of pip's indexes, out of the texts of its files and its environment."""
    found = [environment.get(name, "") for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")]
    for text in files:
        found += _indexes(text)
    return _hosts(" ".join(found).split())


def _indexes(text: str) -> list[str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return []
    keys = ("index-url", "extra-index-url", "index_url", "extra_index_url")
    return [parser.get(section, key, fallback="") for section in parser.sections() for key in keys]


def npm_hosts(files: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts of npm's registries, those of single scopes too; its tokens are not read."""
    found = [value for name, value in environment.items() if name.lower() == "npm_config_registry"]
    found += [match[1] for text in files for line in text.splitlines() if (match := _NPM_LINE.match(line))]
    return _hosts(found)


def _hosts(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the names that a service can open: over TLS, on port 443, and nothing of an address but its host."""
    return tuple(sorted({host for address in addresses if (host := _host(address))}))


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        usual = parts.scheme == "https" and parts.port in {None, 443}
    except ValueError:
        return ""
    name = (parts.hostname or "").removesuffix(".")
    return name if usual and is_listed_name(name) else ""
