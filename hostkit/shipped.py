"""What comes with hostkit beside its Python: the plays, the sandbox's system call filter, the lock."""

import sys
from pathlib import Path


def shipped(name: str) -> Path:
    """Return the path of `playbooks`, `sandbox` or the lock: beside the package in a clone, else in the install."""
    beside = Path(__file__).parents[1] / name
    return beside if beside.exists() else Path(sys.prefix) / "share" / "hostkit" / name
