"""anthropic: one whole answer and one stream, with the time between its first and last piece."""

import json
import sys
import time

import anthropic

ASK = {"model": "claude-look", "max_tokens": 64}
ASK["messages"] = [{"role": "user", "content": sys.argv[1] if len(sys.argv) > 1 else "how many orders?"}]


def told(client):
    """Return both answers, whose account it is, and how the pieces came."""
    whole = client.messages.with_raw_response.create(**ASK)
    with client.messages.stream(**ASK) as stream:
        pieces = [(time.monotonic(), text) for text in stream.text_stream]
        usage = stream.get_final_message().usage
    return {
        "text": whole.parse().content[0].text,
        "organisation": whole.headers.get("anthropic-organization-id"),
        "streamed": "".join(text for _, text in pieces),
        "pieces": len(pieces),
        "seconds": round(pieces[-1][0] - pieces[0][0], 2),
        "tokens": [usage.input_tokens, usage.output_tokens],
    }


try:
    found = told(anthropic.Anthropic(max_retries=0))
except anthropic.APIError as why:
    found = {"error": f"{type(why).__name__}: {why}"}
sys.stdout.write(json.dumps({"client": "anthropic", **found}) + "\n")
