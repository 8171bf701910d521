"""What a branching process does without a random number: probabilities of extinction, and mean numbers of cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from senexo.engine.branching.process import Counts, Floats, Process

RELATIVE = 1e-11  # error of a step of the backward equation, relative to each probability
LEAST = np.array([1e-18, 1e-30])  # and absolute: of extinction, of survival


def log_extinction(
    process: Process, until: float, *, since: float | None = None, counted: Sequence[str] | None = None
) -> Floats:
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
        Time at which no cell is left.
    since
        Time at which the cell is alive; by default the first edge.
    counted
        Types of which no cell is left; by default all. Types that become them have to be among them.

    Returns
    -------
    ndarray, shape (types,)
        Log probability for one cell of each type; -inf where extinction is impossible. Cells are independent:
        ``start @ log_extinction(...)`` is the log probability for a whole graft.

    Raises
    ------
    InvalidInput
        A time outside the edges, an unknown type, or types that are not closed.

    Examples
    --------
    >>> from senexo.engine.branching.process import Event, Process
    >>> birth_death = Process.of(["cell"], [Event("cell", {"cell": 2}, 1.0), Event("cell", {}, 0.5)], [0.0, 2.0])
    >>> round(float(np.exp(log_extinction(birth_death, 2.0)[0])), 6)  # (e - 1) / (2 e - 1)
    0.3873
    """
    mask = process.counted(counted)
    begin = float(process.edges[0]) if since is None else since
    process.within(until, "until")
    process.within(begin, "since")
    n = len(process.types)
    state = np.concatenate([1.0 - mask, mask]).astype(float)
    least = np.repeat(LEAST, n)
    for interval in range(len(process.hazards) - 1, -1, -1):
        first, last = max(process.edges[interval], begin), min(process.edges[interval + 1], until)
        if first >= last:
            continue
        hazards = process.hazards[interval]
        found = solve_ivp(
            lambda _, y, h=hazards: _backward(process, h, y), (0.0, last - first), state,
            method="DOP853", rtol=RELATIVE, atol=least,
        )  # fmt: skip
        state = np.clip(found.y[:, -1], 0.0, 1.0)
    gone, left = state[:n], state[n:]
    with np.errstate(divide="ignore"):
        return np.where(gone < 0.5, np.log(gone), np.log1p(-np.minimum(left, 1.0)))


def _backward(process: Process, hazards: Floats, state: Floats) -> Floats:
    n = len(process.types)
    gone, left = np.clip(state[:n], 0.0, 1.0), np.clip(state[n:], 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(
            process.offspring > 0, process.offspring * np.where(gone < 0.5, np.log(gone), np.log1p(-left)), 0.0
        )
    all_gone = logs.sum(axis=1)
    change = np.zeros(2 * n)
    np.add.at(change, process.parent, hazards * (np.exp(all_gone) - gone[process.parent]))
    np.add.at(change, n + process.parent, hazards * (-np.expm1(all_gone) - left[process.parent]))
    return change


def mean(process: Process, start: Counts, times: Sequence[float]) -> Floats:
    """Mean numbers of cells: the deterministic twin of the process, exact by matrix exponentials.

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
    n = len(process.types)
    change = process.offspring - np.eye(n, dtype=np.int64)[process.parent]
    now, state = float(process.edges[0]), np.asarray(start, float)
    found = np.empty((len(times), n))
    for row, time in enumerate(times):
        process.within(time, "times")
        while now < time:
            interval = int(np.searchsorted(process.edges, now, side="right")) - 1
            end = min(time, float(process.edges[interval + 1]))
            rates = np.zeros((n, n))
            np.add.at(rates.T, process.parent, process.hazards[interval][:, None] * change)
            state, now = expm(rates * (end - now)) @ state, end
        found[row] = state
    return found
