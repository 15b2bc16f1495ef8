"""requests: a GET and a POST with a key, and what arrived of each."""

import json
import os
import sys

import requests

URL = sys.argv[1] if len(sys.argv) > 1 else "https://echo.example/reflect?encode=gzip"
KEY = {"Authorization": f"Bearer {os.environ.get('TOKEN', 'none')}"}

try:
    got = requests.get(URL, headers=KEY, timeout=15)
    posted = requests.post(URL, headers=KEY, json={"rows": [1, 2, 3]}, timeout=15)
    found = {"status": [got.status_code, posted.status_code], "got": got.json(), "posted": posted.json()}
except (requests.RequestException, ValueError) as why:
    found = {"error": f"{type(why).__name__}: {why}"}
sys.stdout.write(json.dumps({"client": "requests", **found}) + "\n")
