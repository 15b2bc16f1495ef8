"""The look-alikes take the real key only, say whose it is, and answer in the forms that a gateway must stand."""

import base64
import gzip
import hashlib
import json
import socket
import ssl
import time
import zlib

import dns.message
import dns.rdatatype
import pytest

from tests.lookalikes import malformed, names
from tests.lookalikes.running import ADDRESS

CUT = "UNRECOGNIZED_NAME|ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|UNEXPECTED_EOF"
"""asyncio ends a handshake that fails mostly before its alert is out."""


def told(answer):
    return json.loads(answer[2])


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def slack(looks, method, key=names.BOT, **fields):
    return told(looks.ask(names.SLACK, f"/api/{method}", method="POST", body=json.dumps(fields),
                          Content_Type="application/json", **bearer(key)))  # fmt: skip


@pytest.mark.parametrize("name", names.NAMES)
def test_each_name_shows_a_certificate_that_a_strict_client_takes(looks, name):
    with looks.connect(name) as wire:
        assert wire.getpeercert()["subjectAltName"] == (("DNS", name),)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (names.EXPIRED, "certificate has expired"),
        (names.OTHER_NAME, "Hostname mismatch"),
        (names.OTHER_ISSUER, "unable to get local issuer certificate"),
        (names.OLD_TLS, CUT),
        ("nobody.example", CUT),
    ],
)
def test_what_is_unsound_is_refused_by_a_strict_client(looks, name, says):
    with pytest.raises(ssl.SSLError, match=says):
        looks.connect(name)


def test_the_resolver_answers_the_names_and_no_other(looks):
    for name, code in ((names.SLACK, 0), ("nobody.example", 3)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(5)
            wire.sendto(dns.message.make_query(name, "A").to_wire(), (ADDRESS, looks.names))
            answer = dns.message.from_wire(wire.recv(512))
        assert answer.rcode() == code
        assert [found.to_text() for rrset in answer.answer for found in rrset] == ([] if code else [ADDRESS])


def test_slack_takes_its_own_tokens_only_and_says_whose_team_they_are_of(looks):
    assert slack(looks, "auth.test")["team_id"] == "T0REAL0001"
    assert slack(looks, "auth.test", names.OTHER_BOT)["team_id"] == "T0OTHER002"
    assert slack(looks, "auth.test", "xoxb-placeholder") == {"ok": False, "error": "invalid_auth"}
    assert slack(looks, "apps.connections.open")["error"] == "invalid_auth"
    assert slack(looks, "chat.postMessage", channel="C1", text="hi")["message"]["text"] == "hi"
    form = looks.ask(names.SLACK, "/api/auth.test", method="POST", body=f"token={names.BOT}")
    assert told(form)["ok"]


def test_a_file_is_shared_once_its_octets_came_whole_and_not_before(looks):
    asked = slack(looks, "files.getUploadURLExternal", filename="a", length=5)
    share = {"files": [{"id": asked["file_id"], "title": "A"}], "channel_id": "C0REAL0001"}
    assert slack(looks, "files.completeUploadExternal", **share)["error"] == "file_not_found"
    path = asked["upload_url"].partition(names.SLACK_FILES)[2]
    assert looks.ask(names.SLACK_FILES, path, method="POST", body=b"12345")[2] == b"OK - 5"
    assert slack(looks, "files.completeUploadExternal", **share)["files"][0]["size"] == 5
    assert slack(looks, "files.completeUploadExternal", names.OTHER_BOT, **share)["error"] == "file_not_found"


@pytest.mark.parametrize(
    ("host", "path", "key", "shown", "header"),
    [
        (names.ANTHROPIC, "/v1/messages", names.ANTHROPIC_KEY, "x-api-key", "anthropic-organization-id"),
        (names.ANTHROPIC, "/v1/messages", names.OTHER_ANTHROPIC_KEY, "Authorization", "anthropic-organization-id"),
        (names.OPENAI, "/v1/chat/completions", names.OPENAI_KEY, "Authorization", "openai-organization"),
        (names.OPENAI, "/v1/responses", names.OTHER_OPENAI_KEY, "Authorization", "openai-organization"),
    ],
)
def test_a_models_host_takes_its_keys_only_and_says_whose_they_are(looks, host, path, key, shown, header):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "input": "hi"})
    ask = {"method": "POST", "body": body, "Content_Type": "application/json"}
    status, headers, answer = looks.ask(host, path, **ask, **{shown: key if shown == "x-api-key" else f"Bearer {key}"})
    assert (status, headers[header]) == (200, names.ORGANISATIONS[key])
    assert b"You said: hi" in answer
    assert looks.ask(host, path, **ask, **bearer("sk-placeholder"))[0] == 401


