"""Many rows of values of one model in one call: what `parameters` of `senexo.simulate` may be, how rows are solved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput, SimulationError, UnsupportedFeature
from senexo.base.streams import generator
from senexo.engine.formula.network import Lowered
from senexo.engine.formula.timeline import ChangeAt, apply_change
from senexo.lab.timeline import with_changes
from senexo.model.expression import Call, Expression, Time, walk

if TYPE_CHECKING:
    from senexo.engine.limits import Limits
    from senexo.engine.ode.ensemble import BatchODE
    from senexo.lab.prepared import Prepared

Floats = NDArray[np.float64]

ROWS_AT_ONCE = 512  # of a batch with a limit of time, which is looked at in between
FEWEST_IN_BATCH = 32  # rows; fewer are not worth the compilation (some seconds, once per model)
MOST_STATES = 80  # of a batch: the code of larger networks takes minutes to compile
COMPLETE = "complete"
_JUMPS = frozenset({
    "eq", "neq", "lt", "leq", "gt", "geq", "floor", "ceiling", "quotient", "rem", "piecewise", "select",
})  # fmt: skip


@dataclass
class Rows:
    """What was found: values [rows x runs, times, slots], a status for each of these, and how ODEs were solved."""

    values: Floats
    status: list[str]
    how: str
    cautions: list[str] = field(default_factory=list)

    def end(self, limits: Limits | None, runs: NDArray[np.int64]) -> None:
        """The status of those that ended at a limit; runs: the number of each."""
        ended = {} if limits is None else limits.ended
        self.status = [ended.get(int(run), status) for run, status in zip(runs, self.status, strict=True)]


def as_columns(parameters: Any) -> tuple[Any, int | None]:
    """A mapping of ids to numbers or arrays [rows], and the number of rows; None where nothing has rows.

    Raises
    ------
    InvalidInput
        Columns of different lengths, or no rows at all.
    """
    if parameters is None:
        return {}, None
    if hasattr(parameters, "columns") and hasattr(parameters, "iloc"):  # a DataFrame
        if not parameters.columns.is_unique:
            raise InvalidInput([Fault("parameters", "a column that is there twice", "one column for each id")])
        given: dict[str, Any] = {str(name): parameters[name].to_numpy() for name in parameters.columns}
        lengths = {name: len(parameters) for name in given}
    elif hasattr(parameters, "data_vars"):  # an xarray.Dataset
        given = {str(name): variable.values for name, variable in parameters.data_vars.items()}
        lengths = {name: len(value) for name, value in given.items() if np.ndim(value) == 1}
    elif isinstance(parameters, Mapping):
        given = {id: value if np.ndim(value) == 0 else np.asarray(value) for id, value in parameters.items()}
        lengths = {id: len(value) for id, value in given.items() if np.ndim(value) == 1}
    else:
        return parameters, None
    deep = [id for id, value in given.items() if np.ndim(value) > 1]
    if deep:
        expected = "a number, or one number for each row"
        raise InvalidInput([Fault(f"parameters, {deep[0]}", f"{np.ndim(given[deep[0]])} axes", expected)])
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{id} {n}" for id, n in lengths.items())
        raise InvalidInput([Fault("parameters", f"columns of {found} rows", "columns of one length")])
    if not lengths:
        return parameters if isinstance(parameters, Mapping) else given, None
    n = next(iter(lengths.values()))
    if n == 0:
        raise InvalidInput([Fault("parameters", "a table without rows", "at least one row")])
    return given, n


def value_faults(id: str, values: NDArray[Any]) -> Iterator[Fault]:
    """The first value of a column that is no finite number."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        yield Fault(f"parameters, {id}", f"{values[:3]!r}"[:80], "numbers")
        return
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        yield Fault(f"parameters, {id}, row {bad[0]}", repr(float(numbers[bad[0]])), "a finite number")


