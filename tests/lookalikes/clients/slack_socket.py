"""slack_sdk's Socket Mode: takes an event, acknowledges it, and again after the refresh that the server asks for."""

import json
import os
import queue
import sys

from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

EVENTS = queue.Queue()


def take(client, request):
    """Acknowledge an envelope, and keep what was in it."""
    client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
    EVENTS.put(request.payload)


client = SocketModeClient(app_token=os.environ["SLACK_APP_TOKEN"])
client.socket_mode_request_listeners.append(take)
try:
    client.connect()
    taken = [EVENTS.get(timeout=15) for _ in range(2)]
    found = {"team": taken[0]["team_id"], "text": taken[0]["event"]["text"], "events": len(taken)}
except (queue.Empty, Exception) as why:
    found = {"error": f"{type(why).__name__}: {why}"}
sys.stdout.write(json.dumps({"client": "slack_sdk socket", **found}) + "\n")
sys.stdout.flush()
client.close()
os._exit(0)