def test_openai_refuses_an_organisation_that_is_not_the_keys_or_not_allowed(looks):
    def ask(**headers):
        return looks.ask(names.OPENAI, "/v1/models", **bearer(names.OPENAI_KEY), **headers)[0]

    assert ask(OpenAI_Organization="org-real0001", OpenAI_Allowed_Organization_Ids="org-x, org-real0001") == 200
    assert ask(OpenAI_Organization="org-other002") == ask(OpenAI_Allowed_Organization_Ids="org-other002") == 403


@pytest.mark.parametrize(("host", "path", "last"), [
    (names.ANTHROPIC, "/v1/messages", b'"type": "message_stop"'),
    (names.OPENAI, "/v1/chat/completions", b"data: [DONE]"),
    (names.OPENAI, "/v1/responses", b'"type": "response.completed"'),
    (names.ECHO, "/events?count=4", b"data: event 3"),
])  # fmt: skip
def test_a_stream_comes_piece_by_piece(looks, host, path, last):
    body = json.dumps(
        {"stream": True, "messages": [{"role": "user", "content": "one two"}], "input": "one two"}
    ).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    key = names.ANTHROPIC_KEY if host == names.ANTHROPIC else names.OPENAI_KEY
    with looks.connect(host) as wire:
        wire.sendall(f"{head}Authorization: Bearer {key}\r\n\r\n".encode() + body)
        came, times = b"", []
        while not came.endswith(b"0\r\n\r\n"):
            came += wire.recv(65536)
            times.append(time.monotonic())
    assert last in came
    assert times[-1] - times[0] >= 0.1


def test_github_says_who_a_token_is_and_knows_its_repositories_only(looks):
    def ask(path, key=names.GITHUB_TOKEN, **more):
        return looks.ask(names.GITHUB_API, path, Authorization=f"token {key}", **more)

    assert told(ask("/user"))["login"] == "lookalike-bot"
    assert told(ask("/user", names.OTHER_GITHUB_TOKEN))["login"] == "somebody-else"
    assert ask("/user", "ghp_placeholder")[0] == 401
    assert told(ask("/repos/acme/widgets"))["full_name"] == "acme/widgets"
    assert ask("/repos/acme/nothing")[0] == 404
    title = {"body": b'{"title": "Numbers"}', "Content_Type": "application/json"}
    assert told(ask("/repos/acme/widgets/issues", method="POST", **title))["title"] == "Numbers"


def test_git_is_asked_without_a_key_first_and_answered_401(looks):
    path = "/acme/widgets/info/refs?service=git-upload-pack"
    status, headers, _ = looks.ask(names.GITHUB, path)
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="GitHub"')
    for key, status in ((names.GITHUB_TOKEN, 200), ("ghp_placeholder", 401)):
        login = base64.b64encode(f"x:{key}".encode()).decode()
        assert looks.ask(names.GITHUB, path, Authorization=f"Basic {login}")[0] == status


