"""What a branching process does without a random number: probabilities of extinction, and mean numbers of cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from senexo.base.errors import Fault, InvalidInput
from senexo.engine.branching.backward import backward
from senexo.engine.branching.process import Counts, Floats, Process


def log_extinction(
    process: Process, until: float | Sequence[float], *, since: float | None = None,
    counted: Sequence[str] | None = None,
) -> Floats:  # fmt: skip
    """The logarithm of the probability that one cell, and all that descends from it, is gone by a time.

    The generating function at zero by the backward equation (Athreya and Ney 1972, doi 10.1007/978-3-642-65371-1):
    with f_i the probability for a cell of type i alive at time t,
    -df_i/dt = sum over events e of type i of h_e(t) (prod_j f_j^offspring(e, j) - f_i), and f_i = 0 at the end.
    Extinction f and survival s = 1 - f are integrated side by side, each to a relative error, so that neither a rare
    extinction nor a rare survival among many cells is lost in rounding.

    Parameters
    ----------
    process
        The process.
    until
        Time at which no cell is left; or several.
    since
        Time at which the cell is alive; by default the first edge.
    counted
        Types of which no cell is left; by default all. Types that become them have to be among them.

    Returns
    -------
    ndarray, shape (types,), or (times, types) of several times
        Log probability for one cell of each type; -inf where extinction is impossible. Cells are independent: for
        several, `extinction` multiplies.

    Raises
    ------
    InvalidInput
        A time outside the edges, an unknown type, types that are not closed, or a process of limited room: cells are
        then not independent (`Process.in_room` gives the branching process of a known room).

    Examples
    --------
    >>> from senexo.engine.branching.process import Event, Process
    >>> birth_death = Process.of(["cell"], [Event("cell", {"cell": 2}, 1.0), Event("cell", {}, 0.5)], [0.0, 2.0])
    >>> round(float(np.exp(log_extinction(birth_death, 2.0)[0])), 6)  # (e - 1) / (2 e - 1)
    0.3873
    """
    mask = process.counted(counted)
    if np.isfinite(process.capacity) and process.limited.any():
        raise InvalidInput(
            [Fault("process", "cells that share a limited room", "independent cells (Process.in_room, or no capacity)")]
        )
    begin = float(process.edges[0]) if since is None else since
    ends = np.atleast_1d(np.asarray(until, float))
    for end in ends:
        process.within(end, "until")
    process.within(begin, "since")
    n = len(process.types)
    states = np.tile(np.concatenate([1.0 - mask, mask]).astype(float), (len(ends), 1))
    edges, hazards = _merged(process, begin, ends)
    over = len(hazards) - np.searchsorted(edges, ends)
    backward(states, over, np.diff(edges)[::-1].copy(), hazards[::-1].copy(), process.parent, process.offspring)
    gone, left = states[:, :n], states[:, n:]
    with np.errstate(divide="ignore"):
        logs = np.where(gone < 0.5, np.log(gone), np.log1p(-np.minimum(left, 1.0)))
    return np.asarray(logs[0] if np.ndim(until) == 0 else logs)


def extinction(
    process: Process,
    start: Counts | Floats,
    until: float,
    *,
    since: float | None = None,
    counted: Sequence[str] | None = None,
) -> float:
    """The probability that cells `start` [types], and all that descends from them, are gone by a time.

    Other parameters and errors are those of `log_extinction`.

    Examples
    --------
    >>> from senexo.engine.branching.process import Event, Process
    >>> deaths = Process.of(["cell"], [Event("cell", {}, 1.0)], [0.0, 2.0])
    >>> round(extinction(deaths, deaths.start({"cell": 3}), 2.0), 6)  # (1 - exp(-2))^3
    0.646462
    """
    logs, there = log_extinction(process, until, since=since, counted=counted), np.asarray(start) > 0
    return float(np.exp(np.asarray(start)[there] @ logs[there]))


def _merged(process: Process, begin: float, ends: Floats) -> tuple[Floats, Floats]:
    """Edges from `begin` to the last of `ends`, and hazards [intervals, events] between them.

    Neighbouring intervals of equal hazards are one, but for an edge at each of `ends`.
    """
    edges = np.union1d(process.edges, [*ends, begin])
    edges = edges[(edges >= begin) & (edges <= ends.max())]
    own = process.hazards[np.searchsorted(process.edges, edges[:-1], side="right") - 1]
    if not len(own):
        return edges, own
    differs = (own[1:] != own[:-1]).any(axis=1) | np.isin(edges[1:-1], ends)
    kept = np.flatnonzero(np.concatenate([[True], differs]))
    return np.append(edges[kept], edges[-1]), own[kept]


def mean(process: Process, start: Counts | Floats, times: Sequence[float] | Floats) -> Floats:
    """The deterministic twin: mean numbers of cells, exact by matrix exponentials where cells are independent.

    Where room is limited it is the mean field, x' = sum over events e of h_e r(x) x_parent(e) change_e with
    r = max(0, 1 - X / capacity), by a Runge-Kutta method of order 8 to a relative error of 1e-10 in each step:
    the limit of many cells, not the exact mean of few.

    Parameters
    ----------
    process, start
        The process, and [types] cells at the first edge.
    times
        Rising times.

    Returns
    -------
    ndarray, shape (times, types)

    Raises
    ------
    InvalidInput
        A time outside the edges.

    Examples
    --------
    >>> from senexo.engine.branching.process import Event, Process
    >>> growth = Process.of(["cell"], [Event("cell", {"cell": 2}, 0.5)], [0.0, 2.0])
    >>> mean(growth, np.array([10]), [2.0]).round(4)  # 10 e
    array([[27.1828]])
    """
    step = _limited_step if np.isfinite(process.capacity) and process.limited.any() else _linear_step
    now, state = float(process.edges[0]), np.asarray(start, float)
    found = np.empty((len(times), len(process.types)))
    for row, time in enumerate(times):
        process.within(time, "times")
        while now < time:
            interval = int(np.searchsorted(process.edges, now, side="right")) - 1
            end = min(time, float(process.edges[interval + 1]))
            state, now = step(process, process.hazards[interval], state, end - now), end
        found[row] = state
    return found


def _linear_step(process: Process, hazards: Floats, state: Floats, length: float) -> Floats:
    rates = np.zeros((len(state), len(state)))
    np.add.at(rates.T, process.parent, hazards[:, None] * process.change)
    return np.asarray(expm(rates * length) @ state)


def _limited_step(process: Process, hazards: Floats, state: Floats, length: float) -> Floats:
    change, parent = process.change.astype(float), process.parent

    def slope(_: float, x: Floats) -> Floats:
        return np.asarray((hazards * np.where(process.limited, process.room(x), 1.0) * x[parent]) @ change)

    found = solve_ivp(slope, (0.0, length), state, method="DOP853", rtol=1e-10, atol=1e-9)
    return np.maximum(np.asarray(found.y[:, -1]), 0.0)
