"""One answer as it comes from upstream: its head, then its body piece by piece."""

import re
from collections.abc import Awaitable, Callable

from hostkit.gateway.framing import Frame, UntilClosed, frame_of_answer
from hostkit.gateway.http import ANSWER_LIMIT, AnswerHead, BadMessage, Headers, keeps, read_answer
from hostkit.gateway.requests import Denied

More = Callable[[], Awaitable[bytes]]
"""Reads on, empty at the end of the connection."""
_BARE = re.compile(rb"(?<!\r)\n")
_INTERIM = 100
"""Interim answers that may come before one: a server at long work says that it is every few seconds."""


class Incoming:
    """Reads one answer to a request of `method`: `head` first, then `piece` until it is empty."""

    def __init__(self, method: str, more: More) -> None:
        self._method, self._more, self._buffer = method, more, b""
        self._frame: Frame | None = None
        self._keeps = False

    async def head(self) -> AnswerHead:
        """Return the head, interim ones left out but for the switch of protocols; raise Denied `bad-answer`."""
        try:
            head = await self._told()
        except BadMessage as why:
            raise Denied("bad-answer", str(why)) from None
        self._frame, self._keeps = frame_of_answer(self._method, head), keeps(head) and head.status != 101
        return head

    async def _told(self) -> AnswerHead:
        for _ in range(_INTERIM + 1):
            head = read_answer(await self._raw())
            if head.status >= 200 or head.status == 101:
                return head
        raise BadMessage(f"over {_INTERIM} interim answers")

    async def _raw(self) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n") + 4) < 4 and len(self._buffer) <= ANSWER_LIMIT:
            if _BARE.search(self._buffer):  # who ends lines so waits for nothing more
                raise BadMessage("a bare line end in the head of an answer")
            more = await self._more()
            if not more:
                raise BadMessage("the connection was closed before the answer")
            self._buffer += more
        if not 4 <= end <= ANSWER_LIMIT:
            raise BadMessage(f"no head of an answer that ends within {ANSWER_LIMIT} bytes")
        raw, self._buffer = self._buffer[:end], self._buffer[end:]
        return raw

    async def piece(self) -> bytes:
        """Return the next octets of the body, empty at its end; raise Denied `bad-answer` if it is not whole."""
        frame = self._frame
        while frame is not None and not frame.done:
            data, self._buffer = self._buffer or await self._more(), b""
            try:
                if not data:
                    frame.close()
                elif piece := frame.feed(data):
                    return piece
            except BadMessage as why:
                raise Denied("bad-answer", str(why)) from None
        return b""

    @property
    def trailers(self) -> Headers:
        """What followed the body."""
        return self._frame.trailers if self._frame else ()

    @property
    def rest(self) -> bytes:
        """What came after the answer."""
        return (self._frame.rest if self._frame else b"") + self._buffer

    @property
    def kept(self) -> bool:
        """Whether the connection can take another request: the answer is whole, and nothing unasked came behind it."""
        frame = self._frame
        return self._keeps and frame is not None and frame.done and not isinstance(frame, UntilClosed) and not self.rest
