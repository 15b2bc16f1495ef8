"""The agents that people run, and how each is recognised: by program, package, folder, image and service.

Names are those of the projects' own packages and documents as read in November 2026: OpenClaw's paths.ts and its
published package (its former names are still read there), the npm packages of Claude Code, Codex, Gemini CLI, Copilot,
Qwen Code, Cline and OpenCode, the PyPI packages of aider, Open Interpreter, OpenHands and AutoGPT, goose's guide to its
files and its images, aider's and OpenHands' pages on Docker, Cursor's and Amp's on their command lines.
"""

import itertools
import posixpath
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Agent:
    """One agent: `programs` as they are called, `packages` as parts of a path, `modules` for python -m.

    `state` is what it leaves in a home, `images` a pattern of an image's name without its tag, `labels` how its
    service is called.
    """

    name: str
    programs: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()
    modules: frozenset[str] = frozenset()
    state: tuple[str, ...] = ()
    images: str = ""
    labels: tuple[str, ...] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


AGENTS = (
    Agent(
        "OpenClaw",
        _words("openclaw openclaw.mjs openclaw-gateway openclaw-node openclaw-node-worker clawdbot moltbot"),
        ("node_modules/openclaw/", "node_modules/clawdbot/", "node_modules/moltbot/"),
        state=(".openclaw", ".clawdbot", ".moldbot", ".moltbot"),
        images=r"(.*/)?(openclaw|clawdbot|moltbot)([-_.].*)?|(.*/)?.*-openclaw",
        labels=("openclaw", "clawdbot", "moltbot", "ai.openclaw.", "com.clawdbot.", "bot.molt."),
    ),
    Agent(
        "Claude Code",
        _words("claude"),
        ("@anthropic-ai/claude-code", "/.local/share/claude/versions/"),
        state=(".claude", ".claude.json"),
        images=r"(.*/)?claude-code([-_.].*)?",
        labels=("claude-", "claude."),
    ),
    Agent("Codex", _words("codex"), ("@openai/codex",), state=(".codex",), images=r"(.*/)?openai/codex([-_.].*)?"),
    Agent(
        "Gemini CLI", _words("gemini"), ("@google/gemini-cli",), state=(".gemini",), images=r"(.*/)?gemini-cli(/.*)?"
    ),
    Agent(
        "aider",
        _words("aider"),
        ("/aider-chat/",),
        _words("aider"),
        (".aider", ".aider.conf.yml"),
        r"(.*/)?aider([-_.].*)?",
    ),
    Agent(
        "goose",
        _words("goosed"),
        state=(".config/goose", ".local/share/goose"),
        images=r"(.*/)?(block|aaif-goose)/goose([-_.].*)?",
        labels=("goosed",),
    ),
    Agent(
        "Open Interpreter",
        _words("interpreter open-interpreter"),
        ("/open-interpreter/",),
        _words("interpreter"),
        (".config/open-interpreter", "Library/Application Support/open-interpreter"),
        r"(.*/)?open-?interpreter([-_.].*)?",
    ),
    Agent("AutoGPT", _words("autogpt agpt"), (), _words("autogpt"), images=r"(.*/)?auto-?gpt([-_.].*)?"),
    Agent(
        "OpenHands",
        _words("openhands openhands-agent-server"),
        (),
        _words("openhands"),
        (".openhands", ".openhands-state"),
        r"(.*/)?(openhands([-_.].*)?|(all-hands-ai|openhands)/.*)",
    ),
    Agent("Cursor Agent", _words("cursor-agent"), ("/cursor-agent/",), state=(".local/share/cursor-agent",)),
    Agent(
        "OpenCode",
        _words("opencode"),
        ("node_modules/opencode-ai/",),
        state=(".config/opencode", ".local/share/opencode"),
        images=r"(.*/)?opencode(-ai)?",
    ),
    Agent("Copilot CLI", _words("copilot"), ("@github/copilot/",), state=(".copilot",)),
    Agent("Qwen Code", _words("qwen"), ("@qwen-code/qwen-code",), state=(".qwen",)),
    Agent("Cline", _words("cline"), ("node_modules/cline/",), state=(".cline",)),
    Agent("Amp", packages=("@sourcegraph/amp/", "@ampcode/cli/")),
)
_RUNNERS = re.compile(r"(node|nodejs|bun|deno|npx|bunx|uvx|uv|pipx|tini|env|sudo|nice|python[\d.]*|(ba|da|z)?sh)")
_GOOSE = _words("session run acp web serve schedule recipe")
"""What the agent is told; a tool for databases has the same name and other words."""
_LONGEST = 4096
_WORDS = 8


def agent_of(words: tuple[str, ...], title: str = "") -> str:
    """Return which agent a command line is, empty if none: its first words are read, each no longer than a path."""
    line = [word[:_LONGEST] for word in words[:_WORDS]]
    called = _called(line)
    for agent in AGENTS:
        if title in agent.programs or called.intersection(agent.programs) or _module(line) in agent.modules:
            return agent.name
        if any(package in word for word in line[:4] for package in agent.packages):
            return agent.name
    goose = "goose" in called and (len(line) == 1 or _GOOSE.intersection(line[1:]))
    return "goose" if goose else ""


def _called(line: list[str]) -> set[str]:
    """Return what is run: the first word, and while that runs others, the next ones that are no options."""
    found: set[str] = set()
    for word in line:
        if word.startswith("-") or "=" in word.partition("/")[0]:
            continue
        name = posixpath.basename(word)
        found.add(name.partition("@")[0] or name)
        if not _RUNNERS.fullmatch(name):
            break
    return found


def _module(line: list[str]) -> str:
    after = dict(itertools.pairwise(line)).get("-m", "")
    return after.partition(".")[0]


def image_of(image: str) -> str:
    """Return which agent an image holds by its name, empty if none that is known."""
    path = image[:_LONGEST].partition("@")[0].lower()
    folder, slash, last = path.rpartition("/")
    bare = folder + slash + last.partition(":")[0]
    return next((agent.name for agent in AGENTS if agent.images and re.fullmatch(agent.images, bare)), "")


def service_of(name: str) -> str:
    """Return which agent a service is by its name, empty if none that is known."""
    return next((agent.name for agent in AGENTS if agent.labels and name.startswith(agent.labels)), "")


def line_of(line: str) -> str:
    """Return which agent a line of a unit, a crontab or a property list runs, empty if none."""
    bare = line[:_LONGEST].strip()
    if bare.startswith(("#", ";")) or (_SETTING.match(bare) and not bare.startswith("Exec")):
        return ""
    command = _KEY.sub("", bare)
    timed = _TIME.match(command)
    pieces = [piece.split() for piece in re.split(r"[\"'<>;&|()`]+", command[timed.end() if timed else 0 :])[:_PIECES]]
    starts = [tuple(words[skip : skip + _WORDS]) for words in pieces for skip in ((0, 1) if timed else (0,))]
    return next((found for words in starts if words and (found := agent_of(words))), "")


_SETTING = re.compile(r"[A-Za-z]\w*\s*=")
_KEY = re.compile(r"^Exec\w*\s*=\s*[-@:+!|]*")
_TIME = re.compile(r"(@[a-z]+|[\d*][\w*/,-]{0,60}(\s+[\w*/,-]{1,60}){4})\s+", re.ASCII)
"""When a crontab runs something: five fields; what follows may be the account's name first."""
_PIECES = 40
