"""urllib3's PoolManager: it obeys no proxy variable either."""

import json
import os
import sys

import urllib3

URL = sys.argv[1] if len(sys.argv) > 1 else "https://echo.example/reflect?encode=gzip"
KEY = {"Authorization": f"Bearer {os.environ.get('TOKEN', 'none')}"}

try:
    pool = urllib3.PoolManager(headers=KEY, retries=False, timeout=15, ca_certs=os.environ.get("SSL_CERT_FILE"))
    got, posted = pool.request("GET", URL), pool.request("POST", URL, json={"rows": [1, 2, 3]}, headers=KEY)
    found = {"status": [got.status, posted.status], "got": got.json(), "posted": posted.json()}
except (urllib3.exceptions.HTTPError, ValueError) as why:
    found = {"error": f"{type(why).__name__}: {why}"}
sys.stdout.write(json.dumps({"client": "urllib3", **found}) + "\n")
