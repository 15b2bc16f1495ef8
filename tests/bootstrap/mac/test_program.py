"""The fence's own program: what it may say to pf, whatever it is asked to do."""

import re

from hostkit.bootstrap.plays import FOLDER

TEXT = (FOLDER / "mac/files/hostkit-pf").read_text()
CODE = "\n".join(line.partition(" #")[0] for line in TEXT.splitlines() if not line.lstrip().startswith("#"))


def test_the_program_never_touches_what_is_not_its_own():
    calls = re.findall(r"\bpfctl\b([^|;\n&>)]*)", CODE)
    writing = [words for words in calls if re.search(r" -(?:f|F|d|e|k|K)\b", words)]
    assert writing
    for words in writing:
        assert " -n " in f"{words} " or '-a "$anchor"' in words, words
    assert not re.search(r"-F all|pfctl (?:-q )?-d|-f \S*pf\.conf", CODE)
    assert {words.split()[0] for words in calls if words not in writing} <= {"-a", "-s", "-sr", "-E", "-X", "-q", "-n"}


def test_every_action_that_changes_something_holds_the_lock():
    actions = set(re.findall(r"^(\w+)\) #|^(\w+)\)$", TEXT, re.MULTILINE))
    named = {name for pair in actions for name in pair if name}
    assert named == {"apply", "confirm", "rollback", "undo", "assert", "stands"}
    assert re.search(r"^apply \| confirm \| rollback \| undo \| assert\)$", TEXT, re.MULTILINE)
