"""Slack's look-alike: the web API, the upload host, and Socket Mode."""

import asyncio
import itertools
import json

from tests.lookalikes.names import APPS, SLACK_FILES, SLACK_SOCKETS, TEAMS
from tests.lookalikes.sockets import Socket

CHANNELS = [{"id": "C0REAL0001", "name": "general"}, {"id": "C0REAL0002", "name": "numbers"}]
PROFILE = {"user": "lookalike", "user_id": "U0REAL0001", "bot_id": "B0REAL0001"}


class Slack:
    """A workspace per token; it knows what was uploaded, and which tickets it gave out."""

    def __init__(self, delay):
        self.delay, self.numbers = delay, itertools.count(1)
        self.uploads, self.tickets = {}, {}

    async def api(self, exchange):
        """Answer `/api/METHOD` as Slack does: 200 whatever is wrong, `ok` tells."""
        name = exchange.path.removeprefix("/api/").replace(".", "_")
        method = getattr(self, f"do_{name}", None) if exchange.path.startswith("/api/") else None
        fields = exchange.fields()
        token = exchange.header("authorization").removeprefix("Bearer ") or fields.get("token", "")
        owners = APPS if name == "apps_connections_open" else TEAMS
        if not token or token not in owners:
            told = {"ok": False, "error": "invalid_auth" if token else "not_authed"}
        elif method is None:
            told = {"ok": False, "error": "unknown_method"}
        else:
            told = method(owners[token], fields)
        headers = [("x-oauth-scopes", "chat:write,files:write,channels:read"), ("x-slack-req-id", f"{id(fields):x}")]
        await exchange.answer(200, told, headers)

    def do_auth_test(self, team, fields):
        url = f"https://{'lookalike' if 'REAL' in team else 'elsewhere'}.slack.com/"
        return {"ok": True, "url": url, "team": "Lookalike", "team_id": team, **PROFILE, "is_enterprise_install": False}

    def do_conversations_list(self, team, fields):
        found = [{**channel, "context_team_id": team, "is_channel": True} for channel in CHANNELS]
        return {"ok": True, "channels": found, "response_metadata": {"next_cursor": ""}}

    def do_chat_postMessage(self, team, fields):  # noqa: N802 - Slack's name
        message = {"type": "message", "text": fields.get("text", ""), "team": team, "user": "U0REAL0001"}
        message["bot_profile"] = {"id": "B0REAL0001", "app_id": "A0REAL0001", "team_id": team}
        return {"ok": True, "channel": fields.get("channel"), "ts": self._stamp(), "message": message}

    do_chat_update = do_chat_postMessage

    def do_chat_startStream(self, team, fields):  # noqa: N802 - Slack's name
        return {"ok": True, "channel": fields.get("channel"), "ts": self._stamp()}

    def do_chat_appendStream(self, team, fields):  # noqa: N802 - Slack's name
        return {"ok": True, "channel": fields.get("channel"), "ts": fields.get("ts")}

    def do_chat_stopStream(self, team, fields):  # noqa: N802 - Slack's name
        return {**self.do_chat_postMessage(team, fields), "ts": fields.get("ts")}

    def do_files_getUploadURLExternal(self, team, fields):  # noqa: N802 - Slack's name
        number = next(self.numbers)
        self.uploads[f"F0REAL{number:04}"] = {"length": int(fields.get("length", 0)), "came": None, "team": team}
        url = f"https://{SLACK_FILES}/upload/v1/F0REAL{number:04}"
        return {"ok": True, "upload_url": url, "file_id": f"F0REAL{number:04}"}

    def do_files_completeUploadExternal(self, team, fields):  # noqa: N802 - Slack's name
        files = fields.get("files", "[]")
        files = json.loads(files) if isinstance(files, str) else files
        known = [self.uploads.get(file["id"], {}) for file in files]
        if not files or any(one.get("team") != team or one["came"] != one["length"] for one in known):
            return {"ok": False, "error": "file_not_found"}
        pairs = zip(files, known, strict=True)
        return {"ok": True, "files": [{**file, "size": one["came"], "mimetype": "text/plain"} for file, one in pairs]}

    def do_apps_connections_open(self, app, fields):
        ticket = f"ticket-{next(self.numbers)}"
        self.tickets[ticket] = app
        return {"ok": True, "url": f"wss://{SLACK_SOCKETS[0]}/link/?ticket={ticket}&app_id={app}"}

    async def files(self, exchange):
        """Take an upload: no key, the address is enough."""
        found = self.uploads.get(exchange.path.removeprefix("/upload/v1/"))
        if found is None or exchange.method != "POST":
            return await exchange.answer(404, b"no such upload")
        found["came"] = len(exchange.octets)
        return await exchange.answer(200, f"OK - {len(exchange.octets)}".encode())

    async def link(self, exchange):
        """Open a socket for a ticket, once; say hello, send an event, and take its acknowledgement."""
        app = self.tickets.pop(exchange.query.get("ticket", ""), None)
        if app is None or exchange.path != "/link/":
            return await exchange.answer(403, {"ok": False, "error": "invalid_ticket"})
        socket = Socket(exchange, exchange.say)
        await socket.accept()
        shown = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": app}}
        await socket.text(json.dumps(shown))
        await socket.ping(b"Ping from lookalike")
        await socket.text(json.dumps(_event(app)))  # whole: slack_sdk joins no fragments
        async for message in socket:
            if json.loads(message).get("envelope_id") == "E-1":
                await asyncio.sleep(self.delay)
                await socket.text(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
        return None

    def _stamp(self):
        return f"1700000000.{next(self.numbers):06}"


def _event(app):
    event = {"type": "app_mention", "text": "how many orders?", "channel": "C0REAL0001", "user": "U0REAL0009"}
    payload = {"type": "event_callback", "team_id": "T0REAL0001", "api_app_id": app, "event": event}
    return {"envelope_id": "E-1", "type": "events_api", "accepts_response_payload": False, "payload": payload}
