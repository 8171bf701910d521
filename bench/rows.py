"""200 parameter sets of the reference network by ODE: rows of one call of `senexo.simulate` against a call for each.

72 h, 73 outputs, default tolerances, one thread, kernels compiled before and both called once ("warm"). CPU times of
whole calls, in turn; the largest difference between the two is asserted to be small.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import senexo

MODEL = Path(__file__).with_name("reference.ant")
ROUNDS, ROWS, SEED = 3, 200, 1_000
TIMES = np.linspace(0.0, 72.0, 73)

Values = NDArray[np.float64]


def main() -> None:
    """Print the times and their ratio; fail where the two disagree."""
    model = senexo.load(MODEL)
    rng = np.random.default_rng(SEED)
    table = {p.id: p.value * np.exp(0.2 * rng.standard_normal(ROWS)) for p in model.network.parameters if p.value}
    ids = [species.id for species in model.network.species]

    def rows() -> Values:
        found = senexo.simulate(model, TIMES, parameters=table, threads=1)
        assert found.attrs["rows"].startswith("in one batch")
        return np.stack([found[id].values for id in ids], axis=-1)

    def each() -> Values:
        calls = [{id: float(values[k]) for id, values in table.items()} for k in range(ROWS)]
        found = [senexo.simulate(model, TIMES, parameters=call) for call in calls]
        return np.stack([np.stack([one[id].values[0] for id in ids], axis=-1) for one in found])

    programs: dict[str, Callable[[], Values]] = {"rows of one call": rows, "a call for each": each}
    first = {name: program() for name, program in programs.items()}
    size = np.abs(first["a call for each"]).max(axis=1, keepdims=True)
    difference = float((np.abs(first["rows of one call"] - first["a call for each"]) / size).max())
    assert difference < 1e-5, difference
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            begin = time.process_time()
            program()
            taken[name].append(time.process_time() - begin)
    for name, seconds in taken.items():
        print(f"{ROWS} parameter sets, {name:<18}{1e3 * statistics.median(seconds) / ROWS:9.3f} ms for each")
    pairs = zip(taken["a call for each"], taken["rows of one call"], strict=True)
    print(f"ratio {statistics.median(a / b for a, b in pairs):.0f}; largest difference {difference:.1e} of a species")


if __name__ == "__main__":
    main()