@pytest.mark.parametrize(("how", "opens"), [
    ("encode=gzip", gzip.decompress), ("encode=deflate", zlib.decompress),
    ("encode=raw&pieces=7", lambda octets: zlib.decompress(octets, -15)), ("pieces=1", bytes),
])  # fmt: skip
def test_what_arrived_is_said_back_in_any_coding_and_in_pieces(looks, how, opens):
    _, headers, octets = looks.ask(names.ECHO, f"/a?{how}", method="POST", body=b"rows", **bearer("k"))
    found = json.loads(opens(octets))
    assert (found["body"], found["digest"]) == ("rows", hashlib.sha256(b"rows").hexdigest())
    assert ["Authorization", "Bearer k"] in found["headers"]
    assert headers["Transfer-Encoding"] == "chunked"


def test_the_echo_host_answers_in_each_form_that_its_pages_name(looks):
    def ask(path, **more):
        return looks.ask(names.ECHO, path, **more)

    assert len(ask("/bytes/200000")[2]) == len(ask("/bytes/200000?chunked=1")[2]) == 200000
    assert ask("/drip?count=3&delay=0.01")[2] == b"ddd"
    assert ask("/redirect?to=https://elsewhere.example/&status=307")[1]["Location"] == "https://elsewhere.example/"
    assert ask("/early", method="POST", body=b"x" * 99)[0] == 413
    assert ask("/early?keep=1", method="POST", body=b"x" * 99)[0] == 200
    assert ask("/close?bytes=9")[2] == b"c" * 9
    assert len(ask("/headers?size=9000&count=2")[1]["X-Big-1"]) == 9000
    assert len(zlib.decompress(ask("/bomb?mib=3")[2], 31)) == 3 * 1024 * 1024


def test_a_client_that_waits_for_100_is_told_to_go_on_or_refused_before_its_body(looks):
    head = b"POST /continue%s HTTP/1.1\r\nHost: echo.example\r\nConnection: close\r\nExpect: 100-continue\r\n"
    head += b"Content-Length: 4\r\n\r\n"
    with looks.connect(names.ECHO) as wire:
        wire.sendall(head % b"")
        assert wire.recv(65536).startswith(b"HTTP/1.1 100 ")
        wire.sendall(b"rows")
        assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert looks.raw(names.ECHO, head % b"?mode=refuse").startswith(b"HTTP/1.1 417 ")


def test_trailers_carry_a_digest_and_the_key_that_came(looks):
    ask = b"GET /trailers HTTP/1.1\r\nHost: echo.example\r\nConnection: close\r\nAuthorization: Bearer k\r\n\r\n"
    digest = hashlib.sha256(b"with trailers").hexdigest().encode()
    assert looks.raw(names.ECHO, ask).endswith(b"0\r\nX-Digest: " + digest + b"\r\nX-Reflected: Bearer k\r\n\r\n")


@pytest.mark.parametrize("kind", sorted(malformed.KINDS))
def test_a_malformed_answer_leaves_as_it_was_written(looks, kind):
    ask = f"GET /malformed/{kind} HTTP/1.1\r\nHost: echo.example\r\n\r\n".encode()
    assert looks.raw(names.ECHO, ask) == b"".join(malformed.KINDS[kind])


def test_a_request_that_is_no_http_is_refused_and_noted(looks):
    assert looks.raw(names.ECHO, b"GET / HTTP/1.1\r\nHost : echo.example\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert "RemoteProtocolError" in looks.seen()[-1]["broken"]


def test_the_log_tells_what_arrived_in_the_file_too_until_it_is_forgotten(looks):
    looks.ask(names.ECHO, "/a?b=c", method="PUT", body=b"rows", **bearer("noted"))
    entry = looks.seen()[-1]
    assert [entry[key] for key in ("method", "host", "target", "sni", "tls", "body", "size")] == [
        "PUT", names.ECHO, "/a?b=c", names.ECHO, "TLSv1.3", "rows", 4,
    ]  # fmt: skip
    assert ["Authorization", "Bearer noted"] in entry["headers"]
    assert entry["digest"] == hashlib.sha256(b"rows").hexdigest()
    assert json.loads(looks.log.read_text().splitlines()[-1]) == entry
    looks.seen("DELETE")
    assert looks.seen() == []
