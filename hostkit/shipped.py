"""What comes with hostkit beside its Python: the plays, and the sandbox's system call filter."""

import sys
from pathlib import Path


def shipped(name: str) -> Path:
    """Return the path of `playbooks` or `sandbox`: beside the package in a clone, else where an install puts it."""
    beside = Path(__file__).parents[1] / name
    return beside if beside.is_dir() else Path(sys.prefix) / "share" / "hostkit" / name
