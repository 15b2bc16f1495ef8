"""slack_sdk's upload: an address is asked for, the octets go there, and the file is shared."""

import json
import os
import sys

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

CONTENT = sys.argv[1] if len(sys.argv) > 1 else "one,two\n1,2\n"

try:
    client = WebClient(token=os.environ["SLACK_BOT_TOKEN"])
    done = client.files_upload_v2(channel="C0REAL0001", filename="numbers.csv", title="Numbers", content=CONTENT)
    found = {"id": done["files"][0]["id"], "size": done["files"][0].get("size")}
except SlackApiError as why:
    found = {"error": why.response["error"]}
sys.stdout.write(json.dumps({"client": "slack_sdk files", **found}) + "\n")
