import pytest

from tests.policy.services.kit import LINES, against, lowest, opened, route

GITHUB = LINES["github"]
REPO = "api.github.com/repos/acme/dbt"


@pytest.mark.parametrize(
    ("request_", "level"),
    [
        (f"GET {REPO}", "observer"),
        (f"GET {REPO}/pulls/1/files", "observer"),
        ("GET api.github.com/user", "observer"),
        ("GET codeload.github.com/acme/dbt/legacy.tar.gz/main", "observer"),
        ("GET github.com/acme/dbt.git/info/refs", "observer"),
        ("POST github.com/acme/dbt/git-upload-pack", "observer"),
        (f"POST {REPO}/issues", "operator"),
        (f"PATCH {REPO}/issues/comments/7", "operator"),
        (f"POST {REPO}/pulls", "contributor"),
        ("POST github.com/acme/dbt.git/git-receive-pack", "contributor"),
        (f"PUT {REPO}/pulls/1/merge", "deployer"),
        ("POST uploads.github.com/repos/acme/dbt/releases/1/assets", "deployer"),
        *(
            (request, "never")
            for request in (
                "GET api.github.com/repos/acme/other",
                "GET api.github.com/repos/evil/dbt",
                "GET github.com/evil/dbt.git/info/refs",
                "POST github.com/acme/dbt-evil/git-receive-pack",
                "POST github.com/acme/dbt.git/info/lfs/objects/batch",
                "POST api.github.com/gists",
                "POST api.github.com/user/repos",
                "POST api.github.com/graphql",
                "GET api.github.com/search/code",
                f"POST {REPO}/forks",
                f"POST {REPO}/hooks",
                f"POST {REPO}/keys",
                f"POST {REPO}/transfer",
                f"POST {REPO}/dispatches",
                f"PUT {REPO}/actions/secrets/X",
            )
        ),
    ],
)
def test_each_request_begins_at_its_level_or_is_refused_at_all(request_, level):
    assert lowest(GITHUB, request_) == level


def test_graphql_is_there_only_where_it_is_asked_for():
    asked = "github: {secret: one, owner: acme, repositories: [dbt], also: [graphql]}"
    assert lowest(asked, "POST api.github.com/graphql") == "operator"


def test_git_announces_a_push_from_contributor_on_only():
    asked = "GET github.com/acme/dbt/info/refs"
    push = {"service": "git-receive-pack"}
    assert against(route(opened(GITHUB), asked), push, "query") == ["query service holds what is not listed"]
    assert against(route(opened(GITHUB), asked), {}, "query") == ["query service is missing"]
    assert against(route(opened(GITHUB, "contributor"), asked), push, "query") == []


def test_rest_takes_the_key_as_bearer_and_git_as_a_password_after_it_was_asked_for_one():
    rest, git = opened(GITHUB)
    assert rest.credentials[0].places == ("header:authorization=Bearer {}", "header:authorization=token {}")
    assert (git.credentials[0].places, rest.login, git.login) == (("basic",), False, True)
    assert rest.credentials[0].placeholder == git.credentials[0].placeholder


def test_both_halves_bear_one_name_and_so_count_in_one_budget():
    rest, git = opened("github: {secret: one, owner: acme, repositories: [dbt], budgets: {requests: {day: 9}}}")
    assert (rest.name, rest.budgets) == (git.name, git.budgets)


def test_an_enterprise_is_named_to_github_and_never_by_the_agent():
    rest, git = opened("github: {secret: one, owner: acme, repositories: [dbt], enterprise: '42'}")
    assert rest.sets == git.sets == ("sec-GitHub-allowed-enterprise: 42",)
    assert {one.drops for one in opened(GITHUB)} == {("sec-github-allowed-enterprise",)}
