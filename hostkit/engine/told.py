"""The SDK's errors as one line of hostkit's."""

import contextlib
from collections.abc import Iterator

from hostkit.errors import CannotTell, HostkitError


@contextlib.contextmanager
def told(what: str = "the engine refused", do: str = "see the engine's log") -> Iterator[None]:
    """Turn the SDK's errors into one line; what the engine refused is the engine's own sentence."""
    import requests  # noqa: PLC0415 - comes with docker
    from docker.errors import DockerException, NotFound  # noqa: PLC0415 - same

    try:
        yield
    except NotFound as why:
        raise HostkitError(f"the engine does not find it: {_short(why)}") from None
    except (DockerException, requests.RequestException, OSError) as why:
        raise CannotTell(f"{what}: {_short(why)}", do) from None


def _short(why: Exception) -> str:
    return (getattr(why, "explanation", None) or str(why)).strip().splitlines()[-1][:300]
