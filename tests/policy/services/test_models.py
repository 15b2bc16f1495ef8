"""The four services whose requests are questions to a model."""

import pytest

from hostkit.gateway.services import Price
from tests.policy.services.kit import LINES, against, lowest, opened, route

ANTHROPIC, OPENAI, GEMINI, ROUTER = (LINES[kind] for kind in ("anthropic", "openai", "gemini", "openrouter"))
CLAUDE, GPT, GOOGLE = "api.anthropic.com", "api.openai.com", "generativelanguage.googleapis.com"
ASK_CLAUDE, ASK_GPT = f"POST {CLAUDE}/v1/messages", f"POST {GPT}/v1/responses"
ASK_GOOGLE, ASK_ROUTER = f"POST {GOOGLE}/v1beta/models/m:generateContent", "POST openrouter.ai/api/v1/chat/completions"


@pytest.mark.parametrize(
    ("line", "request_", "level"),
    [
        (ANTHROPIC, ASK_CLAUDE, "observer"),
        (ANTHROPIC, f"GET {CLAUDE}/v1/models", "observer"),
        (ANTHROPIC, f"POST {CLAUDE}/v1/files", "operator"),
        (ANTHROPIC, f"POST {CLAUDE}/v1/messages/batches", "operator"),
        (ANTHROPIC, f"POST {CLAUDE}/v1/skills", "never"),
        (ANTHROPIC, f"GET {CLAUDE}/v1/organizations/me", "never"),
        (ANTHROPIC, f"POST {CLAUDE}/v1/environments", "never"),
        (OPENAI, ASK_GPT, "observer"),
        (OPENAI, f"POST {GPT}/v1/chat/completions", "observer"),
        (OPENAI, f"POST {GPT}/v1/files", "operator"),
        (OPENAI, f"POST {GPT}/v1/batches", "never"),
        (OPENAI, f"POST {GPT}/v1/vector_stores", "never"),
        (OPENAI, f"GET {GPT}/v1/realtime", "never"),
        (OPENAI, f"GET {GPT}/v1/organization/users", "never"),
        (GEMINI, ASK_GOOGLE, "observer"),
        (GEMINI, f"POST {GOOGLE}/v1beta/models/m:streamGenerateContent", "observer"),
        (GEMINI, f"POST {GOOGLE}/upload/v1beta/files", "operator"),
        (GEMINI, f"POST {GOOGLE}/v1beta/cachedContents", "never"),
        (GEMINI, f"POST {GOOGLE}/v1beta/tunedModels", "never"),
        (ROUTER, ASK_ROUTER, "observer"),
        (ROUTER, "GET openrouter.ai/api/v1/key", "observer"),
        (ROUTER, "POST openrouter.ai/api/v1/keys", "never"),
    ],
)
def test_each_request_begins_at_its_level_or_is_refused_at_all(line, request_, level):
    assert lowest(line, request_) == level


URL = {"source": {"type": "url", "url": "https://collector.example/x"}}
FILE = {"source": {"type": "file", "file_id": "f"}}


@pytest.mark.parametrize(
    ("line", "request_", "body", "field"),
    [
        (ANTHROPIC, ASK_CLAUDE, {"tools": [{"type": "web_fetch_20250910"}]}, "tools[].type"),
        (ANTHROPIC, ASK_CLAUDE, {"tools": [{"type": "code_execution_20250522"}]}, "tools[].type"),
        (ANTHROPIC, ASK_CLAUDE, {"mcp_servers": [{"url": "https://collector.example"}]}, "mcp_servers"),
        (ANTHROPIC, ASK_CLAUDE, {"container": {"skills": []}}, "container"),
        (ANTHROPIC, ASK_CLAUDE, {"messages": [{"content": [URL]}]}, "messages[].content[].source.type"),
        (
            ANTHROPIC,
            ASK_CLAUDE,
            {"messages": [{"content": [{"content": [URL]}]}]},
            "messages[].content[].content[].source.type",
        ),
        (ANTHROPIC, ASK_CLAUDE, {"messages": [{"content": [FILE]}]}, "messages[].content[].source.type"),
        (OPENAI, ASK_GPT, {"tools": [{"type": "web_search"}]}, "tools[].type"),
        (OPENAI, ASK_GPT, {"tools": [{"type": "mcp", "server_url": "https://collector.example"}]}, "tools[].type"),
        (OPENAI, ASK_GPT, {"background": True}, "background"),
        (OPENAI, ASK_GPT, {"prompt": {"id": "p", "variables": {"x": {"file_url": "https://x.example"}}}}, "prompt"),
        (OPENAI, ASK_GPT, {"input": [{"content": [{"file_url": "https://x.example"}]}]}, "input[].**.file_url"),
        (OPENAI, ASK_GPT, {"input": [{"content": [{"image_url": "https://x.example"}]}]}, "input[].**.image_url"),
        (GEMINI, ASK_GOOGLE, {"tools": [{"googleSearch": {}}]}, "tools[].googleSearch"),
        (GEMINI, ASK_GOOGLE, {"tools": [{"url_context": {}}]}, "tools[].url_context"),
        (GEMINI, ASK_GOOGLE, {"contents": [{"parts": [{"fileData": {"fileUri": "x"}}]}]}, "**.fileData"),
        (ROUTER, ASK_ROUTER, {"model": "lab/model:online"}, "model"),
        (ROUTER, ASK_ROUTER, {"model": "lab/model", "models": ["lab/other"]}, "models[]"),
        (ROUTER, ASK_ROUTER, {"model": "lab/model", "plugins": [{"id": "web"}]}, "plugins"),
    ],
)
def test_what_would_fetch_or_run_something_elsewhere_is_refused_by_its_field(line, request_, body, field):
    (why,) = against(route(opened(line), request_), {"model": "gpt-5", **body})
    assert why.startswith(f"body {field} ")


