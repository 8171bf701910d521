"""Exact stochastic simulation (Gillespie's direct method) of one network: many trajectories, each with its own stream.

The backends share one algorithm, bit for bit (see `senexo.engine.ssa.kernel`), so the choice between them is one of
speed alone: "tables" for anything short and for events and moving rates; code generated for the network, "flat" (one
reaction at a time) for few runs and "lanes" (in lockstep) for many, where its machine code is kept or its compilation
is worth the wait (see `senexo.engine.ssa.choice`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError
from senexo.base.streams import derive
from senexo.base.threads import available
from senexo.engine.formula.evaluate import apply_assignments
from senexo.engine.formula.forcing import Forcing, evenly
from senexo.engine.formula.network import Lowered, refuse_constraints
from senexo.engine.formula.two_ways import in_two_ways
from senexo.engine.limits import Limits
from senexo.engine.ssa import choice
from senexo.engine.ssa.choice import Generated
from senexo.engine.ssa.plan import Plan
from senexo.engine.status import OK, STOPPED, TOO_LONG, error

if TYPE_CHECKING:
    from senexo.engine.ssa.plan import Kernel
    from senexo.engine.ssa.steady import Steady
    from senexo.engine.ssa.tables import Tables

Values = NDArray[np.float64]
Backend = Literal["tables", "flat", "lanes"]
GENERATED: tuple[Generated, ...] = ("flat", "lanes")
Outcome = tuple[int, int, float, int, int]  # code, index, time, run, reactions fired

MOST_EVENTS = 1_000_000_000  # reactions in one run, by default
MISSED = (
    "terms of the model that depend on time change too often, or by events, to be examined beforehand; a narrow pulse "
    "in them may have been stepped over: set max_step to less than its width"
)
_PILOT = 2_000_000  # reactions of the first run after which its length is estimated from how far it came


def sample(
    lowered: Lowered,
    v0: Values,
    times: Values,
    *,
    runs: int,
    seed: int,
    threads: int | None = None,
    most_events: int = MOST_EVENTS,
    backend: Backend | None = None,
    max_step: float | None = None,
    cautions: list[str] | None = None,
    limits: Limits | None = None,
) -> Values:
    """Exact trajectories of the network's reactions on whole molecules.

    Gillespie's direct method, with waiting times cut by whatever happens in between. Run r depends on the seed and r
    alone: not on threads, backend or other runs. A value at the time of an event is the one after it.

    Parameters
    ----------
    lowered
        The network, as `senexo.engine.formula.lower.lower` makes it.
    v0
        Values at time 0 [n_slots], as `senexo.engine.formula.evaluate.initial_values` makes them.
    times
        Ascending, the first 0 or later, in the model's time unit [n_times].
    runs
        Number of trajectories.
    seed
        0 <= seed < 2^128.
    threads
        By default all of the processor.
    most_events
        Reactions in one run before it is given up.
    backend
        By default the fastest for the work at hand.
    max_step
        Longest step with which rates that change in time are integrated, in the model's time unit.
    cautions
        Takes a sentence for everything that the integration of moving rates may have missed.
    limits
        Runs that reach one are no error: their values are nan from there on, and `limits.ended` says which they are.

    Returns
    -------
    numpy.ndarray
        Values [runs, n_times, n_slots].

    Raises
    ------
    UnsupportedFeature
        What has no stochastic meaning: amounts or stoichiometries that are not whole, laws that go negative, laws
        that fire without enough reactant.
    SimulationError
        A run has more than `most_events` reactions, or its events trigger each other without end.

    References
    ----------
    Gillespie 1977, doi 10.1021/j100540a008; Anderson 2007, doi 10.1063/1.2799998.

    Examples
    --------
    >>> import numpy as np
    >>> from senexo.engine.formula.evaluate import initial_values
    >>> from senexo.engine.formula.lower import lower
    >>> from senexo.model.expression import Number
    >>> from senexo.model.network import Compartment, KineticLaw, Network, Reaction, Species, SpeciesReference
    >>> birth = Reaction("birth", products=(SpeciesReference("x"),), kinetic_law=KineticLaw(Number(5.0)))
    >>> species = Species("x", "cell", initial_amount=0.0, has_only_substance_units=True)
    >>> network = lower(Network("m", compartments=(Compartment("cell", 1.0),), species=(species,), reactions=(birth,)))
    >>> found = sample(network, initial_values(network), np.array([0.0, 1.0]), runs=2000, seed=1)
    >>> bool(abs(found[:, 1, network.slot("x")].mean() - 5.0) < 0.3)
    True
    """
    sampler = Sampler(lowered, v0)
    return sampler.run(
        times, runs=runs, seed=seed, threads=threads, most_events=most_events, backend=backend, max_step=max_step,
        cautions=cautions, limits=limits,
    )  # fmt: skip


class Sampler:
    """`sample` for many calls with one network and one start: tables and kernels are made once."""

    def __init__(self, lowered: Lowered, v0: Values, plan: Plan | None = None) -> None:
        refuse_constraints(lowered, "in stochastic runs")
        lowered = in_two_ways(lowered)
        self.lowered, self.v0 = lowered, v0
        self.shape = (plan or Plan(lowered)).shape(v0)

    @property
    def tables(self) -> Tables:
        return self.shape.tables

    @cached_property
    def steady(self) -> Steady | None:
        form = self.shape.form
        return None if form is None else form.at(self.v0)

    def compiled(self, backend: Generated) -> Kernel:
        if self.steady is None:
            raise SimulationError(f"the kernel {backend!r} runs no network with events, moving rates or faults")
        return self.shape.kernel(self.steady, backend)

    def marks(self, end: float, max_step: float | None, cautions: list[str] | None) -> Values:
        """Times that the integration of moving rates does not pass in one step."""
        if self.steady is not None or not self.tables.model.flows:
            return np.empty(0)
        forcing = Forcing(self.shape.simple)
        marks, complete = forcing.marks(0.0, end, forcing.read(self.v0))
        by_events = {item.slot for event in self.lowered.events for item in event.assignments}
        if cautions is not None and not (complete and by_events.isdisjoint(forcing.slots)):
            cautions.append(MISSED)
        if max_step is not None:
            marks = np.union1d(marks, evenly(0.0, end, max_step))
        return marks

    def run(
        self,
        times: Values,
        *,
        runs: int,
        seed: int,
        threads: int | None = None,
        most_events: int = MOST_EVENTS,
        backend: Backend | None = None,
        max_step: float | None = None,
        cautions: list[str] | None = None,
        first_run: int = 0,
        limits: Limits | None = None,
    ) -> Values:
        """See `sample`; `first_run` is the number of the first run, which its stream is keyed by."""
        if not len(times) or not runs:
            return np.empty((runs, len(times), len(self.v0)))
        if limits is not None and limits.events is not None:
            most_events, backend = limits.events, "tables"  # the others look at the number of events now and then
        job = Job(self, times, runs, seed, most_events, threads or available())
        job.first_run, job.limits = first_run, limits
        job.marks = self.marks(float(times[-1]), max_step, cautions)
        job.run(backend)
        apply_assignments(self.lowered, job.out, times)
        job.cut()
        return job.out


class Job:
    """One call of `Sampler.run`: the output array, and the ways to fill it."""

    def __init__(self, sampler: Sampler, times: Values, runs: int, seed: int, most: int, threads: int) -> None:
        self.sampler, self.v0, self.times, self.most, self.threads = sampler, sampler.v0, times, most, threads
        self.key = np.array(derive(seed, "ssa"), dtype=np.uint64)
        self.out = np.empty((runs, len(times), len(self.v0)))
        self.stop = np.zeros(1, dtype=np.bool_)
        self.trace = np.empty((0, 2))
        self.marks = np.empty(0)
        self.first_run = 0
        self.limits: Limits | None = None

    def run(self, backend: Backend | None) -> None:
        if self.limits is None:
            return self._run(backend)
        self.out.fill(np.nan)
        with self.limits.stopping(self.stop):
            return self._run(backend)

    def _run(self, backend: Backend | None) -> None:
        first = 0
        if backend is None:
            backend, first = self.choose()
        if backend == "tables":
            self.in_threads(first, self.run_tables)
        else:
            self.in_threads(first, self.generated(backend))

    def choose(self) -> tuple[Backend, int]:
        """The kernel that is done first, and how many runs are done by then.

        Kernels whose machine code is kept are used for any number of runs. Whether another is worth its compilation is
        judged by the length of the first run, by tables; what tables have taken before counts as paid, so that many
        short calls come to a compiled kernel too.
        """
        from senexo.engine.ssa.steady import MOST_UNWATCHED

        net, runs = self.sampler.steady, len(self.out)
        if net is None or self.most > MOST_UNWATCHED:
            return "tables", 0
        each = choice.share(runs, self.threads)
        cost: dict[Backend, float] = {"tables": choice.TABLES * each}
        cost |= {backend: choice.per_event(backend, net, each) for backend in GENERATED}
        wait: dict[Backend, float] = {}
        for backend in sorted(cost, key=cost.__getitem__):
            wait[backend] = 0.0 if backend == "tables" else self.wait(backend, net)
            if wait[backend] == 0.0:
                break
        ready, others = backend, [b for b in wait if 0.0 < wait[b] < inf]
        if not others:
            return ready, 0
        pilot = self.run_tables(0, 1, min(_PILOT, self.most))
        if pilot[0] not in (OK, TOO_LONG) or (pilot[0] == TOO_LONG and self.most <= _PILOT):
            self.report([pilot])
        done = int(pilot[0] == OK)
        events = pilot[4] / (1.0 if done else max(pilot[2] / self.times[-1], 1e-9)) * (1.0 - done / runs)
        paid = self.sampler.shape.tabled
        total = {ready: events * cost[ready]}
        total |= {backend: events * cost[backend] + max(0.0, wait[backend] - paid) for backend in others}
        chosen = min(total, key=total.__getitem__)
        self.sampler.shape.tabled += choice.TABLES * pilot[4] + (total[chosen] if chosen == "tables" else 0.0)
        return chosen, done

    def wait(self, backend: Generated, net: Steady) -> float:
        """Nanoseconds until a generated kernel could run; 0 where its machine code is kept."""
        from senexo.engine.formula.kernels import kept

        needed = self.sampler.shape.compilation(net, backend)
        if needed < inf and kept(self.sampler.compiled(backend), self.arguments(0, self.out)):
            return 0.0
        return needed

    def arguments(self, first: int, out: Values) -> tuple[Any, ...]:
        """What a generated kernel takes."""
        return (
            self.v0,
            self.key[0],
            self.key[1],
            self.first_run + first,
            self.times,
            self.most,
            out,
            self.trace,
            self.stop,
        )

    def run_tables(self, first: int, last: int, most: int | None = None) -> Outcome:
        from senexo.engine.ssa.kernel import simulate_plain
        from senexo.engine.ssa.kernel_events import simulate_general
        from senexo.engine.ssa.tables import Request, Start

        tables = self.sampler.tables
        work = tables.work()
        start = Start(self.v0, self.key, self.first_run + first)
        request = Request(self.times, most or self.most, self.trace, self.stop)
        if tables.plain:
            outcome, index, run = simulate_plain(tables.model.core, work, start, request, self.out[first:last])
        else:
            model = tables.model._replace(motion=tables.model.motion._replace(marks=self.marks))
            outcome, index, run = simulate_general(model, work, start, request, self.out[first:last])
        return outcome, index, float(work.state[0]), first + run, int(work.done[1])

    def generated(self, backend: Generated) -> Callable[[int, int], Outcome]:
        kernel = self.sampler.compiled(backend)

        def run(first: int, last: int) -> Outcome:
            out = self.out[first:last]
            out[:] = self.v0
            if self.limits is not None:
                out[..., self.written] = np.nan
            failed = kernel(*self.arguments(first, out))
            if failed < 0:
                return OK, 0, 0.0, first, 0
            if self.stop[0]:
                return STOPPED, 0, 0.0, first + failed, 0
            # Generated code only knows that something went wrong; the same run by tables says what.
            return self.run_tables(first + failed, first + failed + 1)

        return run

    def in_threads(self, first: int, work: Callable[[int, int], Outcome]) -> None:
        """Share the runs from `first` on among threads; an interrupt stops them all within a moment."""
        if self.limits is not None:
            work = self.going_on(work)
        bounds = np.linspace(first, len(self.out), min(self.threads, max(1, len(self.out) - first)) + 1).astype(int)
        with ThreadPoolExecutor(len(bounds) - 1) as pool:
            try:
                futures = [pool.submit(work, int(a), int(b)) for a, b in pairwise(bounds) if a < b]
                wait(futures)
            except BaseException:
                self.stop[0] = True
                raise
        self.report([future.result() for future in futures])

    def going_on(self, work: Callable[[int, int], Outcome]) -> Callable[[int, int], Outcome]:
        """The same work, which notes a run that reaches the limit of events and goes on with the next."""
        limits = self.limits
        assert limits is not None

        def run(first: int, last: int) -> Outcome:
            while True:
                found = work(first, last)
                code, _, time, first, _ = found
                if code != TOO_LONG or limits.events is None:
                    return found
                limits.end(self.first_run + first, time, events=True)
                first += 1
                if first == last:
                    return OK, 0, time, first, 0

        return run

    @property
    def written(self) -> list[int]:
        """Slots that a run writes at every time, so that one which is nan was not reached."""
        steady = self.sampler.steady
        return list(range(len(self.v0))) if steady is None or not len(steady.counted) else list(steady.counted)

    def cut(self) -> None:
        """Of runs that reached a limit: note those that the time ended, nothing but constants after the end."""
        if self.limits is None:
            return
        fixed = np.array([not info.changes for info in self.sampler.lowered.slots])
        written = self.written
        for run, values in enumerate(self.out):
            n = int((~np.isnan(values[:, written])).any(axis=1).sum())
            if n == len(self.times):
                continue
            if self.first_run + run not in self.limits.ended:
                self.limits.end(self.first_run + run, float(self.times[n - 1]) if n else None)
            values[n:] = np.where(fixed, self.v0, np.nan)

    def report(self, outcomes: list[Outcome]) -> None:
        """Raise for the first run that failed."""
        failures = [outcome for outcome in outcomes if outcome[0] not in (OK, STOPPED)]
        if failures:
            code, index, time, run, _ = min(failures, key=lambda outcome: outcome[3])
            raise error(self.sampler.lowered, code, index, time, run, self.most)
