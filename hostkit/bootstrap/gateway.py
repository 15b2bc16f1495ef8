"""The host's own gateway: its rules from the policy, and its code as one file that its account can read. Pure."""

import dataclasses
import io
import ipaddress
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hostkit.gateway.rules import Forward, Grant, Rules, RulesError, parse
from hostkit.policy import Policy

ADDRESS, PORT = "127.0.0.1", 3128
RULES = "/etc/hostkit/host-gateway.json"
RECORDS = "/var/lib/hostkit/host-gateway"
_START = "import runpy\n\nrunpy.run_module('hostkit.gateway', run_name='__main__')\n"


def rules(
    policy: Policy, addresses: Iterable[str], before: str = "", status: str = "", pools: Iterable[str] = ()
) -> Rules:
    """Return what the host's gateway may let through; equal policies, addresses and pools keep the generation.

    `addresses` are this host's own and `pools` the networks that its containers get, never dialled; `before` is the
    rules file as it lies there, `status` the gateway's own: the generation goes on from the higher of the two, for a
    gateway takes none that is older than its last.
    """
    host, theirs = policy.host, {policy.host.pool, *pools}
    made = Rules(
        client="host",
        generation=1,
        address=ADDRESS,
        grants=tuple(Grant(way.name, way.ports, way.networks) for way in host.egress if way.raw is None),
        forwards=tuple(
            Forward(way.name, way.raw, way.local_port or way.raw, way.networks)
            for way in host.egress
            if way.raw is not None
        ),
        refuse=tuple(sorted({*theirs, *_own(theirs, addresses)})),
        resolvers=host.resolvers,
        proxy_port=PORT,
    )
    return dataclasses.replace(made, generation=_generation(made, before, status))


def _own(theirs: Iterable[str], addresses: Iterable[str]) -> set[str]:
    """Return the v4 addresses that a name could lead to: the gateway dials no others, and clients' come and go."""
    networks = [ipaddress.ip_network(pool) for pool in theirs]
    parsed = [ipaddress.ip_address(address) for address in addresses]
    four = [one for one in parsed if one.version == 4 and not one.is_loopback]
    return {str(ipaddress.ip_network(one)) for one in four if not any(one in network for network in networks)}


def _generation(made: Rules, before: str, status: str) -> int:
    last = _number(status)
    try:
        kept = parse(before)
    except RulesError:
        return max(_number(before), last) + 1
    same = dataclasses.replace(made, generation=kept.generation) == kept and kept.generation >= last
    return kept.generation if same else max(kept.generation, last) + 1


def _number(text: str) -> int:
    try:
        plain: Any = json.loads(text)
        return max(0, int(plain["generation"]))
    except (ValueError, KeyError, TypeError):
        return 0


def packed() -> bytes:
    """Return hostkit/gateway as a zip that Python runs: equal code gives equal bytes.

    It is copied to the host because hostkit itself may lie where the gateway's account cannot read (/root/.venv), and
    as one file because one is replaced whole: nobody ever starts half of an update.
    """
    package = Path(__file__).parents[1]
    files = [package / "__init__.py", *sorted((package / "gateway").rglob("*.py"))]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(str(file.relative_to(package.parent))), file.read_bytes())
        archive.writestr(zipfile.ZipInfo("__main__.py"), _START)
    return stream.getvalue()
