"""What the plays say they touch is filled in, and is all that their tasks write: --undo is made from it."""

import fnmatch
import re

import pytest
import yaml

from hostkit.bootstrap.plays import FOLDER, Machine, Play, plays, variables
from hostkit.bootstrap.run import GIVEN
from hostkit.bootstrap.touched import FENCE, Touch, touched
from tests.conftest import make_policy

PLAYS = plays()
DISTRIBUTIONS = yaml.safe_load((FOLDER / "linux/distributions.yml").read_text())
WRITES = ("copy", "template", "lineinfile", "blockinfile", "replace", "file", "get_url", "unarchive", "assemble")
UNITS = ("systemd_service", "systemd", "service")
LOOP = ("loop", "with_items")


def given(name="debian-12"):
    return variables(make_policy(), "console", Machine(DISTRIBUTIONS[name])) | dict.fromkeys(GIVEN, "/given")


def one(**touches):
    return Play(FOLDER / "linux/30-ssh.yml", "name", "Why.", ("a-check",), touches, 1)


def tasks(play):
    document = yaml.safe_load(play.file.read_text())[0]
    for task in [*document["tasks"], *document.get("handlers", [])]:
        for part in task.get("block", [task]):
            for key, arguments in part.items():
                if key.startswith("ansible.builtin."):
                    yield part, key.removeprefix("ansible.builtin."), arguments


def spelled(task, text):
    """Return what a path or a name may be: one for each item of a loop that is written out, else as it is written."""
    items = next((task[word] for word in LOOP if word in task), None)
    if "item" not in text or not isinstance(items, list):
        return [text]
    return [re.sub(r"\{\{ item(\.\w+)? \}\}", lambda m, i=item: _of(i, m[1]), text) for item in items]


def _of(item, attribute):
    return str(item[attribute[1:]] if attribute else item)


def names(value):
    return value if isinstance(value, list) else [value]


def missing(play):
    """Return what the play's tasks write, switch or install that its `touches` do not name."""
    named = {kind: list(found) for kind, found in play.touches.items()}
    found = set()
    for task, module, arguments in tasks(play):
        if module in WRITES:
            written = str(arguments.get("dest") or arguments.get("path"))
            paths = spelled(task, written) + ([f"{written}.backup~"] if arguments.get("backup") else [])
            found |= {path for path in paths if not covered(path, named.get("files", []))}
        if module in UNITS and "name" in arguments:
            wanted = spelled(task, arguments["name"])
            known = named.get("units", [])
            found |= {unit for unit in wanted if unit not in known and not (unit == "{{ item }}" and "{" in str(known))}
        if module in {"apt", "package"} and "name" in arguments:
            wanted = [name for word in names(arguments["name"]) for name in spelled(task, word)]
            found |= {name for name in wanted if name not in named.get("packages", [])}
        if module in {"user", "group"}:
            found |= {arguments["name"]} - set(named.get("accounts", []))
        if module == "sysctl":
            found |= set(spelled(task, arguments["name"])) - set(named.get("sysctls", []))
    return found


def covered(path, patterns):
    """Return whether `touches` names a path; one that only the machine knows needs a pattern at least."""
    if path.startswith("{{ item"):
        return any("*" in pattern for pattern in patterns)
    return any(path == pattern or fnmatch.fnmatch(path, pattern) for pattern in patterns)


@pytest.mark.parametrize("play", [*PLAYS, *plays("darwin")], ids=lambda play: f"{play.file.parent.name}-{play.stem}")
def test_every_file_unit_package_and_account_that_a_task_changes_is_one_that_undo_knows_of(play):
    assert missing(play) == set()


@pytest.mark.parametrize(
    ("touches", "what"),
    [
        ({"files": ("/etc/other",)}, "/etc/hostkit/fence.candidate.nft"),
        ({"units": ("another.service",)}, "hostkit-fence.service"),
        ({"packages": ()}, "nftables"),
    ],
)
def test_a_touch_that_is_missing_is_found(touches, what):
    fence = next(play for play in PLAYS if play.subject == "fence")
    assert what in missing(Play(**{**vars(fence), "touches": {**fence.touches, **touches}}))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_what_the_plays_touch_has_a_name_on_every_distribution(name):
    found = touched(PLAYS, given(name))
    assert not [touch for touch in found if "{" in touch.name or not touch.name]
    assert len({(touch.kind, touch.name) for touch in found}) == len(found)
    assert Touch("10-account", "account", "hostkit-agent") in found


def test_the_fences_table_counts_where_its_rules_are_kept():
    assert Touch("30-ssh", "table", FENCE) in touched((one(files=("/etc/hostkit/fence.nft",)),), {})
    assert touched((one(files=("/etc/other",)),), {}) == (Touch("30-ssh", "file", "/etc/other"),)


def test_a_variable_may_be_a_list_or_lie_in_another():
    plain = {"distribution": {"time": ["chrony.service", "ntp.service"]}, "account": "a"}
    play = one(units=("{{ distribution.time }}",), files=("/var/mail/{{ account }}",))
    names = [touch.name for touch in touched((play,), plain)]
    assert names == ["chrony.service", "ntp.service", "/var/mail/a"]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{{ nothing }}", "names nothing, which bootstrap does not give"),
        ("{{ a | b }}", "touches takes plain variables"),
    ],
)
def test_what_undo_could_not_read_is_an_error_of_the_play(written, says):
    with pytest.raises(TypeError, match=says):
        touched((one(files=(written,)),), {"a": 1})


def test_the_first_play_that_names_a_thing_has_it_on_record():
    later = Play(FOLDER / "linux/90-fence.yml", "name", "Why.", (), {"packages": ("nftables",)}, 1)
    assert touched((one(packages=("nftables",)), later), {}) == (Touch("30-ssh", "package", "nftables"),)
