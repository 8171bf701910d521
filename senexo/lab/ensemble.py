"""Many units of work at once: threads, since the kernels release the interpreter lock and share one compilation.

Which thread does a unit, and in which order they end, changes nothing in the results: a unit depends on its
keys alone, and only the caller's thread keeps what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event
from typing import TypeVar

Unit = TypeVar("Unit")
Result = TypeVar("Result")
AHEAD = 2  # units submitted per worker: none waits for work, and few results wait to be kept


class Cancelled(Exception):
    """The run was cancelled; the unit in progress is dropped."""


def aside(task: Callable[[], Result]) -> Result:
    """The result of a long task in another thread, for which Ctrl-C does not wait."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(task).result()
    finally:
        pool.shutdown(wait=False)


def each(
    units: Iterable[Unit],
    work: Callable[[Unit, Callable[[], bool]], Result],
    keep: Callable[[Unit, Result], None],
    *,
    workers: int,
) -> None:
    """Do `work(unit, cancelled)` for every unit and `keep` each result in the caller's thread as it comes.

    `work` calls `cancelled()` now and then and raises `Cancelled` once it is true. After an error (Ctrl-C included)
    finished results are still kept, no unit is begun, and the error is raised without waiting for units in progress.

    Parameters
    ----------
    units
        The units of work, taken one after the other.
    work
        Called in a worker thread.
    keep
        Called in the caller's thread with a unit and its result, in the order in which results come.
    workers
        Number of threads.
    """
    stop = Event()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="senexo")
    waiting = iter(units)
    at_work: dict[Future[Result], Unit] = {}
    try:
        while True:
            for unit in islice(waiting, workers * AHEAD - len(at_work)):
                at_work[pool.submit(work, unit, stop.is_set)] = unit
            if not at_work:
                return
            for done in wait(at_work, return_when=FIRST_COMPLETED).done:
                keep(at_work[done], done.result())
                del at_work[done]
    except BaseException:
        stop.set()
        for future, unit in at_work.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                keep(unit, future.result())
        raise
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
