"""An answer on its way to the agent: judged, opened, its keys taken out, its tokens counted, framed anew."""

from hostkit.gateway.http import AnswerHead, BadRequest, Headers, end_to_end
from hostkit.gateway.inspect.fields import found, parse_json
from hostkit.gateway.inspect.inflate import Inflater
from hostkit.gateway.inspect.judge import Allowed, judge_answer_body, judge_answer_head
from hostkit.gateway.inspect.scrub import Scrubber
from hostkit.gateway.inspect.tickets import Tickets
from hostkit.gateway.inspect.usage import Usage
from hostkit.gateway.inspect.vault import Vault
from hostkit.gateway.requests import Denied
from hostkit.gateway.services import LIMIT

_ELSEWHERE = frozenset({b"alt-svc"})
_NEVER = _ELSEWHERE | {b"set-cookie", b"strict-transport-security", b"public-key-pins"}
"""Headers of an answer that would lead the agent round this gateway, or hand it a session beside the key."""


class Answer:
    """One answer: `head` first, then `piece` for all of its body, then `last`; each returns what the agent may see."""

    def __init__(self, allowed: Allowed, method: str, vault: Vault, tickets: Tickets) -> None:
        self._allowed, self._method, self._vault, self._tickets = allowed, method, vault, tickets
        self._keyed = bool(allowed.service.credentials)
        self._scrubber = Scrubber(vault.needles) if self._keyed else None
        self._inflater: Inflater | None = None
        self._whole: bytearray | None = None
        self.judged = True
        """Whether what was returned so far may be shown: not before the end where the whole is judged first."""
        self.usage: Usage | None = None

    def head(self, head: AnswerHead) -> Headers:
        """Return the headers as the agent sees them; raise Denied if another account answered, or in a strange coding.

        The switch to a WebSocket is a good answer too, without a body.
        """
        headers = end_to_end(head.headers)
        told = dict(headers)
        if self._allowed.service.usage:
            self.usage = Usage(self._allowed.service, told.get(b"content-type", b"").decode("latin-1"))
        good = head.status == 101 or 200 <= head.status < 300
        if good:
            judge_answer_head(self._allowed.route.expects, headers)
        bodiless = self._method == "HEAD" or head.status == 101
        if good and self._allowed.reads_answer and not bodiless:
            self._whole, self.judged = bytearray(), False
        coding = told.get(b"content-encoding", b"identity").strip().lower().decode("latin-1")
        if self._allowed.opens_answer and coding != "identity" and not bodiless:
            self._inflater = Inflater(coding)
        return self._shown(headers)

    def _shown(self, headers: Headers) -> Headers:
        gone = _NEVER if self._keyed else _ELSEWHERE
        if self._inflater:
            gone |= {b"content-encoding", b"content-length"}
        kept = tuple((name, value) for name, value in headers if name not in gone)
        return self.scrubbed(kept) if self._keyed else kept

    def scrubbed(self, headers: Headers) -> Headers:
        """Return headers, or trailers, with no key in their names and values; in one go, for most hold none."""
        joined = b"\n".join(part for pair in headers for part in pair)
        clean = self._vault.needles.clean(joined)
        if clean is joined:
            return headers
        parts = clean.split(b"\n")
        return tuple(zip(parts[::2], parts[1::2], strict=True))

    def trailers(self, headers: Headers) -> Headers:
        """Return the trailers as the agent sees them: none that belongs in the head, no key."""
        shown = self._shown(end_to_end(headers))
        return tuple(pair for pair in shown if pair[0] not in {b"content-length", b"content-encoding"})

    def piece(self, data: bytes) -> list[bytes]:
        """Return what the agent may see of a piece of the body: nothing yet where the whole is judged first."""
        opened = self._inflater.feed(data) if self._inflater else (data,)
        return [clean for part in opened if (clean := self._clean(part))]

    def _clean(self, data: bytes) -> bytes:
        if self.usage is not None:
            self.usage.feed(data)
        if self._whole is not None:
            self._whole += data
            if len(self._whole) > LIMIT:
                raise Denied("answer-pin", f"an answer of over {LIMIT} bytes, which has to be read whole")
            return b""
        return self._scrubber.feed(data) if self._scrubber else data

    def last(self) -> bytes:
        """Return the rest of the body; raise Denied if the whole of it is not as it must be, or was cut short."""
        if self._inflater and not self._inflater.whole:
            raise Denied("encoding", "an answer whose compression was cut short")
        if self._whole is not None:
            self._judge(bytes(self._whole))
            return self._vault.needles.clean(bytes(self._whole))
        return self._scrubber.finish() if self._scrubber else b""

    def _judge(self, data: bytes) -> None:
        route = self._allowed.route
        try:
            plain = parse_json(data) if data else {}
        except BadRequest as why:
            raise Denied("answer-pin", f"the answer cannot be judged: {why}") from None
        judge_answer_body(route.expects, plain)
        for entry in route.issues:
            word, _, field = entry.partition("=")
            for address in _texts(plain, field):
                self._tickets.issue(word, address)


def _texts(plain: object, field: str) -> list[str]:
    return [value for value in found(plain, field) if isinstance(value, str)]
