"""slack_sdk's web client: who am I, where may I write, one message, one stream."""

import json
import os
import sys

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

TEXT = sys.argv[1] if len(sys.argv) > 1 else "hello from slack_sdk"


def told(client):
    """Return what each call said."""
    known = client.auth_test()
    channel = client.conversations_list()["channels"][0]["id"]
    posted = client.chat_postMessage(channel=channel, text=TEXT)
    stream = client.chat_stream(
        channel=channel,
        thread_ts=posted["ts"],
        recipient_team_id=known["team_id"],
        recipient_user_id="U0REAL0009",
        buffer_size=8,
    )
    for piece in ("first piece ", "second piece ", "third"):
        stream.append(markdown_text=piece)
    ended = stream.stop()
    return {"team": known["team_id"], "channel": channel, "text": posted["message"]["text"], "stream": ended["ok"]}


try:
    found = told(WebClient(token=os.environ["SLACK_BOT_TOKEN"]))
except SlackApiError as why:
    found = {"error": why.response["error"]}
sys.stdout.write(json.dumps({"client": "slack_sdk", **found}) + "\n")
