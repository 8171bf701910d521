"""Memory of the shipped circuit by `hybrid`: flat over 10,000 wells of 500 cells, and in 100,000 cells for a week?

First 10,000 wells one after the other, each from its seeding through one window. Then one untreated well of LSC from
50,000 cells, split whenever it holds 100,000. Linux only: it reads what the kernel says of this process. Most memory so
far is told every thousand wells and every twelve hours.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from senexo.lab.coupled.methods import Hybrid
from senexo.lab.coupled.population import population_of
from senexo.lab.coupled.single_cells import SingleCellSimulator
from senexo.lab.coupled.well import Well
from senexo.model.circuit import load_circuit

REPLICATES, OF, WINDOW = 10_000, 500, 0.5
CELLS, HOURS, EVERY, AIM_GIB = 100_000, 168.0, 12, 2.0


def peak() -> float:
    """Most memory this process has held so far, GiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 2**20


def main() -> None:
    """Print the most memory held so far, by the hour of the culture."""
    if not sys.platform.startswith("linux"):
        print("memory is read from /proc, which is not here")
        return
    circuit = load_circuit("mir34c-rab27b-cells")
    bench = SingleCellSimulator(population_of(circuit, types=["LSC"]), Hybrid(WINDOW), share=circuit.well)
    for replicate in range(REPLICATES + 1):
        begin = bench.seeded({"LSC": OF}, {}, seed=1, replicate=replicate)
        bench.grow(begin, Well(until=WINDOW, times=(0.0, WINDOW)))
        if replicate % (REPLICATES // 10) == 0:
            print(f"{replicate:6} wells of {OF} cells: {peak():.2f} GiB at most", flush=True)
    begin = bench.seeded({"LSC": CELLS // 2}, {}, seed=1, replicate=0)
    looks, done = 0, 0.0

    def told(cell_hours: float) -> None:
        nonlocal looks, done
        looks, done = looks + 1, done + cell_hours
        if looks % EVERY == 0:
            print(f"{looks:4} h, {done:.3g} cell-hours: {peak():.2f} GiB at most (aim {AIM_GIB:g})", flush=True)

    bench.progress = told
    print(f"   0 h, before the first step: {peak():.2f} GiB")
    course = bench.grow(begin, Well(until=HOURS, times=(0.0, HOURS), most_cells=CELLS))
    print(
        f"at the end {len(course.end):,} cells, which represent {course.end.weight.sum():,}; {course.ended or 'whole'}"
    )
