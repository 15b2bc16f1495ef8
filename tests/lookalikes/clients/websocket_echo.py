"""websocket-client: a text, a long text, octets and a ping, sent back by the echo host."""

import json
import os
import sys

import websocket

URL = sys.argv[1] if len(sys.argv) > 1 else "wss://echo.example/socket?pieces=3"

try:
    key = [f"Authorization: Bearer {os.environ.get('TOKEN', 'none')}"]
    trusted = {"ca_certs": os.environ.get("SSL_CERT_FILE")}
    socket = websocket.create_connection(URL, timeout=15, sslopt=trusted, header=key)
    socket.send("hello socket")
    short = socket.recv()
    socket.send("x" * 100_000)
    long = len(socket.recv())
    socket.ping("still there")
    socket.send_binary(b"\0\1\2")
    found = {"short": short, "long": long, "octets": list(socket.recv())}
    socket.close()
except (websocket.WebSocketException, OSError) as why:
    found = {"error": f"{type(why).__name__}: {why}"}
sys.stdout.write(json.dumps({"client": "websocket-client", **found}) + "\n")