@pytest.mark.parametrize(
    ("line", "request_", "body"),
    [
        (ANTHROPIC, ASK_CLAUDE, {"tools": [{"type": "custom"}, {"name": "x"}], "messages": [{"content": "hello"}]}),
        (ANTHROPIC, ASK_CLAUDE, {"tools": [{"input_schema": {"properties": {"source": {"type": "string"}}}}]}),
        (ANTHROPIC, ASK_CLAUDE, {"messages": [{"content": [{"source": {"type": "base64", "data": "eA=="}}]}]}),
        (
            ANTHROPIC,
            ASK_CLAUDE,
            {"messages": [{"content": [{"type": "tool_use", "input": {"source": {"type": "pg"}}}]}]},
        ),
        (OPENAI, ASK_GPT, {"model": "gpt-5", "tools": [{"type": "function"}], "input": "hello"}),
        (
            GEMINI,
            ASK_GOOGLE,
            {"tools": [{"functionDeclarations": [{"parameters": {"properties": {"file_search": {}}}}]}]},
        ),
        (GEMINI, ASK_GOOGLE, {"tools": [{"functionDeclarations": []}], "contents": [{"parts": [{"text": "x"}]}]}),
        (ROUTER, ASK_ROUTER, {"model": "lab/model", "messages": [{"content": "hello"}]}),
    ],
)
def test_an_ordinary_question_passes(line, request_, body):
    assert against(route(opened(line), request_), body) == []


def test_gemini_asks_the_listed_models_only_and_any_where_none_is_listed():
    listed = opened("gemini: {secret: one, models: [gemini-a]}")
    assert route(listed, f"POST {GOOGLE}/v1beta/models/gemini-a:generateContent")
    assert route(listed, f"POST {GOOGLE}/v1beta/models/gemini-b:generateContent") is None
    assert route(opened(GEMINI), f"POST {GOOGLE}/v1beta/models/gemini-b:generateContent")


def test_an_operator_may_name_a_file_that_lies_there():
    assert against(route(opened(ANTHROPIC, "operator"), ASK_CLAUDE), {"messages": [{"content": [FILE]}]}) == []


def test_the_key_leaves_in_the_first_of_the_places_where_an_sdk_may_put_it():
    assert [opened(line)[0].credentials[0].places for line in (ANTHROPIC, OPENAI, GEMINI, ROUTER)] == [
        ("header:x-api-key={}", "header:authorization=Bearer {}"),
        ("header:authorization=Bearer {}",),
        ("header:x-goog-api-key={}", "query:key", "header:authorization=Bearer {}"),
        ("header:authorization=Bearer {}",),
    ]


def test_anthropics_organization_is_asked_for_at_the_start_and_checked_in_each_answer():
    (service,) = opened("anthropic: {secret: one, organization: org-1}")
    assert service.verify == "GET api.anthropic.com /v1/models anthropic-version: 2023-06-01"
    (pin,) = service.verified
    assert (pin.place, pin.field, pin.values, pin.required) == ("header", "anthropic-organization-id", ("org-1",), True)
    assert [pin.values for pin in route((service,), ASK_CLAUDE).expects] == [("org-1",)]
    (unnamed,) = opened(ANTHROPIC)
    assert (unnamed.verify, unnamed.verified, route((unnamed,), ASK_CLAUDE).expects) == ("", (), ())


def test_openais_account_headers_are_the_policys_or_none():
    (unnamed,) = opened(OPENAI)
    assert unnamed.sets == ()
    assert unnamed.drops == ("openai-organization", "openai-allowed-organization-ids", "openai-project")
    (named,) = opened("openai: {secret: one, models: [gpt-5], organization: org-abc, project: proj_abc}")
    assert named.sets == (
        "OpenAI-Organization: org-abc",
        "OpenAI-Allowed-Organization-Ids: org-abc",
        "OpenAI-Project: proj_abc",
    )
    assert named.drops == ()


def test_where_models_are_listed_no_other_is_asked():
    (service,) = opened("anthropic: {secret: one, models: [claude-a]}")
    ask = route((service,), ASK_CLAUDE)
    assert against(ask, {"model": "claude-a"}) == []
    assert against(ask, {"model": "claude-b"}) == ["body model holds what is not listed"]
    assert against(ask, {}) == ["body model is missing"]


@pytest.mark.parametrize("line", [ANTHROPIC, OPENAI, GEMINI, ROUTER])
def test_tokens_are_read_in_answers_and_the_plain_address_has_its_word(line):
    (service,) = opened(line)
    assert {entry.partition("=")[0] for entry in service.usage} == {"input", "output"}
    assert service.base == service.name


def test_prices_are_for_a_million_tokens_in_the_policy_and_for_a_thousand_at_the_gateway():
    (service,) = opened('anthropic: {secret: one, prices: {"claude-*": {input: 3.00, output: 15}}}')
    assert service.prices == (Price("claude-*", 3000, 15000),)
