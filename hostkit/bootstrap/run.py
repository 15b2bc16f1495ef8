"""The plays through ansible-runner: the only import of ansible_runner."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostkit.bootstrap.gateway import packed
from hostkit.bootstrap.plays import Play
from hostkit.bootstrap.scratch import private_folder
from hostkit.errors import CannotTell

GIVEN = frozenset({"gateway_code"})
"""Variables that `run` itself gives the plays: files it lays down for them."""


@dataclass(frozen=True)
class Step:
    """One task that ended: `what` is ok, changed, skipped or failed; `said` is its message, `diff` its change."""

    play: str
    task: str
    what: str
    said: str = ""
    diff: str = ""
    seconds: float = 0.0


Progress = Callable[[Step], None]


def run(
    plays: Iterable[Play], variables: dict[str, Any], progress: Progress, *, dry: bool, diff: bool
) -> tuple[Step, ...]:
    """Run the plays on this machine and return every step; raise CannotTell at the first task that fails.

    What ansible-runner keeps of a run lies in a folder of root's own under /run and is gone when this returns.
    """
    import ansible_runner  # noqa: PLC0415 - a second of imports that only bootstrap pays

    steps: list[Step] = []

    def heard(event: dict[str, Any]) -> bool:
        if step := _step(event):
            steps.append(step)
            progress(step)
        return False

    with private_folder() as folder, _bare_environment():
        (folder / "gateway.zip").write_bytes(packed())
        runner = ansible_runner.interface.init_runner(
            private_data_dir=str(folder),
            playbook=[{"import_playbook": str(play.file)} for play in plays],
            inventory={"all": {"hosts": {"this-host": _LOCAL}}},
            extravars={**variables, "gateway_code": str(folder / "gateway.zip")},
            envvars=_environment(folder),
            cmdline=" ".join(word for word, wanted in (("--check", dry), ("--diff", diff)) if wanted) or None,
            event_handler=heard,
            quiet=True,
        )
        # Ansible ends with this process, however it ends: nothing goes on changing a host that nobody watches.
        runner.config.command[:0] = _MORTAL
        runner.run()
        if not steps:
            do = "run hostkit bootstrap --check to see whether ansible starts"
            raise CannotTell(f"ansible ran no task at all: {runner.status}, code {runner.rc}", do)
    return _judged(tuple(steps))


@contextmanager
def _bare_environment() -> Iterator[None]:
    """Take this process's environment away meanwhile: ansible-runner writes all of it down, the user's secrets too."""
    kept = dict(os.environ)
    for name in kept.keys() - {"HOME", "LANG", "TERM", "TZ"}:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)


_MAC = sys.platform == "darwin"
# util-linux, there on every Debian and Ubuntu; a Mac has no such word, and there the lost terminal ends Ansible.
_MORTAL = () if _MAC else ("/usr/bin/setpriv", "--pdeathsig", "KILL")
_SYSTEM_PYTHON = "/usr/bin/python3"  # the one that python3-apt is made for; on a Mac it asks to install Xcode
_PYTHON = _SYSTEM_PYTHON if Path(_SYSTEM_PYTHON).exists() and not _MAC else sys.executable
_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": _PYTHON}


def _environment(folder: Path) -> dict[str, str]:
    """Return all that ansible takes from the environment, so that no setting of the user's changes a play."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "ANSIBLE_CONFIG": str(folder / "none.cfg"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_TIMEOUT": "240",  # seconds for an interpreter to start: a VM beside three other tests took over 120
        "ANSIBLE_NO_TARGET_SYSLOG": "true",  # what a play writes is nobody's who may read the journal
        **(_SAFE if _MAC else _quick()),
        "ANSIBLE_NOCOLOR": "true",
        "LC_ALL": "C.UTF-8",
    }


_SAFE = {"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES", "no_proxy": "*"}
"""What keeps Apple's libraries from ending Ansible's workers, which are forks (ansible/ansible, issue 49207)."""


def _quick() -> dict[str, str]:
    """Return what makes Ansible keep a module's compiled code between tasks (docs/decisions/0008-mitogen.md)."""
    found = importlib.util.find_spec("ansible_mitogen")
    if found is None or not found.submodule_search_locations:
        return {}
    folder = Path(found.submodule_search_locations[0]) / "plugins" / "strategy"
    # The warning says that strategies leave ansible-core in 2.23; requirements.lock and a test hold what runs here.
    return {
        "ANSIBLE_STRATEGY_PLUGINS": str(folder),
        "ANSIBLE_STRATEGY": "mitogen_linear",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
    }


_WORDS = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_skipped": "skipped",
    "runner_on_unreachable": "failed",  # no interpreter within ANSIBLE_TIMEOUT
}


def _step(event: dict[str, Any]) -> Step | None:
    """Return the step that an event ends, None for every other event."""
    data = event.get("event_data") or {}
    if event.get("event") not in _WORDS:
        return None
    result = data.get("res") or {}
    what = _WORDS[event["event"]]
    if what == "failed" and data.get("ignore_errors"):
        what = "ok"
    if what == "ok" and result.get("changed"):
        what = "changed"
    said = _words(result) if what == "failed" else ""
    seconds = float(data.get("duration") or 0.0)
    return Step(str(data.get("play")), str(data.get("task")), what, _failure(result, said), _diff(result), seconds)


def _words(result: dict[str, Any]) -> str:
    """Return what a module says of its failure; of a command that failed only its own words say why."""
    said = str(result.get("msg") or "")
    return str(result.get("stderr") or said) if said in {"", "non-zero return code"} else said


def _failure(result: dict[str, Any], said: str) -> str:
    """Return why a task failed; a loop's own message says nothing, its items' do."""
    items = [item for item in result.get("results") or () if item.get("failed")]
    words = [_words(item) for item in items] if said else []
    return "; ".join([word for word in words if word] or [said])


def _diff(result: dict[str, Any]) -> str:
    import difflib  # noqa: PLC0415 - only for those who asked

    found = result.get("diff") or []
    texts = []
    for one in found if isinstance(found, list) else [found]:
        before, after = (str(one.get(key) or "").splitlines(keepends=True) for key in ("before", "after"))
        texts.append("".join(difflib.unified_diff(before, after, "before", str(one.get("after_header") or "after"))))
    return "".join(texts)


def _judged(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    failed = next((step for step in steps if step.what == "failed"), None)
    if failed:
        do = "what was done before it stays; mend it and run hostkit bootstrap again"
        said = " ".join(failed.said.split()) or "failed"  # one line, however many the failed program wrote
        raise CannotTell(f"{failed.play}: {failed.task}: {said}", do)
    return steps
