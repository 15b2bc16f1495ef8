import pytest

from tests.policy.services.kit import LEVELS, LINES, against, lowest, opened, route

SLACK = LINES["slack"]


@pytest.mark.parametrize(
    ("request_", "level"),
    [
        ("POST slack.com/api/auth.test", "observer"),
        ("GET slack.com/api/conversations.history", "observer"),
        ("POST slack.com/api/files.list", "observer"),
        ("GET files.slack.com/files-pri/T0123-F1/a.png", "observer"),
        ("POST slack.com/api/chat.postMessage", "analyst"),
        ("POST slack.com/api/chat.appendStream", "analyst"),
        ("POST slack.com/api/files.getUploadURLExternal", "analyst"),
        ("POST files.slack.com/upload/v1/abc", "analyst"),
        ("POST slack.com/api/apps.connections.open", "analyst"),
        ("GET wss-primary.slack.com/link/", "analyst"),
        ("POST slack.com/api/chat.scheduleMessage", "operator"),
        ("POST slack.com/api/search.messages", "operator"),
        ("POST slack.com/api/views.open", "operator"),
        ("POST hooks.slack.com/actions/T0123/1/x", "operator"),
        *(
            (request, "never")
            for request in (
                "GET slack.com/api/chat.postMessage",
                "POST slack.com/api/conversations.inviteShared",
                "POST slack.com/api/conversations.acceptSharedInvite",
                "POST slack.com/api/conversations.invite",
                "POST slack.com/api/admin.users.invite",
                "POST slack.com/api/oauth.v2.access",
                "POST slack.com/api/apps.manifest.create",
                "POST slack.com/api/tooling.tokens.rotate",
                "POST slack.com/api/api.test",
                "POST slack.com/api/blocks.validate",
                "POST slack.com/api/views.publish",
                "POST slack.com/api/next.years.method",
                "GET files.slack.com/files-pri/T9999-F1/a.png",
                "POST hooks.slack.com/services/T0123/B1/x",
                "POST hooks.slack.com/actions/T9999/1/x",
                "GET wss-primary.slack.com/other",
                "POST wss-primary.slack.com/link/",
            )
        ),
    ],
)
def test_each_method_begins_at_its_level_or_is_refused_at_all(request_, level):
    assert lowest(SLACK, request_) == level


@pytest.mark.parametrize("level", LEVELS)
def test_no_level_has_a_method_that_invites_administers_or_hands_out_keys(level):
    refused = ("admin.", "oauth.", "openid.", "apps.manifest.", "tooling.", "migration.", "channels.", "im.", "groups.")
    methods = {one.path.removeprefix("/api/") for one in opened(SLACK, level)[0].routes}
    assert not [method for method in methods if method.startswith(refused) or "nvite" in method]


def test_an_observer_posts_nothing():
    (service,) = opened(SLACK, "observer")
    assert not [one for one in service.routes if one.counts or one.socket or one.ticket or one.issues]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"channel": "C11", "text": "x"}, []),
        ({"channel": "C12", "team_id": "T0123"}, []),
        ({"channel": "C99", "text": "x"}, ["body channel holds what is not listed"]),
        ({"channel": ["C11", "D9"], "text": "x"}, ["body channel holds what is not listed"] * 2),
        ({"text": "x"}, ["body channel is missing"]),
        ({"channel": "C11", "channel_id": "C99"}, ["body channel_id holds what is not listed"]),
        ({"channel": "C11", "team_id": "T9999"}, ["body team_id holds what is not listed"]),
        ({"channel": "C11", "recipient_team_id": "T9"}, ["body recipient_team_id holds what is not listed"]),
        ({"channel": "C11", "token": "xoxb-mine"}, ["body token must not be there"]),
    ],
)
def test_a_post_goes_to_a_listed_channel_of_the_team_without_a_token_of_its_own(body, why):
    broken = against(route(opened(SLACK), "POST slack.com/api/chat.postMessage"), body)
    assert set(broken) == set(why)


def test_a_read_names_listed_channels_only_in_its_query_too():
    history = route(opened(SLACK), "GET slack.com/api/conversations.history")
    assert against(history, {"channel": "C99"}, "query") == ["query channel holds what is not listed"]
    assert against(history, {"channel": "C11"}, "query") == []
    files = route(opened(SLACK), "POST slack.com/api/files.list")
    assert against(files, {}) == ["body channel is missing"]


def test_without_channels_nothing_is_posted():
    post = route(opened("slack: {secret: one, team: T0123}"), "POST slack.com/api/chat.postMessage")
    assert "body channel must not be there" in against(post, {"channel": "C11"})
    assert against(post, {}) == ["body channel is missing"]


def test_the_upload_and_the_socket_lead_only_where_an_answer_said():
    (service,) = opened(SLACK)
    upload, socket = (
        route((service,), asked) for asked in ("POST files.slack.com/upload/v1/a", "GET wss-backup.slack.com/link/")
    )
    assert (upload.ticket, upload.credential, socket.ticket, socket.socket) == ("upload", "", "socket", True)
    issues = {one.path: one.issues for one in service.routes if one.issues}
    assert issues == {
        "/api/files.getUploadURLExternal": ("upload=upload_url",),
        "/api/apps.connections.open": ("socket=url",),
    }


def test_each_key_has_its_own_requests_and_without_the_apps_key_there_is_no_socket_to_open():
    asked = "POST slack.com/api/apps.connections.open"
    assert route(opened(SLACK), asked).credential == "two"
    assert route(opened(SLACK), "POST slack.com/api/chat.postMessage").credential == "one"
    assert route(opened("slack: {secret: one, team: T0123}"), asked) is None


def test_the_team_is_asked_for_at_the_start_and_checked_in_each_answer_to_a_post():
    (service,) = opened(SLACK)
    assert service.verify == "POST slack.com /api/auth.test"
    assert [(pin.field, pin.values, pin.required) for pin in service.verified] == [("team_id", ("T0123",), True)]
    post = route((service,), "POST slack.com/api/chat.postMessage")
    assert {pin.field: pin.values for pin in post.expects} == {"message.team": ("T0123",), "channel": ("C11", "C12")}


POST = "POST slack.com/api/chat.postMessage"
ELSEWHERE = "https://elsewhere.example/secret.png"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"blocks": [{"type": "image", "image_url": ELSEWHERE}]}, "**.image_url"),
        ({"attachments": [{"thumb_url": ELSEWHERE}]}, "**.thumb_url"),
        ({"icon_url": ELSEWHERE}, "icon_url"),
        ({"text": ELSEWHERE, "unfurl_links": True}, "unfurl_links"),
        ({"text": ELSEWHERE, "unfurl_media": "1"}, "unfurl_media"),
    ],
)
def test_what_slack_would_fetch_itself_is_refused(body, field):
    (why,) = against(route(opened(SLACK), POST), {"channel": "C11", **body})
    assert why.startswith(f"body {field} ")


@pytest.mark.parametrize("no", [False, "false", 0])
def test_a_post_may_say_that_nothing_is_unfolded(no):
    assert against(route(opened(SLACK), POST), {"channel": "C11", "text": "x", "unfurl_media": no}) == []


def test_blocks_that_are_a_text_in_json_are_read_as_blocks():
    (service,) = opened(SLACK)
    assert service.nested
