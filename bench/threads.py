"""Two threads against one: exact trajectories, a batch of ODEs and coupled cells, of the reference network; and coupled
cells of the shipped circuit.

One and two threads take turns; the bits must agree. Wall time says what a user gains while the machine is otherwise
idle; the CPU time of both together says what sharing costs, whatever else runs.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.populations import HOURS, WINDOW, network, well
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ode.ensemble import BatchODE
from senexo.engine.population.hybrid import run_hybrid
from senexo.engine.population.initial import start
from senexo.engine.population.partition import divided
from senexo.engine.population.splitting import run_split
from senexo.engine.ssa.sampler import Sampler
from senexo.lab.coupled.population import population_of
from senexo.model.circuit import load_circuit
from senexo.model.loading import load

MODEL = Path(__file__).with_name("reference.ant")
ROUNDS, RUNS, ROWS, CELLS, AIM = 7, 512, 20_000, 20_000, 1.8
TIMES = np.linspace(0.0, 72.0, 73)

Values = NDArray[np.float64]
Work = Callable[[int], Values]  # threads -> values


def ensemble(lowered: Lowered) -> Work:
    sampler = Sampler(lowered, initial_values(lowered))
    return lambda threads: sampler.run(TIMES, runs=RUNS, seed=1, threads=threads, backend="lanes")


def batch(lowered: Lowered) -> Work:
    """Every row its own production of miR, within a factor of two."""
    slot = lowered.slot("ktx_pri")
    made = lowered.values[slot] * np.geomspace(0.5, 2.0, ROWS)
    v, solver = initial_values(lowered, {slot: made}, ROWS), BatchODE(lowered)
    return lambda threads: solver.solve(v, TIMES[[0, -1]], threads=threads).values


def windows() -> Work:
    """Cells that divide, die and share a medium, every reaction one by one."""
    with tempfile.TemporaryDirectory() as folder:
        population, plated = well(network(True, Path(folder))[0], CELLS)
    begin = plated(1)
    return lambda threads: run_split(population, begin, HOURS, window=WINDOW, threads=threads)[0].values


def amounts() -> Work:
    """The shipped circuit, scarce molecules one by one."""
    population = population_of(load_circuit("mir34c-rab27b-cells"), types=["LSC"])
    begin, partition = start(population, {"LSC": CELLS}, seed=1), divided(population)
    return lambda threads: (
        run_hybrid(population, begin, 6.0, window=0.5, partition=partition, threads=threads)[0].values
    )


def main() -> None:
    """Print all ratios; fail where one thread and two disagree in a bit."""
    lowered = lower(load(MODEL).network)
    works = {
        "ensemble": ensemble(lowered), "batched ODE": batch(lowered), "coupled cells, split": windows(),
        "coupled cells, hybrid": amounts(),
    }  # fmt: skip
    for name, work in works.items():
        expected = work(1)
        walls, costs = [], []
        for _ in range(ROUNDS):
            (wall_one, cpu_one), (wall_two, cpu_two) = (_timed(work, threads, expected) for threads in (1, 2))
            walls.append(wall_one / wall_two)
            costs.append(cpu_two / cpu_one)
        print(
            f"two threads, {name:<21} {statistics.median(walls):.2f} x one, best {max(walls):.2f} (aim {AIM}); "
            f"CPU time {statistics.median(costs):.2f} of one"
        )


def _timed(work: Work, threads: int, expected: Values) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = work(threads)
    taken = time.perf_counter() - wall, time.process_time() - cpu
    assert np.array_equal(found, expected)
    return taken
