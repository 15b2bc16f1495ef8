"""Listeners that a proof opens on the host, and the control connections that show they are there."""

import contextlib
import ipaddress
import socket
import threading
from types import TracebackType
from typing import Self


class Listeners:
    """One TCP listener on each host address, each on a port of its own, closed when the block ends."""

    def __init__(self, addresses: list[str]) -> None:
        self._sockets = [found for address in addresses if (found := _listen(address)) is not None]
        self._peers: set[tuple[str, str]] = set()
        self.targets: list[tuple[str, int]] = [found.getsockname()[:2] for found in self._sockets]

    def __enter__(self) -> Self:
        for listener in self._sockets:
            threading.Thread(target=_accept, args=(listener, self._peers), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._sockets:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def heard(self, subnet: str) -> frozenset[str]:
        """Return the addresses at which a connection from a network arrived, late ones included."""
        network = ipaddress.ip_network(subnet)
        peers = self._peers.copy()  # whoever comes meanwhile is heard the next time
        return frozenset(own for own, peer in peers if ipaddress.ip_address(peer) in network)

    def reached(self) -> frozenset[str]:
        """Return the addresses at which a connection from the host itself arrives: only there does silence count."""
        return frozenset(address for address, port in self.targets if _connects(address, port))


def _listen(address: str) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind((address, 0))
        listener.listen(16)
    except OSError:
        listener.close()
        return None
    return listener


def _accept(listener: socket.socket, peers: set[tuple[str, str]]) -> None:
    own = listener.getsockname()[0]
    with contextlib.suppress(OSError):
        while True:
            wire, peer = listener.accept()
            peers.add((own, peer[0]))
            wire.close()


def _connects(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
