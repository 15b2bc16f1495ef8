"""`python3 -m tests.lookalikes --listen ADDRESS --certificates DIR`: serve until stopped; a line says when ready."""

import argparse
import asyncio
import contextlib
import signal
import tempfile
from pathlib import Path

from tests.lookalikes import git
from tests.lookalikes.listeners import Resolver, listen_log, listen_tls
from tests.lookalikes.seen import Seen
from tests.lookalikes.server import Lookalikes


def arguments():
    parser = argparse.ArgumentParser(prog="python3 -m tests.lookalikes", description=__doc__)
    parser.add_argument("--listen", metavar="ADDRESS", required=True)
    parser.add_argument("--certificates", metavar="DIR", type=Path, required=True)
    parser.add_argument("--tls", metavar="PORT", type=int, default=443)
    parser.add_argument("--plain", metavar="PORT", type=int, default=80)
    parser.add_argument("--seen", metavar="PORT", type=int, default=8080, help="the log's own port: /__seen")
    parser.add_argument("--names", metavar="PORT", type=int, default=0, help="a resolver for the names; 0 is none")
    parser.add_argument("--log", metavar="FILE", type=Path, help="the log as a file too")
    parser.add_argument("--delay", metavar="SECONDS", type=float, default=0.1, help="before each piece of a stream")
    return parser.parse_args()


async def serve(given, repositories):
    """Listen on every port that was asked for, and go on."""
    sites = Lookalikes(given.certificates, Seen(given.log), given.delay, repositories)
    serving = asyncio.create_task(listen_tls(sites, given.listen, given.tls))
    await asyncio.start_server(sites.connection, given.listen, given.plain)
    await listen_log(sites.seen, given.listen, given.seen)
    if given.names:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: Resolver(given.listen), (given.listen, given.names))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    sites.seen.say('{"ready": true}')
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def main():
    given = arguments()
    with tempfile.TemporaryDirectory() as folder:
        git.make(Path(folder))
        asyncio.run(serve(given, Path(folder)))


if __name__ == "__main__":
    main()
