"""openai: a chat completion and a response, each whole and as a stream."""

import json
import sys
import time

import openai

WORDS = sys.argv[1] if len(sys.argv) > 1 else "how many orders?"
CHAT = {"model": "gpt-look", "messages": [{"role": "user", "content": WORDS}]}


def told(client):
    """Return what each way said, whose account it is, and how the pieces came."""
    whole = client.chat.completions.with_raw_response.create(**CHAT)
    chunks = client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})
    pieces = [(time.monotonic(), chunk) for chunk in chunks]
    events = client.responses.create(model="gpt-look", input=WORDS, stream=True)
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    return {
        "text": whole.parse().choices[0].message.content,
        "organisation": whole.headers.get("openai-organization"),
        "streamed": "".join(chunk.choices[0].delta.content or "" for _, chunk in pieces if chunk.choices),
        "seconds": round(pieces[-1][0] - pieces[0][0], 2),
        "tokens": pieces[-1][1].usage.total_tokens,
        "response": client.responses.create(model="gpt-look", input=WORDS).output_text,
        "response_streamed": "".join(deltas),
    }


try:
    found = told(openai.OpenAI(max_retries=0))
except openai.APIError as why:
    found = {"error": f"{type(why).__name__}: {why}"}
sys.stdout.write(json.dumps({"client": "openai", **found}) + "\n")
