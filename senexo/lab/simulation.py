"""`senexo.simulate`: one model's time courses as a labelled dataset."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.base.machine import available_memory
from senexo.base.streams import generator
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.network import Lowered
from senexo.engine.formula.unset import check_values
from senexo.engine.limits import Limits
from senexo.lab.prepared import Prepared, prepared
from senexo.lab.rows import (
    COMPLETE,
    Rows,
    as_columns,
    deterministic_rows,
    exact_rows,
    merged,
    steady_rows,
    value_faults,
)
from senexo.lab.soundness import doubts
from senexo.lab.timeline import (
    Changes,
    Start,
    as_left,
    begun,
    counted_from,
    described,
    errors_counted_from,
    given_before,
    kept_settings,
    read_changes,
    read_start,
    since,
    start_values,
    with_changes,
)
from senexo.model.network import Network, SpeciesReference

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from senexo.model.loading import Model

    Parameters = Mapping[str, Any] | pd.DataFrame | xarray.Dataset

SimulationMethod = Literal["ode", "ssa"]
Quantity = Literal["amount", "concentration"]

MOST_STEPS = 5_000_000  # of one run
SMALL = 16 * 2**20  # bytes; a result that is asked for without a look at the free memory
LARGEST_RESULT = 8 * 2**30  # bytes; a request beyond it is refused before anything is computed


def simulate(
    model: Model | Network,
    times: Sequence[float] | NDArray[np.float64] | None = None,
    *,
    method: SimulationMethod = "ode",
    runs: int = 1,
    seed: int = 0,
    parameters: Parameters | None = None,
    quantity: Quantity = "amount",
    threads: int | None = None,
    rtol: float = 1e-8,
    atol: float | None = None,
    max_step: float | None = None,
    start: float | xarray.Dataset = 0.0,
    changes: Changes | None = None,
    steady_state: bool | Literal["root"] = False,
    max_events: int | None = None,
    max_seconds: float | None = None,
) -> xarray.Dataset:
    """Simulate a model from `start` and give its quantities at `times`, or give its steady state.

    Parameters
    ----------
    model
        What `senexo.load` returns, or a network.
    times
        Ascending, `start` or later, in the model's time unit; a later first time only leaves out what came before.
        None for a steady state.
    method
        "ode" solves dA/dt = sum of stoichiometry x rate by backward differentiation (docs/engine.md); "ssa" draws exact
        trajectories of the same reactions on whole molecules (Gillespie's direct method).
    runs
        Independent trajectories (of each row of `parameters`); "ode" repeats one, and takes 1 for rows.
    seed
        Of "ssa", and of the order of events of equal priority, which SBML leaves to chance.
    parameters
        SBML id -> value in the model's unit, of parameters, compartment sizes, species' initial amounts and
        stoichiometries (of a local parameter: "reaction.parameter"). With an array for an id (not of a stoichiometry),
        or as a pandas.DataFrame or xarray.Dataset with a column for each id: one run for each row, "ode" in one batch
        where the model allows it.
    quantity
        What species are given as.
    threads
        Of "ssa" and of a batch; the result does not depend on it.
    rtol, atol
        Of "ode": local error of a step, `atol` in amounts, by default 1e-4 rtol of the largest amount that each
        quantity has had so far.
    max_step
        Longest step of an integration, in the model's time unit (in "ssa" of rates that change in time). Not needed for
        pulses in terms that depend on time alone, which are found; a rate that is a pulse in a state may need it.
    start
        The time at which the model begins, which its formulas see; or a former result of the same model, whose last
        state is continued: run by run, with the time at which it ended. What `parameters` sets is set in that state.
    changes
        Time -> {id: value}: what is set at known times, all of one time from the state before. A value is a number or a
        formula of ids (species in amounts), `time`, + - * / and exp, ln, sqrt, abs: ``{24.0: {"drug": "drug + 10"}}``.
        Events of the model at the same time come first.
    steady_state
        Whether to give the state in which the run comes to rest, as a dataset of one time, `start`: with it as `start`
        another run begins from there. "root": a run that oscillates gives the state it goes around, with a caution.
    max_events
        A run with so many events (of "ssa" reactions, or times at which the model's events act; of "ode" the model's
        events) ends there.
    max_seconds
        Wall time (s) after which runs end, compilation included.

    Returns
    -------
    xarray.Dataset
        With dims (run, time): one variable per species, per reaction (its rate; in "ssa" its propensity, forward less
        backward), and per parameter, compartment or stoichiometry that may change, under its SBML id with its unit
        (where a quantity is called "run" or "time", the dim of that name gets a "_" behind). What stays constant is a
        scalar coordinate. How the numbers came about is in `attrs`; `attrs["status"]` is "complete" or "complete, with
        cautions": numbers that may be less accurate than the tolerance says, or that no model means (not a number,
        infinite, an amount below zero, a Zeno point) are in `attrs["cautions"]`, a sentence a line. With rows,
        what a row sets is a coordinate along "run", and so is "status": "complete", or why a run failed. The values of
        a failed run are nan; `attrs["status"]` counts them. With `max_events` or `max_seconds`, too, each run has a
        "status": one that reached a limit has its values up to there, nan after that, and says which and when.

    Raises
    ------
    InvalidInput
        Arguments that are out of range, all of them at once.
    InvalidModel
        A quantity that the model reads has no value: a compartment without a size, a species without an amount.
    UnsupportedFeature
        The model has no meaning by "ssa"; or what is to be continued is not in a result: delays, delayed events; or a
        steady state is wanted of rates that keep depending on time.
    SimulationError
        A run cannot be carried to its end.

    References
    ----------
    SBML Level 3 Version 2 Core, doi 10.1515/jib-2017-0080; Gillespie 1977, doi 10.1021/j100540a008.

    Examples
    --------
    >>> from senexo.model.network import Network, Parameter
    >>> simulate(Network("m", parameters=(Parameter("k", 2.0, constant=False),)), [0, 1])["k"].values
    array([[2., 2.]])
    >>> simulate(Network("m", parameters=(Parameter("k", constant=False),)), [0], parameters={"k": [1, 2]})["k"].values
    array([[1.],
           [2.]])
    >>> simulate(Network("m", parameters=(Parameter("k", 2.0),)), [0, 1, 2], changes={1: {"k": "3*k"}})["k"].values
    array([[2., 6., 6.]])
    """
    network = model if isinstance(model, Network) else getattr(model, "network", None)
    if network is None:
        raise InvalidInput([Fault("model", repr(model)[:80], "what senexo.load returns")])
    parameters = {} if parameters is None else parameters
    given, n_rows = as_columns(parameters)
    original, network = network, with_stoichiometries(network, _with_former(start, given))
    ready = prepared(network)
    faults = [
        *_choice_faults(
            steady_state=(steady_state, (False, True, "root")),
            method=(method, ("ode", "ssa")),
            quantity=(quantity, ("amount", "concentration")),
        ),
        *_parameter_faults(ready.lowered, given),
        *_setting_faults(runs, seed, threads, rtol, atol),
        *_step_faults(max_step, times),
        *_limit_faults(max_events, max_seconds),
    ]
    begin = read_start(start, ready.lowered, faults)
    n_rows = _rows_of_both(n_rows, begin, faults)
    if n_rows is not None and method == "ode" and runs != 1:
        faults.append(
            Fault("runs", repr(runs), "1 where parameters or start has rows: runs of one row by ode are equal")
        )
    if steady_state:
        others = {"changes": changes, "max_step": max_step, "max_events": max_events, "max_seconds": max_seconds}
        faults += _steady_faults(times, method, runs, **others)
        times = [begin.time]
    ready = begun(ready, begin)
    lowered = ready.lowered
    plan = [] if changes is None else read_changes(changes, lowered, begin.time, _end(times), faults)
    total = runs * (n_rows or 1) if _is_whole(runs) else runs
    grid = _checked(times, total, len(lowered.slots), faults, begin.time)
    if not given and begin == Start():
        v0, cautions = ready.at_start()
    else:
        overrides = start_values(lowered, begin)
        overrides |= {lowered.slot(id): np.asarray(value, dtype=np.float64)[()] for id, value in given.items()}
        v0 = initial_values(lowered, overrides, n_rows)
        cautions = check_values(lowered, v0 if n_rows is None else v0[0])
    seed = int(seed)
    settings: dict[str, Any] = {"seed": seed}
    if method == "ode":
        settings |= {"rtol": rtol, "atol": "1e-4 rtol of each largest amount" if atol is None else atol}
    if max_step is not None:
        settings["max_step"] = max_step
    settings |= described(begin, changes, bool(steady_state))
    limits = None if max_events is None and max_seconds is None else Limits(max_events, max_seconds)
    settings |= {name: value for name, value in (("max_events", max_events), ("max_seconds", max_seconds)) if value}
    status: list[str] | None = None
    laws: NDArray[np.float64] | None = None
    clock = since(grid, begin.time)
    if steady_state:
        with errors_counted_from(begin.time):
            rows, latest = _steady(
                ready, begin, np.atleast_2d(v0), rtol=rtol, seed=seed, any_root=steady_state == "root"
            )
        values, clock, form = rows.values, np.array([latest]), ready
        status = None if n_rows is None else rows.status
        cautions += counted_from(begin.time, rows.cautions)
    elif n_rows is None:
        found: list[str] = []
        options: dict[str, Any] = {"rtol": rtol, "atol": atol, "max_step": max_step, "cautions": found}
        options["limits"] = limits
        form = with_changes(as_left(ready, begin, v0)[0][0], plan)
        lowered = form.lowered
        with errors_counted_from(begin.time):
            values, laws = _one_row(form, v0, clock, method, runs=runs, seed=seed, threads=threads, options=options)
        cautions += counted_from(begin.time, found)
        if limits is not None:
            status = counted_from(begin.time, [limits.ended.get(run, COMPLETE) for run in range(runs)])
    else:
        parts = []
        nominal = initial_values(lowered, start_values(lowered, Start(begin.time)))
        for form, numbers in as_left(ready, begin, v0):
            common: dict[str, Any] = {"seed": seed, "numbers": numbers, "threads": threads, "max_step": max_step}
            common["limits"] = limits
            if method == "ssa":
                part = exact_rows(with_changes(form, plan), v0[numbers], clock, runs=runs, **common)
            else:
                tolerances: dict[str, Any] = {"rtol": rtol, "atol": atol, "nominal": nominal}
                part = deterministic_rows(form, v0[numbers], clock, changes=plan, **tolerances, **common)
            parts.append((numbers, part))
        rows = merged(parts, runs)
        if method == "ode":
            settings["rows"] = rows.how
        form = with_changes(ready, plan)
        lowered = form.lowered
        values, status = rows.values, counted_from(begin.time, rows.status)
        cautions += counted_from(begin.time, rows.cautions)
    attrs = _provenance(model, ready if original is network else prepared(original)) | {
        "method": method,
        "quantity": quantity,
        "parameters": _as_json(start, lowered, given),
        **settings,
    }
    attrs |= _verdict(lowered, grid, values, cautions, status, limits)
    varied = {id for id, value in given.items() if np.ndim(value) == 1} | set(begin.state or ())
    rows_said = None if status is None else (varied, status)
    return form.labels.dataset(grid, clock, values, quantity, attrs, laws=laws, rows=rows_said)


def _with_former(start: Any, given: Any) -> Any:
    """What is given, and what a former result was given."""
    return given_before(start) | dict(given) if isinstance(given, Mapping) else given


def _as_json(start: Any, lowered: Lowered, given: Mapping[str, Any]) -> str:
    """The numbers that a result is said to have been given."""
    if not given and not hasattr(start, "attrs"):
        return "{}"
    numbers = {id: float(value) for id, value in given.items() if np.ndim(value) == 0}
    return json.dumps(kept_settings(start, lowered) | numbers)


def _rows_of_both(n_rows: int | None, begin: Start, faults: list[Fault]) -> int | None:
    """The number of rows of the parameters and of a former result; None where neither has rows."""
    n_state = next((len(values) for values in (begin.state or {}).values() if np.ndim(values) == 1), None)
    if n_rows is not None and n_state is not None and n_rows != n_state:
        faults.append(Fault("start", f"{n_state} runs beside {n_rows} rows of parameters", "as many, or one"))
    return n_state if n_rows is None else n_rows


def _steady_faults(times: Any, method: Any, runs: Any, **others: Any) -> Iterator[Fault]:
    if times is not None:
        yield Fault("times", "times beside steady_state", "no times: simulate with start=RESULT from there")
    if method != "ode":
        yield Fault("method", f"{method!r} beside steady_state", "'ode'; exact runs do not come to rest")
    if runs != 1:
        yield Fault("runs", f"{runs!r} beside steady_state", "1")
    for name, value in others.items():
        if value is not None:
            yield Fault(name, f"{name} beside steady_state", f"one of the two: simulate with {name} first")


def _steady(
    ready: Prepared, begin: Start, v0: NDArray[np.float64], *, rtol: float, seed: int, any_root: bool
) -> tuple[Rows, float]:
    parts, latest = [], 0.0
    for form, numbers in as_left(ready, begin, v0):
        rows, time = steady_rows(form, v0[numbers], rtol=rtol, seed=seed, numbers=numbers, any_root=any_root)
        parts.append((numbers, rows))
        latest = max(latest, time)
    return merged(parts, 1), latest


def _end(times: Any) -> float:
    """The last time, for messages about changes; infinite where the times have faults of their own."""
    try:
        end = float(np.max(np.asarray(times, dtype=np.float64), initial=-inf))
    except (TypeError, ValueError):
        return inf
    return end if isfinite(end) else inf


def _one_row(
    ready: Prepared, v0: NDArray[np.float64], grid: NDArray[np.float64], method: SimulationMethod, *, runs: int,
    seed: int, threads: int | None, options: dict[str, Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:  # fmt: skip
    """Values [runs, times, slots] of a request without rows, and rates of reactions where they are known with them."""
    if method == "ssa":
        exact = {name: options[name] for name in ("max_step", "cautions", "limits")}
        return ready.sampler(v0).run(grid, runs=runs, seed=seed, threads=threads, **exact), None
    from senexo.engine.ode.single import drawn, integrate

    # runs differ only where ties between events of equal priority are broken at random
    different = runs if sum(event.priority is not None for event in ready.lowered.events) > 1 else 1
    by_chance = drawn(ready.lowered)
    ties = [generator(seed, "event order", run) if by_chance else None for run in range(different)]
    laws = np.empty((different, len(grid), len(ready.lowered.reactions)))
    found = [
        integrate(ready.translated, v0, grid, ties=order, run=run, laws=laws[run], **options)
        for run, order in enumerate(ties)
    ]
    each = found[0][None] if different == 1 else np.array(found)
    if different == runs:
        return each, laws
    if (limits := options["limits"]) is not None and limits.ended:
        limits.ended = dict.fromkeys(range(runs), limits.ended[0])
    return np.repeat(each, runs, axis=0), np.repeat(laws, runs, axis=0)


def _verdict(
    lowered: Lowered, grid: NDArray[np.float64], values: NDArray[np.float64], cautions: list[str],
    status: list[str] | None, limits: Limits | None,
) -> dict[str, str]:  # fmt: skip
    """`attrs["status"]`, and `attrs["cautions"]` where there are some."""
    sentences = list(dict.fromkeys(line for caution in cautions for line in caution.splitlines()))
    if status is None:
        sentences += doubts(lowered, grid, values)
        words = "complete"
    else:
        good = [k for k, one in enumerate(status) if one == COMPLETE]
        sentences += doubts(lowered, grid, values[good], good) if good else []
        ended = 0 if limits is None else len(limits.ended)
        failed = len(status) - len(good) - ended
        parts = [f"{failed} of {len(status)} runs failed"] if failed else []
        parts += [f"{ended} of {len(status)} runs ended at a limit"] if ended else []
        words = ", ".join(parts) or "complete"
    return {"status": f"{words}, with cautions", "cautions": "\n".join(sentences)} if sentences else {"status": words}


# ---- checks


def largest_result() -> float:
    """Bytes that a result may have: 8 GiB, or half of the memory that is free where that is less."""
    return min(LARGEST_RESULT, available_memory() / 2)


def _checked(times: Any, runs: int, n_slots: int, faults: list[Fault], start: float = 0.0) -> NDArray[np.float64]:
    """The times as an array; with theirs, every fault of the request at once."""
    if times is None:
        raise InvalidInput([*faults, Fault("times", "no times", "times, or steady_state=True")])
    try:
        grid = np.atleast_1d(np.array(times, dtype=np.float64))  # a copy: theirs may be read-only, or change
    except (TypeError, ValueError):
        raise InvalidInput([*faults, Fault("times", repr(times)[:80], "numbers")]) from None
    if grid.ndim != 1 or not len(grid):
        faults.append(Fault("times", f"an array of shape {grid.shape}", "a list of at least one time"))
    elif not (start <= grid[0] and grid[-1] < inf and (grid[1:] >= grid[:-1]).all()):  # false of what is not a number
        expected = f"finite times in ascending order, {start:g} or later"
        faults.append(Fault("times", f"{grid[0]:g} to {grid[-1]:g}", expected))
    elif _is_whole(runs) and (size := 8 * runs * grid.size * n_slots) > SMALL and size > (most := largest_result()):
        expected = f"at most {most / 2**30:.3g} GiB: fewer runs or times"
        faults.append(Fault("runs x times", f"a result of {size / 2**30:.1f} GiB", expected))
    if faults:
        raise InvalidInput(faults)
    return grid


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _setting_faults(runs: Any, seed: Any, threads: Any, rtol: Any, atol: Any) -> Iterator[Fault]:
    if not _is_whole(runs) or runs < 1:
        yield Fault("runs", repr(runs), "a whole number, 1 or more")
    if not _is_whole(seed) or not 0 <= seed < 2**128:
        yield Fault("seed", repr(seed), "a whole number from 0 to 2^128 - 1")
    if threads is not None and (not _is_whole(threads) or threads < 1):
        yield Fault("threads", repr(threads), "a whole number, 1 or more")
    for name, value in (("rtol", rtol), ("atol", 1.0 if atol is None else atol)):
        if not isinstance(value, int | float | np.number) or not 0.0 < value < inf:
            yield Fault(name, repr(value), "a number above 0")


def _step_faults(max_step: Any, times: Any) -> Iterator[Fault]:
    if max_step is None:
        return
    if not isinstance(max_step, int | float | np.number) or isinstance(max_step, bool) or not 0.0 < max_step < inf:
        yield Fault("max_step", repr(max_step), "a number above 0")
        return
    try:
        end = float(np.max(np.asarray(times, dtype=np.float64), initial=0.0))
    except (TypeError, ValueError):  # a fault of the times
        return
    if end > MOST_STEPS * max_step:
        yield Fault("max_step", f"{max_step:g}", f"{end / MOST_STEPS:g} or more: at most {MOST_STEPS} steps to the end")


def _limit_faults(max_events: Any, max_seconds: Any) -> Iterator[Fault]:
    if max_events is not None and (not _is_whole(max_events) or max_events < 1):
        yield Fault("max_events", repr(max_events), "a whole number, 1 or more")
    if max_seconds is not None and (
        not isinstance(max_seconds, int | float | np.number)
        or isinstance(max_seconds, bool)
        or not 0 < max_seconds < inf
    ):
        yield Fault("max_seconds", repr(max_seconds), "a time above 0 s")


def _choice_faults(**choices: tuple[Any, tuple[Any, ...]]) -> Iterator[Fault]:
    for name, (found, allowed) in choices.items():
        if found not in allowed:
            yield Fault(name, repr(found), " or ".join(map(repr, allowed)))


def _parameter_faults(lowered: Lowered, parameters: Any) -> Iterator[Fault]:
    if not isinstance(parameters, Mapping):
        yield Fault("parameters", repr(parameters)[:80], "a mapping of ids to numbers")
        return
    if not parameters:
        return
    ruled = {lowered.slots[item.slot].id for item in lowered.assignments}
    hidden = ("reaction", "delay", "unknown")
    stoichiometries = {info.id for info in lowered.slots if info.kind == "species reference"}
    known = [info.id for info in lowered.slots if info.id not in ruled and info.kind not in hidden]
    for id, value in parameters.items():
        if np.ndim(value) == 1 and id in stoichiometries:
            yield Fault(f"parameters, {id}", "rows of a stoichiometry", "one number; call simulate for each value")
        elif np.ndim(value) == 1 and id in known:
            yield from value_faults(id, value)
        elif id in ruled:
            yield Fault(f"parameters, {id}", "an id that a rule computes", "an id that is not")
        elif id not in known:
            near = difflib.get_close_matches(str(id), known, n=3, cutoff=0.5)
            expected = f"one of {', '.join(near)}" if near else "an id of the model"
            yield Fault(f"parameters, {id}", "no such parameter, compartment, species or stoichiometry", expected)
        elif not isinstance(value, int | float | np.number) or not isfinite(value):
            yield Fault(f"parameters, {id}", repr(value), "a finite number")


def with_stoichiometries(network: Network, parameters: Any) -> Network:
    """The network with the stoichiometries that `parameters` names, in place of their initial assignments too."""
    if not isinstance(parameters, Mapping) or not parameters:
        return network

    def set_(references: tuple[SpeciesReference, ...]) -> tuple[SpeciesReference, ...]:
        return tuple(replace(r, stoichiometry=parameters[r.id]) if r.id in parameters else r for r in references)

    named = {r.id for reaction in network.reactions for r in (*reaction.reactants, *reaction.products)}
    given = {id for id, value in parameters.items() if id in named and isinstance(value, int | float | np.number)}
    if not given:
        return network
    return replace(
        network,
        reactions=tuple(replace(r, reactants=set_(r.reactants), products=set_(r.products)) for r in network.reactions),
        initial_assignments=tuple(item for item in network.initial_assignments if item.symbol not in given),
    )


# ---- the labelled result


def _provenance(model: Model | Network, ready: Prepared) -> dict[str, Any]:
    import senexo

    digest = ready.digest if isinstance(model, Network) else model.digest
    return {"senexo_version": senexo.__version__, "model": ready.network.id, "model_digest": digest}
