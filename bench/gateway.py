"""Measure the gateway beside Squid, mitmproxy and no proxy at all, in a network of its own; exit 1 if a goal is missed.

The goals are the issue's. A ratio is the median of the rounds' own ratios, each of figures taken one after the other:
what else runs here slows both. `--inside DIRECTORY` is how it calls itself once it is alone with its loopback.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import figures, lay  # noqa: E402 - found by the line above
from bench.figures import Figure  # noqa: E402 - same
from bench.place import Place  # noqa: E402 - same

T = TypeVar("T")
ROUNDS = 5
KEPT, FRESH, SECONDS = 2000, 200, 5.0
"""How many requests and connections a round's median is of, and how long one of its loads runs."""
_ALONE = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL", "--")


def measure(part: str = "gateway") -> list[Figure]:
    """Return a part's figures, measured by its program in namespaces that end with it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        told = figures.run(*_ALONE, sys.executable, f"{ROOT}/bench/{part}.py", "--inside", directory)
    return [Figure(**one) for one in json.loads(told)]


def main(inside: Callable[[Place], list[Figure]], part: str) -> int:
    """Measure from outside, or with `--inside DIRECTORY` be what is measured by."""
    if sys.argv[1:2] != ["--inside"]:
        figures.as_installed()
        return figures.verdict(measure(part))
    figures.run("ip", "link", "set", "lo", "up")
    place = Place(Path(sys.argv[2]))
    with place.serving():
        # mitmproxy asks whom this file names
        figures.run("mount", "--bind", f"{place.directory}/resolv.conf", "/etc/resolv.conf")
        print(json.dumps([asdict(figure) for figure in inside(place)]))
    return 0


def _all(place: Place) -> list[Figure]:
    return [*_resident(place), *_tunnelled(place), *_inspected(place)]


def _resident(place: Place) -> list[Figure]:
    """Return the memory with its services loaded: before the first request, and with a hundred tunnels."""
    with place.gateway() as gateway:
        idle = gateway.resident
        with place.loading("hold", name=lay.TUNNELLED, port=lay.GATEWAY, tunnels=100) as child:
            if child.stdout is None or child.stdout.readline() != "held\n":
                raise RuntimeError("a hundred tunnels did not stand")
            held = gateway.resident
            child.communicate()
    return [
        Figure("gateway with five services, resident", round(idle, 1), "MB", None, None, 45),
        Figure("gateway with 100 tunnels, resident", round(held, 1), "MB", None, None, 70),
    ]


def _tunnelled(place: Place) -> list[Figure]:
    with place.gateway() as gateway:
        with place.squid() as squid:
            ways = (443, lay.SQUID, lay.GATEWAY)
            rounds = _interleaved(ways, lambda port: _download(place, port))
            worked = round(gateway.worked / ROUNDS, 3), round(squid.worked / ROUNDS, 3)
        direct, peer, ours = zip(*rounds, strict=True)
        kept = _added(place, "kept", KEPT, lay.TUNNELLED)
        opened = _added(place, "fresh", FRESH, lay.TUNNELLED)
        looked_up = _added(place, "fresh", FRESH, lay.LOOKED_UP)
    return [
        _share("tunnelled download; peer: Squid", "MB/s", ours, peer, 0.9),
        _share("tunnelled download; peer: no proxy", "MB/s", ours, direct, 0.7),
        Figure(
            "processor for 1 GiB tunnelled; peer: Squid", worked[0], "s", worked[1], round(worked[0] / worked[1], 2), 1
        ),
        Figure("added p50 of a request on a kept tunnel", kept, "ms", None, None, 0.1),
        Figure("added p50 of a new connection, its TLS and its first request", opened, "ms", None, None, 2),
        Figure("the same, its name's answer no longer good", looked_up, "ms", None, None, None),
    ]


def _interleaved(ways: tuple[T, ...], measure: Callable[[T], float]) -> list[list[float]]:
    """Return each way's figure of each round; another one begins each time, for none is to have the better place."""
    rounds = []
    for number in range(ROUNDS):
        order = [(number + place) % len(ways) for place in range(len(ways))]
        found = {place: measure(ways[place]) for place in order}
        rounds.append([found[place] for place in range(len(ways))])
    return rounds


def _download(place: Place, port: int) -> float:
    """Return the MB/s of one download by curl."""
    way = ("--proxy", f"http://127.0.0.1:{port}") if port != 443 else ("--resolve", f"{lay.TUNNELLED}:443:127.0.0.1")
    url, roots = f"https://{lay.TUNNELLED}/big", ("--cacert", f"{place.directory}/far-root.pem")
    told = figures.run("curl", "-sS", "--noproxy", "", *way, *roots, "-o", "/dev/null", "-w", "%{speed_download}", url)
    return float(told) / 1e6


def _added(place: Place, what: str, rounds: int, name: str) -> float:
    """Return the ms that the gateway adds to the median: the median of the rounds, each asked by both ways in turn."""
    terms = {"name": name, "ports": [443, lay.GATEWAY], "rounds": rounds}
    found = [place.load(what, **terms)["p50"] for _ in range(ROUNDS)]
    return round(float(statistics.median(ours - direct for direct, ours in found)) / 1000, 3)


def _inspected(place: Place) -> list[Figure]:
    """Return the rate of small POSTs through opened connections; the gateway swaps a key, judges and records each."""
    with place.gateway(), place.mitmproxy():
        ours = {"port": lay.GATEWAY, "roots": "near-root.pem"}
        peer = {"port": lay.MITMPROXY, "roots": "mitmproxy/mitmproxy-ca-cert.pem"}
        none = {"port": 443, "roots": "far-root.pem"}
        other = {**ours, "sizes": 7}
        rounds = _interleaved((none, peer, ours, other), lambda way: _posts(place, **way))
    direct, mitmproxy, gateway, others = zip(*rounds, strict=True)
    return [
        _share("inspected POST of 480 B; peer: mitmproxy 11.0.2", "/s", gateway, mitmproxy, 5),
        _share("the same, no head like the one before it", "/s", others, mitmproxy, 5),
        _share("load generator's own limit; peer: the gateway", "/s", direct, gateway, 1.5),
    ]


def _posts(place: Place, **way: Any) -> float:
    terms = {"name": lay.OPENED, "bearer": lay.held(place.directory), "connections": 20, "seconds": SECONDS, "sizes": 1}
    return float(place.load("posts", **{**terms, **way})["rate"])


def _share(name: str, unit: str, ours: tuple[float, ...], peers: tuple[float, ...], goal: float) -> Figure:
    ratio = statistics.median(a / b for a, b in zip(ours, peers, strict=True))
    value, peer = (round(statistics.median(found), 1) for found in (ours, peers))
    return Figure(name, value, unit, peer, round(ratio, 2), goal, least=True)


if __name__ == "__main__":
    raise SystemExit(main(_all, "gateway"))
