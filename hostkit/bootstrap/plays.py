"""The plays of a platform: their files, the checks that each proves, and the variables they take."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hostkit.bootstrap.fence import ruleset
from hostkit.host import SHARED_FILE_SYSTEMS
from hostkit.policy import Policy
from hostkit.shipped import shipped

FOLDER = shipped("playbooks")


@dataclass(frozen=True)
class Play:
    """One subject's play: its name states what it makes true, `proves` are the checks that must pass afterwards."""

    file: Path
    name: str
    proves: tuple[str, ...]
    tasks: int


def plays(platform: str = "linux") -> tuple[Play, ...]:
    """Return the platform's plays in the order of their numbers; raise TypeError for a file that is not one play."""
    return tuple(_play(file) for file in sorted((FOLDER / platform).glob("[0-9][0-9]-*.yml")))


def _play(file: Path) -> Play:
    documents = yaml.safe_load(file.read_text(encoding="utf-8"))
    if len(documents) != 1:
        raise TypeError(f"{file.name}: a file holds one play")
    play = documents[0]
    return Play(file, play["name"], tuple(play["vars"]["proves"]), len(play["tasks"]) + len(play.get("handlers", ())))


def variables(policy: Policy, accounts: Mapping[str, int], over: str) -> dict[str, Any]:
    """Return what the plays take from the policy; `over` is `ssh` or `console`, where the fence is applied from."""
    return {
        "account": policy.host.account,
        "policy_file": policy.path,
        "hostkit_program": str(Path(sys.executable).parent / "hostkit"),
        "shared_kinds": [re.escape(kind) for kind in sorted(SHARED_FILE_SYSTEMS)],
        "fence_ruleset": ruleset(policy, accounts),
        "fence_over": over,
    }
