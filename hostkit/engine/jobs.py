"""Many calls of the engine at once, each as soon as what it needs is done."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Future


def side_by_side(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs in threads and return their results in order; raise the first failure after all have ended."""
    with in_order() as add:
        started = [add(job) for job in jobs]
    return [future.result() for future in started]


@contextlib.contextmanager
def in_order() -> Iterator[Callable[..., "Future[Any]"]]:
    """Yield `add(job, *needs)`: each job runs as soon as the jobs it needs are done; the block ends when all have.

    Raise the first failure, in the order of adding, once nothing runs any more. Who is interrupted goes on, and tidies
    up, only then too; what had not begun by that time never does.
    """
    from concurrent.futures import CancelledError, ThreadPoolExecutor, wait  # noqa: PLC0415 - only a launch pays for it

    added: list[Future[Any]] = []
    pool, ended = ThreadPoolExecutor(max_workers=16), threading.Event()

    def run(job: Callable[[], Any], needs: tuple["Future[Any]", ...]) -> Any:
        for need in needs:
            need.result()
        if ended.is_set():
            raise CancelledError
        return job()

    def add(job: Callable[[], Any], *needs: "Future[Any]") -> "Future[Any]":
        added.append(pool.submit(run, job, needs))
        return added[-1]

    try:
        yield add
        wait(added)
    except BaseException:
        ended.set()
        wait(added)  # not the pool's own waiting: a thread's join, once interrupted, takes it for ended (Python 3.11)
        raise
    finally:
        pool.shutdown(wait=False)
    for future in added:
        future.result()