def exact_rows(
    ready: Prepared, v0: Floats, times: Floats, *, runs: int, seed: int, numbers: NDArray[np.int64],
    limits: Limits | None = None, **settings: Any,
) -> Rows:  # fmt: skip
    """Exact trajectories of every row of v0 [rows, slots]; run r of row number k has the stream of k x runs + r."""
    from senexo.engine.ssa.sampler import Sampler

    rows = Rows(np.full((len(v0) * runs, len(times), v0.shape[1]), np.nan), [], "")
    for k, start in enumerate(v0):
        part, status = slice(k * runs, (k + 1) * runs), COMPLETE
        try:
            sampler = Sampler(ready.lowered, start, ready.plan)
            rows.values[part] = sampler.run(
                times,
                runs=runs,
                seed=seed,
                first_run=int(numbers[k]) * runs,
                cautions=rows.cautions,
                limits=limits,
                **settings,
            )
        except (SimulationError, UnsupportedFeature) as error:
            status = _reason(error)
        rows.status += [status] * runs
    rows.end(limits, (numbers[:, None] * runs + np.arange(runs)).ravel())
    _fill_constants(ready.lowered, rows, np.repeat(v0, runs, axis=0))
    return rows


def deterministic_rows(
    ready: Prepared, v0: Floats, times: Floats, *, changes: Sequence[ChangeAt], nominal: Floats, rtol: float,
    atol: float | None, seed: int, numbers: NDArray[np.int64], threads: int | None, max_step: float | None,
    limits: Limits | None = None,
) -> Rows:  # fmt: skip
    """ODE runs of every row of v0 [rows, slots], in one batch where the network allows it.

    nominal [slots]: the model's own values, whose course sets the default of `atol`, so that no row depends on others.
    changes: made between two stretches of a batch; one by one they are events of the network.
    """
    reason = "max_step is given" if max_step is not None else one_by_one(ready.lowered, len(v0))
    rows = Rows(np.full((len(v0), len(times), v0.shape[1]), np.nan), [COMPLETE] * len(v0), "in one batch (Rodas5P)")
    alone = list(range(len(v0)))
    if reason is None:
        try:
            batch = ready.batch
        except UnsupportedFeature as error:
            reason = str(error)
    if reason is None:
        allowed: Any = _sizes(batch, nominal, times, changes) * (1e-4 * rtol) if atol is None else atol
        settings: dict[str, Any] = {"rtol": rtol, "atol": allowed, "threads": threads}
        alone = _in_batches(rows, batch, v0, times, changes, settings, limits, numbers)
    else:
        rows.how = f"row by row: {reason}"
    from senexo.engine.ode.single import integrate

    single = with_changes(ready, changes)
    for k in alone:
        try:
            rows.values[k] = integrate(
                single.translated, v0[k], times, rtol=rtol, atol=atol, max_step=max_step, cautions=rows.cautions,
                ties=generator(seed, "event order", int(numbers[k])), limits=limits, run=int(numbers[k]),
            )  # fmt: skip
        except SimulationError as error:
            rows.values[k], rows.status[k] = np.nan, _reason(error)
    rows.end(limits, numbers)
    _fill_constants(ready.lowered, rows, v0)
    return rows


def _in_batches(
    rows: Rows, batch: BatchODE, v0: Floats, times: Floats, changes: Sequence[ChangeAt], settings: Mapping[str, Any],
    limits: Limits | None, numbers: NDArray[np.int64],
) -> list[int]:  # fmt: skip
    """Solve all rows, or those that the limit of time leaves; which ones are to be solved again one by one."""
    alone: list[int] = []
    at_once = len(v0) if limits is None or limits.seconds is None else ROWS_AT_ONCE
    for first in range(0, len(v0), at_once):
        part = slice(first, min(first + at_once, len(v0)))
        if limits is not None and limits.over:
            for number in numbers[first:]:
                limits.end(int(number), None)
            break
        rows.values[part], failed = _in_stretches(batch, v0[part], times, changes, **settings)
        alone += (first + np.flatnonzero(failed)).tolist()
    return alone


def one_by_one(lowered: Lowered, rows: int) -> str | None:
    """Why rows are not solved in one batch; None where they are."""
    if lowered.events:
        return "the model has events"
    formulas = [item.math for item in (*lowered.assignments, *lowered.rates)]
    if any(_jumps(math) for math in formulas):
        return "formulas jump or depend on time, so that steps must end at times of their own"
    if len(lowered.rates) > MOST_STATES:
        return f"{len(lowered.rates)} quantities change, and beyond {MOST_STATES} a batch takes minutes to compile"
    if rows < FEWEST_IN_BATCH:
        return f"fewer than {FEWEST_IN_BATCH} rows"
    return None


