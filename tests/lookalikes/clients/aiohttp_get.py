"""aiohttp without trust_env: it obeys no proxy variable, so it goes to whatever the name leads to, on 443."""

import asyncio
import json
import os
import sys

import aiohttp

URL = sys.argv[1] if len(sys.argv) > 1 else "https://echo.example/reflect?encode=gzip"
KEY = {"Authorization": f"Bearer {os.environ.get('TOKEN', 'none')}"}


async def told():
    """Return what arrived of a GET and a POST, and what a WebSocket sent back."""
    async with aiohttp.ClientSession(headers=KEY) as session:
        async with session.get(URL) as got, session.post(URL, json={"rows": [1, 2, 3]}) as posted:
            found = {"status": [got.status, posted.status], "got": await got.json(), "posted": await posted.json()}
        async with session.ws_connect("https://echo.example/socket?pieces=3", compress=15) as socket:
            await socket.send_str("hello socket")
            return {**found, "socket": await socket.receive_str(timeout=15)}


try:
    found = asyncio.run(told())
except (aiohttp.ClientError, OSError, ValueError, TypeError) as why:
    found = {"error": f"{type(why).__name__}: {why}"}
sys.stdout.write(json.dumps({"client": "aiohttp", **found}) + "\n")
