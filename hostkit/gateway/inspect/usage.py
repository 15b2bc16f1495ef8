"""The tokens that an answer says it took, read on the side while it passes on; JSON and event streams."""

import json
from typing import Any

from hostkit.gateway.inspect.fields import found
from hostkit.gateway.services import LIMIT, Price, Service


class Usage:
    """Reads one answer's counts; what is too long or no JSON counts nothing, and never disturbs the answer."""

    def __init__(self, service: Service, content_type: str) -> None:
        pairs = [entry.partition("=") for entry in service.usage]
        self._fields = [(kind, field) for kind, _, field in pairs]
        self._words = {field.rpartition(".")[2].encode() for _, field in self._fields}
        kind = content_type.partition(";")[0].strip().lower()
        self._events = kind == "text/event-stream"
        self._reads = bool(pairs) and (self._events or kind == "application/json")
        self._held, self._lost = bytearray(), False
        self.counts: dict[str, int] = {}
        self.model, self._size, self._lines = "", 0, 0

    def feed(self, data: bytes) -> None:
        """Read a piece of the answer."""
        if not self._reads or self._lost:
            return
        self._held += data
        self._size += len(data)
        while self._events and (end := self._held.find(b"\n")) >= 0:
            line = bytes(self._held[:end])
            del self._held[: end + 1]
            self._lines += line.startswith(b"data:")
            if line.startswith(b"data:") and any(word in line for word in self._words):
                self._take(line[5:])
        if len(self._held) > LIMIT:
            self._held, self._lost = bytearray(), True

    def finish(self) -> dict[str, int]:
        """Return the counts by kind (`input`, `output`), empty if the service tells none in this form.

        Where an answer should have told and did not (it was left early, or is too long to read) its output is
        estimated: an event for each token of a stream, four octets for each of the rest.
        """
        if self._reads and self._held and not self._lost and not self._events:
            self._take(bytes(self._held))
        if self._reads and any(kind == "output" for kind, _ in self._fields) and not self.counts.get("output"):
            self.counts["output"] = self._lines if self._events else self._size // 4 if self._lost else 0
        return {kind: count for kind, count in self.counts.items() if count}

    def _take(self, text: bytes) -> None:
        """Read one object: its fields of a kind are added; a stream tells a running count, so the highest counts."""
        try:
            plain: Any = json.loads(text)
        except (ValueError, RecursionError):
            return
        models = [value for field in ("model", "message.model", "modelVersion") for value in found(plain, field)]
        self.model = next((value for value in models if isinstance(value, str)), self.model)
        told: dict[str, int] = {}
        for kind, field in self._fields:
            values = [value for value in found(plain, field) if isinstance(value, int) and value > 0]
            told[kind] = told.get(kind, 0) + sum(values)
        self.counts = {kind: max(self.counts.get(kind, 0), count) for kind, count in {**self.counts, **told}.items()}


def cost(prices: tuple[Price, ...], model: str, counts: dict[str, int]) -> int:
    """Return what the tokens cost, in millionths; the dearest price stands for a model that has none of its own."""
    if not prices:
        return 0
    fitting = [price for price in prices if _is(price.model, model)]
    dearest = max(prices, key=lambda price: (price.output, price.input))
    price = max(fitting, key=lambda one: len(one.model)) if fitting else dearest
    return (counts.get("input", 0) * price.input + counts.get("output", 0) * price.output) // 1000


def _is(pattern: str, model: str) -> bool:
    return model.startswith(pattern[:-1]) if pattern.endswith("*") else model == pattern
