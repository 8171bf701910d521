"""Exact stochastic simulation (Gillespie's direct method) of one network: many trajectories, each with its own stream.

The backends share one algorithm, bit for bit (see `senexo.engine.ssa.kernel`), so the choice between them is one of
speed alone: "tables" for anything short and for events and moving rates; code generated for the network when its
compilation is worth the wait, "flat" (one reaction at a time) for few long runs and "lanes" (in lockstep) for many.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SimulationError
from senexo.base.streams import derive
from senexo.base.threads import available
from senexo.engine.formula.evaluate import apply_assignments
from senexo.engine.formula.forcing import Forcing, evenly
from senexo.engine.formula.network import Assigned, Lowered
from senexo.engine.status import OK, STOPPED, TOO_LONG, error
from senexo.model.expression import Call, Expression, Slot, rewrite

if TYPE_CHECKING:
    from senexo.engine.ssa.steady import Steady
    from senexo.engine.ssa.tables import Tables

Values = NDArray[np.float64]
Backend = Literal["tables", "flat", "lanes"]
Outcome = tuple[int, int, float, int, int]  # code, index, time, run, reactions fired

MOST_EVENTS = 1_000_000_000  # reactions in one run, by default
MISSED = (
    "terms of the model that depend on time change too often, or by events, to be examined beforehand; a narrow pulse "
    "in them may have been stepped over: set max_step to less than its width"
)
_PILOT = 2_000_000  # reactions of the first run after which its length is estimated from how far it came
# From this many reactions on, generated code is sooner done than tables, its compilation included.
_WORTH_COMPILING = {"flat": 60_000_000, "lanes": 30_000_000}
_FEWEST_IN_LOCKSTEP = 12


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
        cautions=cautions,
    )  # fmt: skip


class Sampler:
    """`sample` for many calls with one network and one start: tables and kernels are made once."""

    def __init__(self, lowered: Lowered, v0: Values) -> None:
        self.lowered, self.v0 = lowered, v0
        self.simple = _without_unit_sizes(lowered, v0)

    @cached_property
    def tables(self) -> Tables:
        from senexo.engine.ssa.tables import tables

        return tables(self.simple)

    @cached_property
    def steady(self) -> Steady | None:
        from senexo.engine.ssa.steady import steady

        return steady(self.simple, self.v0)

    @cached_property
    def flat(self) -> Callable[..., Any]:
        return self.compiled("flat")

    @cached_property
    def lanes(self) -> Callable[..., Any]:
        return self.compiled("lanes")

    def compiled(self, backend: Literal["flat", "lanes"]) -> Callable[..., Any]:
        from senexo.engine.ssa.generated import compiled

        if self.steady is None:
            raise SimulationError(f"the kernel {backend!r} runs no network with events, moving rates or faults")
        return compiled(self.steady, backend)

    def marks(self, end: float, max_step: float | None, cautions: list[str] | None) -> Values:
        """Times that the integration of moving rates does not pass in one step."""
        if self.steady is not None or not self.tables.model.flows:
            return np.empty(0)
        forcing = Forcing(self.simple)
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
    ) -> Values:
        """See `sample`."""
        if not len(times) or not runs:
            return np.empty((runs, len(times), len(self.v0)))
        job = Job(self, times, runs, seed, most_events, threads or available())
        job.marks = self.marks(float(times[-1]), max_step, cautions)
        job.run(backend)
        apply_assignments(self.lowered, job.out, times)
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

    def run(self, backend: Backend | None) -> None:
        first = 0
        if backend is None:
            backend, first = self.choose()
        if backend == "tables":
            self.in_threads(first, self.run_tables)
        else:
            self.in_threads(first, self.generated(backend))

    def choose(self) -> tuple[Backend, int]:
        """The kernel that is done first, by the length of a pilot run, and how many runs are done by then."""
        from senexo.engine.ssa.steady import MOST_UNWATCHED

        runs = len(self.out)
        if self.sampler.steady is None or self.most > MOST_UNWATCHED:
            return "tables", 0
        pilot = self.run_tables(0, 1, min(_PILOT, self.most))
        if pilot[0] not in (OK, TOO_LONG) or (pilot[0] == TOO_LONG and self.most <= _PILOT):
            self.report([pilot])
        done = int(pilot[0] == OK)
        share = 1.0 if done else max(pilot[2] / self.times[-1], 1e-9)
        backend: Backend = "lanes" if runs - done >= _FEWEST_IN_LOCKSTEP else "flat"
        work = (runs - done) * pilot[4] / share
        return (backend if work > _WORTH_COMPILING[backend] else "tables"), done

    def run_tables(self, first: int, last: int, most: int | None = None) -> Outcome:
        from senexo.engine.ssa.kernel import simulate_plain
        from senexo.engine.ssa.kernel_events import simulate_general
        from senexo.engine.ssa.tables import Request, Start

        tables = self.sampler.tables
        work = tables.work()
        start = Start(self.v0, self.key, first)
        request = Request(self.times, most or self.most, self.trace, self.stop)
        if tables.plain:
            outcome, index, run = simulate_plain(tables.model.core, work, start, request, self.out[first:last])
        else:
            model = tables.model._replace(motion=tables.model.motion._replace(marks=self.marks))
            outcome, index, run = simulate_general(model, work, start, request, self.out[first:last])
        return outcome, index, float(work.state[0]), first + run, int(work.done[1])

    def generated(self, backend: Literal["flat", "lanes"]) -> Callable[[int, int], Outcome]:
        kernel = self.sampler.flat if backend == "flat" else self.sampler.lanes

        def run(first: int, last: int) -> Outcome:
            out = self.out[first:last]
            out[:] = self.v0
            failed = kernel(self.v0, self.key[0], self.key[1], first, self.times, self.most, out, self.trace, self.stop)
            if failed < 0:
                return OK, 0, 0.0, first, 0
            # Generated code only knows that something went wrong; the same run by tables says what.
            return self.run_tables(first + failed, first + failed + 1)

        return run

    def in_threads(self, first: int, work: Callable[[int, int], Outcome]) -> None:
        """Share the runs from `first` on among threads; an interrupt stops them all within a moment."""
        bounds = np.linspace(first, len(self.out), min(self.threads, max(1, len(self.out) - first)) + 1).astype(int)
        with ThreadPoolExecutor(len(bounds) - 1) as pool:
            try:
                futures = [pool.submit(work, int(a), int(b)) for a, b in pairwise(bounds) if a < b]
                wait(futures)
            except BaseException:
                self.stop[0] = True
                raise
        self.report([future.result() for future in futures])

    def report(self, outcomes: list[Outcome]) -> None:
        """Raise for the first run that failed."""
        failures = [outcome for outcome in outcomes if outcome[0] not in (OK, STOPPED)]
        if failures:
            code, index, time, run, _ = min(failures, key=lambda outcome: outcome[3])
            raise error(self.sampler.lowered, code, index, time, run, self.most)


def _without_unit_sizes(lowered: Lowered, v0: Values) -> Lowered:
    """The same network with divisions by compartments of constant size 1 left out: no value changes by that."""
    unit = {
        slot
        for slot, info in enumerate(lowered.slots)
        if info.kind == "compartment" and not info.changes and v0[slot] == 1.0
    }

    def simpler(node: Expression) -> Expression:
        match node:
            case Call("divide", (x, Slot(slot))) if slot in unit:
                return x
        return node

    def change(item: Assigned) -> Assigned:
        return replace(item, math=rewrite(item.math, simpler))

    if not unit:
        return lowered
    return replace(
        lowered,
        assignments=tuple(change(item) for item in lowered.assignments),
        rate_rules=tuple(change(item) for item in lowered.rate_rules),
        reactions=tuple(replace(r, rate=rewrite(r.rate, simpler)) for r in lowered.reactions),
        events=tuple(
            replace(
                event,
                trigger=rewrite(event.trigger, simpler),
                assignments=tuple(change(item) for item in event.assignments),
            )
            for event in lowered.events
        ),
    )
