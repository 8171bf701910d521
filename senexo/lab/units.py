"""All units of a run: the first ones in this process, and in further processes as soon as that is worth their start.

Which process simulates a unit, and in which order units end, changes nothing in the results: a unit depends on its keys
alone, and only the caller's thread keeps what comes back. Processes and not threads, because wells of few cells spend
half of their time in Python (docs/why/processes.md).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX, Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from senexo.base.errors import LimitReached, SenexoError
from senexo.lab.ensemble import Cancelled
from senexo.lab.limits import NO_LIMITS, WellLimits
from senexo.lab.worker import Worker

if TYPE_CHECKING:
    from senexo.lab.experiment import Experiment, Unit

Made = dict[str, NDArray[Any]]
LEAVE_S = 0.5  # for the units in progress to see that they are dropped; Ctrl-C is answered within a second
START_S = 2.0  # of one process; none is started before this time, nor where less than twice of it is left to do


class Schedule:
    """Units in groups that share a preparation: a worker goes on with its own group, so that this is made once.

    Where no group is left, a worker helps with the largest.
    """

    def __init__(self, units: Sequence[Unit], preparation: Callable[[Unit], object]) -> None:
        groups: dict[object, deque[Unit]] = {}
        for unit in units:
            groups.setdefault(preparation(unit), deque()).append(unit)
        self._waiting = deque(groups.values())
        self._own: dict[int, deque[Unit]] = {}
        self._lock = Lock()

    def take(self, worker: int) -> Unit | None:
        """The worker's next unit; None when all have been taken."""
        with self._lock:
            own = self._own.get(worker)
            if not own:
                own = self._waiting.popleft() if self._waiting else max(self._own.values(), key=len, default=deque())
                self._own[worker] = own
            return own.popleft() if own else None


class _Run:
    """The state that the threads of a run share."""

    def __init__(self, experiment: Experiment, units: Sequence[Unit], limits: WellLimits) -> None:
        self.experiment, self.schedule = experiment, Schedule(units, experiment.preparation)
        self.results: SimpleQueue[tuple[Unit, Made | LimitReached] | BaseException] = SimpleQueue()
        self.limits = limits
        self.stop = Event()
        self.begun, self.done, self.left = time.monotonic(), 0, len(units)
        self.workers: list[Worker] = []

    def worth_a_process(self) -> bool:
        passed = time.monotonic() - self.begun
        return passed >= START_S and passed * self.left >= 2.0 * START_S * self.done

    def here(self) -> None:
        """Units in this process."""
        self._all(0, lambda unit: self.experiment.simulate_unit(unit, self.stop.is_set))

    def there(self, number: int) -> None:
        """Units in a process of their own, once that is worth its start."""
        while not self.worth_a_process():
            if self.stop.wait(0.1):
                return
        worker = Worker(self.experiment.study, self.limits)
        self.workers.append(worker)
        try:
            self._all(number, worker.simulate)
        finally:
            worker.close()

    def _all(self, number: int, simulate: Callable[[Unit], Made]) -> None:
        try:
            while not self.stop.is_set() and (unit := self.schedule.take(number)) is not None:
                try:
                    self.results.put((unit, simulate(unit)))
                except LimitReached as limit:  # the others go on
                    self.results.put((unit, limit))
        except (Cancelled, EOFError) as error:
            if not self.stop.is_set():
                self.results.put(error)
        except BaseException as error:
            self.results.put(error)


def simulate(
    experiment: Experiment, units: Sequence[Unit], keep: Callable[[Unit, Made], None], *, workers: int,
    seconds: float = inf, limits: WellLimits = NO_LIMITS,
) -> None:  # fmt: skip
    """Simulate units and `keep` the arrays of each in the caller's thread as they come.

    After an error, Ctrl-C included, no unit is begun, those in progress are dropped, and the error is raised.

    Parameters
    ----------
    experiment
        Compiled.
    units
        The units of work.
    keep
        Called with a unit and its arrays, in the order in which they come.
    workers
        Processes, this one included. A short run uses this one alone.
    seconds
        Wall time that this may take.
    limits
        Those that the experiment was given, for the other processes.

    Raises
    ------
    LimitReached
        Units are left when the time is over (those in progress are dropped), or at the end some had reached a limit.
    SimulationError
        A unit failed, or ended several processes.
    """
    run, given_up = _Run(experiment, units, limits), []
    starts = [run.here, *(lambda number=number: run.there(number) for number in range(1, min(workers, len(units))))]
    threads = [Thread(target=start, daemon=True) for start in starts]
    for thread in threads:
        thread.start()
    try:
        while run.left:
            try:
                result = run.results.get(timeout=min(max(run.begun + seconds - time.monotonic(), 0.0), TIMEOUT_MAX))
            except Empty:
                raise LimitReached(f"{run.done} of {run.done + run.left} were simulated") from None
            if isinstance(result, BaseException):
                raise result
            unit, made = result
            if isinstance(made, LimitReached):
                given_up.append(f"{unit.chunk} reached {made}")
            else:
                keep(unit, made)
            run.done, run.left = run.done + 1, run.left - 1
        if given_up:
            first, *others = sorted(given_up)
            raise LimitReached(first + (f", and {len(others)} others a limit" if others else ""))
    finally:
        run.stop.set()
        for worker in run.workers:
            worker.close()
        leave = time.monotonic() + LEAVE_S
        for thread in threads:
            thread.join(max(0.0, leave - time.monotonic()))
        with suppress(SenexoError):  # that the disk is full is known by then
            while not run.results.empty():  # what was finished before an error is kept
                result = run.results.get()
                if not isinstance(result, BaseException) and not isinstance(result[1], LimitReached):
                    keep(result[0], result[1])
