"""The kill switch: whoever threw it last is obeyed, whatever restarts in between.

Two files, for two hands: the host lays one beside the rules, the gateway writes its own beside its records when a
signal reaches it. The later of the two counts; one that cannot be read counts as thrown.
"""

import contextlib
import json
import math
from pathlib import Path

NAME = "switch.json"


def thrown(*directories: Path) -> str:
    """Return why nothing may leave, empty if the switch was not thrown, or was set back since."""
    said = [_read(directory / NAME) for directory in directories]
    _, why = max(said, key=lambda pair: (pair[0], bool(pair[1])), default=(0.0, ""))
    return why


def _read(file: Path) -> tuple[float, str]:
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        at, by = float(plain["at"]), str(plain["by"])[:100]
        if math.isfinite(at):
            return at, (f"stopped by {by}" if plain["stopped"] is not False else "")
    except FileNotFoundError:
        return 0.0, ""
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return math.inf, f"{file} cannot be read, which counts as thrown"


def text(*, stopped: bool, by: str, at: float) -> str:
    """Return what the file of the switch holds."""
    return json.dumps({"stopped": stopped, "by": by, "at": at}) + "\n"


def throw(directory: Path, by: str, at: float, after: Path | None = None) -> None:
    """Throw the switch from inside the gateway, later than what lies in `after`, whatever the two clocks say.

    A disk that is full keeps it from being written: whoever throws it remembers it too.
    """
    said = _read(after / NAME)[0] if after else 0.0
    at = max(at, said + 1) if math.isfinite(said) else at
    beside = directory / f"{NAME}.new"
    with contextlib.suppress(OSError):
        beside.write_text(text(stopped=True, by=by, at=at), encoding="utf-8")
        beside.replace(directory / NAME)
