"""One cell of a shipped circuit in culture, by senexo's own solver or by libRoadRunner (the oracle).

The order of things is the laboratory's: wild-type start, genotype, serum, settling, fresh medium, treatment.
Everything done to the cell goes through the circuit's handles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from senexo.model.circuit import FOLDER, Circuit, load_circuit

Floats = NDArray[np.float64]
Wish = tuple[str, str] | tuple[str, str, float]  # verb, name or pattern, the experimenter's quantity
HOURS = np.arange(169.0)


class Cell(Protocol):
    def get(self, name: str) -> float: ...
    def set(self, name: str, value: float) -> None: ...
    def run(self, times: Floats, names: Sequence[str]) -> Floats: ...


class Own:
    """The cell by `engine.ode`."""

    def __init__(self, circuit: Circuit, parameters: Mapping[str, float]) -> None:
        from senexo.engine.formula.evaluate import initial_values

        self._lowered, self._slot = _lowered(circuit.name)
        self._v = initial_values(self._lowered, {self._slot[name]: value for name, value in parameters.items()})

    def get(self, name: str) -> float:
        return float(self._v[self._slot[name]])

    def set(self, name: str, value: float) -> None:
        self._v[self._slot[name]] = value

    def run(self, times: Floats, names: Sequence[str]) -> Floats:
        from senexo.engine.ode.single import integrate

        values = integrate(self._lowered, self._v, times - times[0], rtol=1e-8, atol=1e-10)
        self._v = values[-1].copy()
        return values[:, [self._slot[name] for name in names]]


class Oracle:
    """The cell by libRoadRunner's CVODE, from the same Antimony text."""

    def __init__(self, circuit: Circuit, parameters: Mapping[str, float]) -> None:
        import roadrunner

        self._runner = roadrunner.RoadRunner(_sbml(circuit.name, tuple(parameters.items())))
        self._runner.integrator.relative_tolerance = 1e-9
        self._runner.integrator.absolute_tolerance = 1e-12
        self._runner.integrator.maximum_num_steps = 10**6

    def get(self, name: str) -> float:
        return float(self._runner[name])

    def set(self, name: str, value: float) -> None:
        self._runner[name] = value

    def run(self, times: Floats, names: Sequence[str]) -> Floats:
        return np.array(self._runner.simulate(times=list(times - times[0]), selections=list(names)))


@lru_cache
def _lowered(name: str):  # type: ignore[no-untyped-def]
    from senexo.engine.formula.lower import lower

    lowered = lower(load_circuit(name).network)
    return lowered, {info.id: index for index, info in enumerate(lowered.slots)}


@lru_cache
def _sbml(name: str, parameters: tuple[tuple[str, float], ...]) -> str:
    import antimony

    text = (FOLDER / name / "circuit.ant").read_text(encoding="utf-8")
    body, end = text.rsplit("end", 1)
    antimony.clearPreviousLoads()
    if (
        antimony.loadAntimonyString(body + "".join(f"  {p} = {value!r};\n" for p, value in parameters) + "end" + end)
        < 0
    ):
        raise ValueError(antimony.getLastError())
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def do(cell: Cell, circuit: Circuit, wishes: Sequence[Wish]) -> None:
    """Carry out the wishes; a pattern such as "miR-34c-5p -| *" takes every handle it fits."""
    for verb, name, *x in wishes:
        fitting = [h for h in circuit.handles if h.verb == verb and fnmatchcase(h.name, name)]
        if not fitting:
            raise ValueError(f"no handle to {verb} {name}")
        for handle in fitting:
            number = handle.number(*x)
            old = cell.get(handle.target)
            cell.set(handle.target, {"set": number, "multiply": old * number, "add": old + number}[handle.operation])


def grow(
    circuit: Circuit,
    names: Sequence[str],
    *,
    serum: float = 20.0,
    genotype: Sequence[Wish] = (),
    treatment: Sequence[Wish] = (),
    later: tuple[float, Sequence[Wish]] | None = None,
    times: Floats = HOURS,
    parameters: Mapping[str, float] | None = None,
    engine: Callable[[Circuit, Mapping[str, float]], Cell] = Own,
) -> dict[str, Floats]:
    """Time courses of the quantities `names` after settling; `later` = (hour on the grid, wishes) is done midway."""
    cell = engine(circuit, parameters or {})
    do(cell, circuit, [*genotype, ("change", "serum", serum)])
    cell.run(np.array([0.0, circuit.preequilibration_h]), names)
    for quantity in circuit.zero_at_start:
        cell.set(quantity, 0.0)
    do(cell, circuit, treatment)
    if later is None:
        values = cell.run(times, names)
    else:
        hour, wishes = later
        first = cell.run(times[times <= hour], names)
        do(cell, circuit, wishes)
        values = np.concatenate([first, cell.run(times[times >= hour], names)[1:]])
    return dict(zip(names, values.T, strict=True))


def longest_off(circuit: Circuit, course: Mapping[str, Floats], times: Floats = HOURS) -> float:
    """The longest unbroken time (straight lines between the times) with the switch below the arrest threshold."""
    assert circuit.arrest is not None
    fine = np.linspace(times[0], times[-1], 10 * (len(times) - 1) + 1)
    off = np.interp(fine, times, course[circuit.arrest.id]) < circuit.arrest.below
    edges = np.flatnonzero(np.diff(np.concatenate([[0], off.astype(int), [0]])))
    runs = edges[1::2] - edges[::2]
    return float(runs.max(initial=0) * (fine[1] - fine[0]))
