"""The names that the look-alikes have, the keys that they accept, and whose each key is."""

SLACK, SLACK_FILES, SLACK_SOCKETS = "slack.com", "files.slack.com", ("wss-primary.slack.com", "wss-backup.slack.com")
ANTHROPIC, OPENAI = "api.anthropic.com", "api.openai.com"
GITHUB_API, GITHUB = "api.github.com", "github.com"
PYTHON_INDEX, NODE_INDEX = "python.registry.example", "node.registry.example"
ECHO, ELSEWHERE = "echo.example", "elsewhere.example"
"""ELSEWHERE answers as ECHO does and is for nobody's policy: where a redirect or a ticket may try to lead."""

NAMES = (
    SLACK, SLACK_FILES, *SLACK_SOCKETS, ANTHROPIC, OPENAI, GITHUB_API, GITHUB, PYTHON_INDEX, NODE_INDEX,
    ECHO, ELSEWHERE,
)  # fmt: skip
EXPIRED, OTHER_NAME, OTHER_ISSUER, OLD_TLS = (
    f"{what}.example" for what in ("expired", "other-name", "other-issuer", "old-tls")
)
UNSOUND = (EXPIRED, OTHER_NAME, OTHER_ISSUER, OLD_TLS)
"""Names whose TLS a strict client must refuse; behind each an echo host answers whoever does not."""

BOT, APP = "xoxb-real-lookalike-1", "xapp-real-lookalike-1"
OTHER_BOT = "xoxb-other-lookalike-2"
ANTHROPIC_KEY, OTHER_ANTHROPIC_KEY = "sk-ant-real-lookalike-1", "sk-ant-other-lookalike-2"
OPENAI_KEY, OTHER_OPENAI_KEY = "sk-real-lookalike-1", "sk-other-lookalike-2"
GITHUB_TOKEN, OTHER_GITHUB_TOKEN = "ghp_reallookalike1", "ghp_otherlookalike2"

TEAMS = {BOT: "T0REAL0001", OTHER_BOT: "T0OTHER002"}
APPS = {APP: "A0REAL0001"}
ORGANISATIONS = {
    ANTHROPIC_KEY: "5e000000-0000-4000-8000-000000000001",
    OTHER_ANTHROPIC_KEY: "5e000000-0000-4000-8000-000000000002",
    OPENAI_KEY: "org-real0001",
    OTHER_OPENAI_KEY: "org-other002",
}
LOGINS = {GITHUB_TOKEN: "lookalike-bot", OTHER_GITHUB_TOKEN: "somebody-else"}
REPOSITORIES = ("acme/widgets", "rival/gadgets")
PACKAGE = "tinylook"
