"""On PYTHONPATH it leads every name of a Python client to one place: `LED_TO=ADDRESS:PORT`."""

import os
import socket

REAL = socket.getaddrinfo


def led(host, port, *rest, **more):
    """Answer as if the resolver gave that address for every name."""
    address, _, instead = os.environ["LED_TO"].partition(":")
    return REAL(address, int(instead), *rest, **more)


socket.getaddrinfo = led
