"""GitHub's REST look-alike: who the key is, a repository, and issues."""

import itertools

from tests.lookalikes.names import LOGINS, REPOSITORIES

NUMBERS = itertools.count(1)


def token_of(exchange):
    """Return the token behind `Bearer` or `token`, as GitHub takes both."""
    scheme, _, token = exchange.header("authorization").partition(" ")
    return token if scheme.lower() in ("bearer", "token") else ""


async def serve(exchange):
    """Answer api.github.com."""
    login = LOGINS.get(token_of(exchange))
    headers = [("X-GitHub-Request-Id", "LOOK:1"), ("X-OAuth-Scopes", "repo")]
    headers.append(("github-authentication-token-expiration", "2099-01-01 00:00:00 UTC"))
    if login is None:
        return await exchange.answer(401, {"message": "Bad credentials"}, headers)
    status, told = _told(exchange, login)
    return await exchange.answer(status, told, headers)


def _told(exchange, login):
    if (exchange.method, exchange.path) == ("GET", "/user"):
        return 200, {"login": login, "id": 1, "type": "User"}
    _, first, *rest = exchange.path.split("/")
    name = "/".join(rest[:2])
    if first != "repos" or name not in REPOSITORIES:
        return 404, {"message": "Not Found"}
    if exchange.method == "GET" and len(rest) == 2:
        return 200, {"id": 7, "full_name": name, "private": True, "owner": {"login": rest[0]}, "default_branch": "main"}
    if exchange.method == "POST" and rest[2:] == ["issues"]:
        number = next(NUMBERS)
        page = f"https://github.com/{name}/issues/{number}"
        return 201, {"number": number, "title": exchange.fields().get("title"), "html_url": page}
    return 404, {"message": "Not Found"}
