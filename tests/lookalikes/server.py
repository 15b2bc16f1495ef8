"""What a connection is answered: TLS by the name that the client asks for, HTTP by the host that it names."""

import asyncio
import itertools
import ssl

import h11
import wsproto.utilities

from tests.lookalikes import echo, git, github, llm, registries, slack
from tests.lookalikes.names import (
    ANTHROPIC,
    ECHO,
    ELSEWHERE,
    GITHUB,
    GITHUB_API,
    NAMES,
    NODE_INDEX,
    OPENAI,
    PYTHON_INDEX,
    SLACK,
    SLACK_FILES,
    SLACK_SOCKETS,
    UNSOUND,
)
from tests.lookalikes.wire import Wire

BROKEN = (h11.ProtocolError, wsproto.utilities.ProtocolError, OSError, EOFError, ValueError)


class Lookalikes:
    """All sites behind one address."""

    def __init__(self, certificates, seen, delay, repositories):
        self.certificates, self.seen, self.numbers = certificates, seen, itertools.count(1)
        site = slack.Slack(delay)
        self.sites = {SLACK: site.api, SLACK_FILES: site.files, **dict.fromkeys(SLACK_SOCKETS, site.link)}
        self.sites |= {ANTHROPIC: llm.anthropic(delay), OPENAI: llm.openai(delay)}
        self.sites |= {GITHUB: git.Repositories(repositories).serve, GITHUB_API: github.serve}
        self.sites |= {PYTHON_INDEX: registries.python, NODE_INDEX: registries.node}
        self.sites |= dict.fromkeys((ECHO, ELSEWHERE, *UNSOUND), echo.serve)

    async def connection(self, reader, writer):
        """Serve one connection until it ends."""
        secure = writer.get_extra_info("ssl_object")
        about = {"connection": next(self.numbers), "tls": secure.version() if secure else None}
        about |= {"sni": getattr(secure, "asked_name", None), "peer": writer.get_extra_info("peername")[0]}
        wire = Wire(reader, writer, about)
        try:
            while exchange := await wire.next():
                await self._serve(exchange)
        except ConnectionError as why:  # the other end is gone, as a client that exits is
            self.seen.add(**about, ended=type(why).__name__)
        except BROKEN as why:
            self.seen.add(**about, broken=f"{type(why).__name__}: {why}")
            if isinstance(why, h11.RemoteProtocolError) and not wire.left:
                writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        finally:
            await end(writer)

    async def _serve(self, exchange):
        told = {"method": exchange.method, "host": exchange.host, "path": exchange.path, "target": exchange.target}

        def say(**more):
            self.seen.add(**exchange.wire.about, **{"host": exchange.host, **more})

        exchange.say = say
        answer = self.sites.get(exchange.host, _nobody)
        if not getattr(answer, "reads_itself", False):
            await exchange.body()
            say(**told, headers=exchange.headers, body=exchange.octets)
            return await answer(exchange)
        try:
            await answer(exchange)
        finally:
            say(**told, headers=exchange.headers, body=exchange.octets, whole=exchange.whole)
        return None

    def tls(self):
        """Return the context for new connections; the name that is asked for decides which certificate is shown."""
        contexts = {name: _context(self.certificates, name) for name in (*NAMES, *UNSOUND)}
        first = _context(self.certificates, ECHO)

        def chosen(connection, name, _):
            connection.asked_name = name
            if name not in contexts:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = contexts[name]
            return None

        first.sni_callback = chosen
        return first


def _context(certificates, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.crt", certificates / f"{name}.key")
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _nobody(exchange):
    await exchange.answer(421, {"error": f"no look-alike is called {exchange.host}"})


async def end(writer):
    writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), 1)
    except (OSError, TimeoutError):
        writer.transport.abort()
