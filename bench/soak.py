"""Use the gateway for 100,000 requests over 20,000 connections and 5 GB, half inspected; exit 1 if a goal is missed.

10,000 tunnels, each one request to the gateway and 250 kB, and 10,000 opened connections of nine requests and 250 kB:
downloads and uploads in turn. It takes three minutes on an idle machine.
"""

import json
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import gateway, lay  # noqa: E402 - found by the line above
from bench.figures import Figure  # noqa: E402 - same
from bench.place import Place, Process  # noqa: E402 - same

CONNECTIONS, CLIENTS, WARM, SETTLE = 20_000, 8, 120, 15.0
"""Connections in all, clients at one time, and the seconds to the first look and after the last answer."""
_THROUGH = [["GET /50000", 0]] * 5
_OPENED = [["GET /28000", 0], ["POST /post", 28_000]] * 4 + [["GET /28000", 0]]
_REQUESTS = CONNECTIONS // 2 * (1 + len(_OPENED))


def measure() -> list[Figure]:
    return gateway.measure("soak")


def _soak(place: Place) -> list[Figure]:
    with place.gateway() as process:
        idle, seen = process.descriptors, [process.resident]
        with _Watched(process, seen):
            told = _clients(place)
        end = time.monotonic() + SETTLE
        while process.descriptors > idle and time.monotonic() < end:
            time.sleep(0.1)
        last, left = process.resident, process.descriptors
    whole, other = _recorded(place.records)
    look = min(WARM, len(seen) - 1)
    first = seen[look]
    name = f"soak of {len(seen)} s: resident at its end; peer: after {look} s"
    return [
        Figure(name, round(last, 1), "MB", round(first, 1), round(last / first, 3), 1.1),
        Figure(
            "soak: bytes that passed", round(sum(one["octets"] for one in told) / 1e9, 2), "GB", None, None, 5, True
        ),
        Figure("soak: descriptors over idle", left - idle, "", None, None, 0),
        Figure("soak: requests with their two records", whole, "", None, None, _REQUESTS, least=True),
        Figure("soak: requests with any others", other, "", None, None, 0),
    ]


class _Watched(threading.Thread):
    """Looks at a process's memory each second while the block runs."""

    def __init__(self, process: Process, seen: list[float]) -> None:
        super().__init__(daemon=True)
        self._process, self._seen, self._ended = process, seen, threading.Event()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        while not self._ended.wait(1):
            self._seen.append(self._process.resident)


def _clients(place: Place) -> list[dict[str, Any]]:
    """Return what the clients say that they got, half of them through tunnels."""
    through = {"name": lay.TUNNELLED, "roots": "far-root.pem", "bearer": "", "asks": _THROUGH}
    opened = {"name": lay.OPENED, "roots": "near-root.pem", "bearer": lay.held(place.directory), "asks": _OPENED}
    terms = {"port": lay.GATEWAY, "connections": CONNECTIONS // CLIENTS}
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(place.load, "used", **terms, **way) for way in (through, opened) * (CLIENTS // 2)]
        return [one.result() for one in running]


def _recorded(records: Path) -> tuple[int, int]:
    """Return how many requests have an intent and an outcome that is done, and how many have anything else."""
    events: dict[str, list[str]] = defaultdict(list)
    with records.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            events[record["id"]].append(f"{record['event']} {record['rule'] if record['event'] == 'outcome' else ''}")
    whole = sum(found == ["intent ", "outcome done"] for found in events.values())
    return whole, len(events) - whole


if __name__ == "__main__":
    raise SystemExit(gateway.main(_soak, "soak"))
