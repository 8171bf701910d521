"""Batched ODEs against libRoadRunner's CVODE at the same achieved error, one thread, interleaved in one run.

Every row of a set has its own parameters or initial values. "Error" is, for one row, the largest distance
from a solution at 1e-11 over species and times, as a share of each species' largest value; its median over the
rows is compared. For each CVODE tolerance the batch runs at the loosest tolerance of a ladder whose error is not
larger than CVODE's. Times are CPU seconds of the whole call, values set and read back included; medians of
ROUNDS rounds.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.ode.ensemble import BatchODE
from senexo.model.loading import Model, load
from verify._problems import ROBERTSON

ROUNDS, SEED = 5, 1_000
LADDER = 10.0 ** -np.arange(2.0, 10.5, 0.5)
CVODE_RTOL = (1e-4, 1e-6, 1e-8)
AIM = 3.0
ROOT = Path(__file__).resolve().parents[1]
YAO = ROOT.parent / "shared" / "data" / "biomodels" / "BIOMD0000000318.xml"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """A model, what varies (id -> [n]), the output times, and the absolute tolerance that goes with rtol = 1."""

    name: str
    model: Model
    varied: dict[str, Floats]
    times: Floats
    atol: float


def main() -> None:
    if importlib.util.find_spec("roadrunner") is None:
        print("skipped: libroadrunner is not installed")
        return
    print("numbalsoda: skipped, its installation needs a Fortran compiler")
    print(f"{'set':<34}{'CVODE rtol':>11}{'error':>9}{'ms':>8}{'batch rtol':>12}{'error':>9}{'ms':>8}{'ratio':>8}")
    for rows in _sets():
        compare(rows)


def compare(rows: Rows) -> None:
    batch, peer = Batch(rows), Peer(rows)
    exact = batch.solve(1e-11)
    again = peer.solve(1e-11)
    agreement = float(np.median(_errors(again, exact)))
    assert agreement < 1e-6, f"the two disagree at 1e-11 by {agreement:.1e}"
    errors = [float(np.median(_errors(batch.solve(rtol), exact))) for rtol in LADDER]
    for peer_rtol in CVODE_RTOL:
        peer_error = float(np.median(_errors(peer.solve(peer_rtol), exact)))
        chosen = next((k for k, error in enumerate(errors) if error <= peer_error), len(LADDER) - 1)
        seconds = _interleaved(lambda r=peer_rtol: peer.solve(r), lambda k=chosen: batch.solve(LADDER[k]))
        per_row = [1e3 * s / len(exact) for s in seconds]
        ratio = seconds[0] / seconds[1]
        print(
            f"{rows.name:<34}{peer_rtol:>11.0e}{peer_error:>9.1e}{per_row[0]:>8.3f}{LADDER[chosen]:>12.1e}"
            f"{errors[chosen]:>9.1e}{per_row[1]:>8.4f}{ratio:>8.1f}" + ("" if ratio >= AIM else f"   below {AIM:g}")
        )


class Batch:
    """The batched solver on a set."""

    def __init__(self, rows: Rows) -> None:
        network = lower(rows.model.network)
        n = len(next(iter(rows.varied.values())))
        self.v = initial_values(network, {network.slot(i): x for i, x in rows.varied.items()}, n)
        self.batch, self.times, self.atol = BatchODE(network), rows.times, rows.atol
        self.slots = [network.slot(name) for name in _observed(rows.model)]

    def solve(self, rtol: float) -> Floats:
        result = self.batch.solve(self.v, self.times, rtol=rtol, atol=rtol * self.atol, slots=self.slots, threads=1)
        assert not result.status.any()
        return result.values


class Peer:
    """libRoadRunner on the same set, its values set by index and its own rows read back."""

    def __init__(self, rows: Rows) -> None:
        import roadrunner

        self.rows = rows
        self.runner = roadrunner.RoadRunner(rows.model.to_sbml())
        self.runner.timeCourseSelections = _observed(rows.model)
        self.columns = np.array(list(rows.varied.values())).T.copy()
        self.set = self._setter(list(rows.varied))

    def _setter(self, names: list[str]) -> Callable[[Floats], None]:
        model: Any = self.runner.model
        parameters, species = list(model.getGlobalParameterIds()), list(model.getFloatingSpeciesIds())
        of_parameters = [(k, parameters.index(name)) for k, name in enumerate(names) if name in parameters]
        of_species = [(k, species.index(name)) for k, name in enumerate(names) if name in species]

        def put(values: Floats) -> None:
            if of_parameters:
                model.setGlobalParameterValues([i for _, i in of_parameters], [values[k] for k, _ in of_parameters])
            if of_species:
                model.setFloatingSpeciesAmounts([i for _, i in of_species], [values[k] for k, _ in of_species])

        return put

    def solve(self, rtol: float) -> Floats:
        integrator = self.runner.getIntegrator()
        integrator.relative_tolerance, integrator.absolute_tolerance = rtol, rtol * self.rows.atol
        integrator.maximum_num_steps = 1_000_000
        times = self.rows.times
        found = np.empty((len(self.columns), len(times), len(self.runner.timeCourseSelections)))
        for values, out in zip(self.columns, found, strict=True):
            self.runner.resetAll()
            self.set(values)
            out[:] = self.runner.simulate(times[0], times[-1], len(times))
        return found


def _observed(model: Model) -> list[str]:
    """What changes: floating species, and parameters with a rate rule."""
    network = model.network
    ruled = {rule.variable for rule in network.rules if rule.kind == "rate"}
    species = [s.id for s in network.species if not s.boundary_condition and not s.constant]
    return [*species, *(p.id for p in network.parameters if p.id in ruled)]


def _errors(found: Floats, exact: Floats) -> Floats:
    sizes = np.abs(exact).max(axis=1, keepdims=True)
    return (np.abs(found - exact) / np.where(sizes > 0, sizes, 1.0)).max(axis=(1, 2))


def _interleaved(*calls: Callable[[], object]) -> list[float]:
    taken = np.empty((ROUNDS, len(calls)))
    for row in taken:
        for k, call in enumerate(calls):
            start = time.process_time()
            call()
            row[k] = time.process_time() - start
    return [float(x) for x in np.median(taken, axis=0)]


def _sets() -> list[Rows]:
    rng = np.random.default_rng(SEED)

    def spread(value: float, n: int, sd: float = 0.2) -> Floats:
        return value * np.exp(sd * rng.standard_normal(n))

    reference = load(ROOT / "bench" / "reference.ant")
    parameters = {p.id: spread(p.value, 1000) for p in reference.network.parameters if p.value}
    sets = [Rows("reference network, 1,000 sets", reference, parameters, np.linspace(0, 72, 73), 1e-3)]
    robertson = {"k1": spread(0.04, 300), "k2": spread(3e7, 300), "k3": spread(1e4, 300)}
    sets.append(Rows("Robertson to 1e5, 300 sets", ROBERTSON.model(), robertson, np.linspace(0, 1e5, 41), 1e-6))
    if YAO.exists():
        whole = load(YAO)  # its one event sets the serum S; here the rows do
        yao = replace(whole, network=replace(whole.network, events=()))
        amounts = {s.id: spread(max(s.initial_concentration or 0.0, 0.05), 300) for s in yao.network.species}
        yao_rows = {"S": np.geomspace(0.1, 20.0, 300), **amounts}
        sets.append(Rows("Yao switch (318), 300 serum levels", yao, yao_rows, np.linspace(0, 100, 101), 1e-4))
    else:
        print("skipped: the Yao switch; ../shared/data is not beside this checkout")
    return sets