def _jumps(math: Expression) -> bool:
    return any(isinstance(node, Time) or (isinstance(node, Call) and node.operator in _JUMPS) for node in walk(math))


def _in_stretches(
    batch: BatchODE, v0: Floats, times: Floats, changes: Sequence[ChangeAt], **settings: Any
) -> tuple[Floats, NDArray[np.bool_]]:
    """Values [rows, times, slots] of a batch that is cut at every change, and which rows failed."""
    values, v = np.full((len(v0), len(times), v0.shape[1]), np.nan), v0.copy()
    failed = np.zeros(len(v0), dtype=bool)
    begin, open_changes = 0.0, list(changes)
    while True:
        while open_changes and open_changes[0].time <= begin:
            apply_change(batch.lowered, v, open_changes.pop(0))
        last = not open_changes
        end = float(times[-1]) if last else open_changes[0].time
        here = (times >= begin) & (times <= end if last else times < end)
        grid = np.concatenate(([begin], times[here], [end]))
        found = batch.solve(v, grid, **settings)
        values[:, here] = found.values[:, 1:-1]
        failed |= found.status != 0
        if last:
            values[failed] = np.nan
            return values, failed
        begin, v = end, found.final


def _sizes(batch: BatchODE, nominal: Floats, times: Floats, changes: Sequence[ChangeAt]) -> Floats:
    """The largest size of each quantity in the model's own course, and at least 1e-6 of the largest of all."""
    start = np.where(np.isfinite(nominal), nominal, 0.0)
    states = [item.slot for item in batch.lowered.rates]
    largest = float(np.max(np.abs(start[states]), initial=0.0)) or 1.0
    grid = np.linspace(0.0, float(times[-1]), 65)
    found, _ = _in_stretches(batch, start[None], grid, changes, rtol=1e-4, atol=1e-8 * largest, threads=1)
    sizes = np.nanmax(np.abs(np.vstack((start, found[0]))), axis=0)
    sizes[~np.isfinite(sizes)] = 0.0
    largest = float(np.max(sizes[states], initial=0.0)) or 1.0
    return np.maximum(sizes, 1e-6 * largest)


def steady_rows(
    ready: Prepared, v0: Floats, *, rtol: float, seed: int, numbers: NDArray[np.int64], any_root: bool = False
) -> tuple[Rows, float]:
    """The steady state that each row of v0 [rows, slots] comes to, as one time, and the longest time that took."""
    from senexo.engine.ode.steady import steady_state

    rows = Rows(np.full((len(v0), 1, v0.shape[1]), np.nan), [COMPLETE] * len(v0), "row by row: steady states")
    latest = 0.0
    for k, row in enumerate(v0):
        try:
            ties = generator(seed, "event order", int(numbers[k]))
            rest = steady_state(ready.translated, row, rtol=rtol, ties=ties, any_root=any_root)
        except SimulationError as error:
            if len(v0) == 1:
                raise
            rows.status[k] = _reason(error)
            continue
        rows.values[k, 0], latest = rest.values, max(latest, rest.time)
        rows.cautions += rest.cautions
    _fill_constants(ready.lowered, rows, v0)
    return rows, latest


def merged(parts: Sequence[tuple[NDArray[np.int64], Rows]], runs: int) -> Rows:
    """Rows that were computed in parts, each with the numbers of its rows."""
    if len(parts) == 1:
        return parts[0][1]
    order = np.argsort(np.concatenate([(numbers[:, None] * runs + np.arange(runs)).ravel() for numbers, _ in parts]))
    status = [one for _, rows in parts for one in rows.status]
    return Rows(
        np.concatenate([rows.values for _, rows in parts])[order],
        [status[k] for k in order],
        parts[0][1].how,
        [caution for _, rows in parts for caution in rows.cautions],
    )


def _fill_constants(lowered: Lowered, rows: Rows, v0: Floats) -> None:
    """What does not change is known of rows that failed, too."""
    fixed = [slot for slot, info in enumerate(lowered.slots) if not info.changes]
    for k, status in enumerate(rows.status):
        if status != COMPLETE:
            rows.values[k][:, fixed] = v0[k, fixed]


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
