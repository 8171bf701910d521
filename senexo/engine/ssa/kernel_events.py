"""The exact stochastic kernel for everything SBML core can say: events, cuts of the waiting time, moving rates."""

from __future__ import annotations

from typing import Any

import numpy as np

from senexo.engine.formula.kernels import kernel
from senexo.engine.formula.machine import run as execute
from senexo.engine.ssa.kernel import add_up, advance, begin, compute_all
from senexo.engine.ssa.moving_rates import flow_until, turned
from senexo.engine.ssa.sbml_events import none_pending, settle
from senexo.engine.ssa.tables import GAP, WHEN
from senexo.engine.status import CUT, FIRED, LOOK, OK, STOPPED, TOO_LONG

_compile = kernel(internal=True)


@_compile
def _next_cut(core: Any, motion: Any, memory: Any, time: float) -> float:
    """The next moment at which a moving switch may turn; a cut too many changes nothing but the work."""
    execute(core.code, motion.cuts[0], motion.cuts[1], memory)
    soonest = np.inf
    for k in range(len(motion.cut)):
        kind, cell = motion.cut[k]
        value, slope = memory[cell], memory[cell + 1]
        if kind == WHEN:
            turn = value
        elif slope == 0.0:
            continue
        elif kind == GAP:
            turn = time - value / slope
        elif slope > 0.0:
            turn = time + (np.floor(value) + 1.0 - value) / slope
        else:
            turn = time + (np.ceil(value) - 1.0 - value) / slope
        # "time > 5" turns just after 5; a computed turn may lie a rounding beside the true one.
        slack = 0.0 if kind == WHEN else 1e-14 * abs(time)
        if turn > time + 0.2 * slack:
            soonest = min(soonest, turn)
        elif turn >= time - slack:
            soonest = min(soonest, max(np.nextafter(time, np.inf), time + 2.0 * slack))
    return soonest


@_compile
def _look_at_everything(model: Any, work: Any, pending: Any) -> Any:
    """After anything but an ordinary reaction: events of this instant, propensities, and when time cuts in next.

    Returns (outcome, index, next cut).
    """
    core, memory, time = model.core, work.memory, work.state[0]
    memory[core.time] = time
    if len(pending.was):
        execute(core.code, core.everything[0], core.everything[1], memory)
        outcome, index = settle(core, model.events, memory, time, pending, work.key)
        if outcome != OK:
            return outcome, index, time
    outcome, index = compute_all(core, memory)
    work.state[3] = add_up(core, memory, work.within, work.before)
    cut = _next_cut(core, model.motion, memory, time) if len(model.motion.cut) else np.inf
    for k in range(pending.n[0]):
        cut = min(cut, pending.due[k])
    return outcome, index, cut


@_compile
def _one_run(model: Any, work: Any, request: Any, out: Any) -> Any:
    """One trajectory from its beginning. Returns (outcome, index)."""
    core, state, count, memory, times = model.core, work.state, work.done, work.memory, request.times
    pending, step, cut = none_pending(model.events), np.zeros(1), np.inf
    fresh, marks, mark, looks = True, model.motion.marks, 0, 0
    while True:
        if fresh:
            outcome, index, cut = _look_at_everything(model, work, pending)
            looks += 1  # each may be an event: a run of events alone has no reaction that is counted
            if outcome == OK and looks > request.most:
                outcome = TOO_LONG
            if outcome == OK and request.stop[0]:
                outcome = STOPPED
            if outcome != OK:
                return outcome, index
        if model.flows:
            while mark < len(marks) and marks[mark] <= state[0]:
                mark += 1
            until = min(cut, times[count[0]])
            if mark < len(marks):
                until = min(until, marks[mark])
            outcome, index = flow_until(core, model.motion, work, pending.was, until, times[-1], step, request.stop)
            if outcome != OK:
                return outcome, index
            state[3] = add_up(core, memory, work.within, work.before)
            if state[1] > 0.0:
                fresh = state[0] < until or state[0] == cut or turned(core, memory, pending.was)
                if not fresh and state[0] == times[count[0]]:  # an output, and nothing else at this time
                    for slot in range(out.shape[1]):
                        out[count[0], slot] = memory[slot]
                    count[0] += 1
                    if count[0] == len(times):
                        return OK, 0
                continue
        outcome, index = advance(core, work, request, pending.was, cut, model.flows, out)
        if outcome not in (CUT, LOOK, FIRED):
            return outcome, index
        fresh = outcome != FIRED


@kernel()
def simulate_general(model: Any, work: Any, start: Any, request: Any, out: Any) -> Any:
    """As `senexo.engine.ssa.kernel.simulate_plain`, for all of a network."""
    outcome, index, r = OK, 0, 0
    for r in range(out.shape[0]):
        begin(work, start, r)
        outcome, index = _one_run(model, work, request, out[r])
        if outcome == OK and request.stop[0]:
            outcome = STOPPED
        if outcome != OK:
            break
    return outcome, index, r
