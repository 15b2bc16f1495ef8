"""A thousand garbled answers for each check of a Mac: what was red, or nothing, is never green by a garbled word.

Digits, names and lines stay: another number, another's name, or a line less, is another true answer, which nobody
could tell from the one that was garbled.
"""

import dataclasses
import random
import re
import string

import pytest

from hostkit.host import Said
from hostkit.posture import readings
from hostkit.posture.model import Status, collect
from hostkit.posture.trials import judged
from tests.conftest import FakeHost
from tests.posture.checks.test_every_case import CASES

MACS = [entry for entry in collect() if entry.platforms == ("darwin",)]
RED = {
    check.id: [case for case in CASES if case[0] is check and case[3] == "fail" and case[1].commands] for check in MACS
}
LETTERS = string.ascii_letters + " .,;:=()\"'{}[]<>/\\|-_\t\x1b\u202eé漢"
NAMES = re.compile(
    r'(?:com|org)\.[\w./-]+"?|/Users\b\S*|\b(?:ann|bo|standby|hostkit-agent|last exit code)\b| +pfd +'
    r"|_[a-z_]+(?==)|boot-args\t.*|GroupMembership: .*|/(?:Applications|usr|opt)/.*"
)
MANY = 1000


def garbled(text, chance):
    """Return a text of which a letter or a word is not what it was, or that has a line of noise before it."""
    kept = {place for name in NAMES.finditer(text) for place in range(*name.span())}
    places = [n for n, letter in enumerate(text) if not letter.isdigit() and letter != "\n" and n not in kept]
    if not places:
        return text + chance.choice(LETTERS)
    place, letter = chance.choice(places), chance.choice(LETTERS)
    end = place + 1
    while end < len(text) and text[end] not in " \n" and not text[end].isdigit() and end not in kept:
        end += 1
    head, tail, noise = text[:place], text[place + 1 :], "".join(chance.choices(LETTERS, k=9))
    return chance.choice((
        head + letter + text[place:], head + tail, head + letter + tail, head + text[place].swapcase() + tail,
        head + noise + text[end:], head + text[end:], noise + "\n" + text,
    ))  # fmt: skip


def spoilt(host, chance):
    """Return the host of a case with one of its answers garbled, and which."""
    command = chance.choice(sorted(host.commands, key=str))
    told = host.commands[command]
    said = told if isinstance(told, Said) else Said(0, told() if callable(told) else told)
    stream = "out" if said.out and (chance.random() < 0.9 or not said.err) else "err"
    text = garbled(getattr(said, stream), chance)
    commands = {**host.commands, command: dataclasses.replace(said, **{stream: text})}
    return (
        FakeHost(commands, host.files, host.facts, platform="darwin", root=host.is_root, **host.readings),
        command,
        text,
    )


@pytest.mark.parametrize("check", MACS, ids=lambda check: check.id)
def test_no_garbled_answer_turns_red_to_green(check):
    chance, green = random.Random(check.id), []
    assert RED[check.id]
    for number in range(MANY):
        _, host, policy, *_ = RED[check.id][number % len(RED[check.id])]
        worse, command, text = spoilt(host, chance)
        readings.forget()
        found = judged(check, worse, policy)
        assert "the check itself broke" not in found.detail, found
        if found.status is Status.OK:
            green.append((command, text))
    assert green == []
