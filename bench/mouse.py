"""One mouse of up to 1e8 human cells for 16 weeks: `senexo.engine.host` against a hand-written tau-leap loop of numpy.

Both read one table of transitions (23 compartments, limited room). The loop takes Poisson numbers of all events in
steps of an hour and cuts negative counts off; ours is exact for types of up to 200 cells, and its leaps are no longer
than a twentieth of the mean time to an event. One thread, both called once before ("warm"), in turn; a ratio is the
median over the rounds. The mean numbers of human cells at 8 weeks, over rounds, must agree within a fifth of each
other.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from senexo.engine.branching.counts import simulate
from senexo.engine.branching.process import Process
from senexo.engine.host.kinetics import kinetics
from senexo.engine.host.leukaemia import Treatment, leukaemia

ROUNDS, STEP_H, WEEK_H = 25, 1.0, 168.0
TIMES = np.array([8.0, 16.0]) * WEEK_H


def mouse() -> tuple[Process, np.ndarray]:
    """The transitions, and 200 stem cells at the start."""
    day = 1.0 / 24.0
    rates = kinetics(
        division=day, growth=0.1 * day, resting=0.5, wake=0.05 * day, stem_share=1e-5, transit_division=1.5 * day,
        loss=0.1 * day, egress=0.05 * day, blood_loss=day,
    )  # fmt: skip
    process = leukaemia(rates, Treatment(np.array([0.0, TIMES[-1]])), capacity=2.55e8)
    return process, process.start({"L_a": 100, "L_q": 100})


def by_hand(process: Process, start: np.ndarray, seed: int) -> np.ndarray:
    """[times] human cells of one mouse."""
    rng, x, found = np.random.default_rng(seed), start.copy(), []
    hazards, change = process.hazards[0], process.change
    for step in range(round(TIMES[-1] / STEP_H)):
        factor = np.where(process.limited, process.room(x), 1.0)
        events = rng.poisson(hazards * factor * x[process.parent] * STEP_H)
        x = np.maximum(x + events @ change, 0)
        if (step + 1) * STEP_H in TIMES:
            found.append(x.sum())
    return np.array(found, float)


def main() -> None:
    """Print the times and their ratio; fail where the two disagree."""
    process, start = mouse()

    def ours(seed: int) -> np.ndarray:
        return simulate(process, start, TIMES, runs=1, seed=seed)[0].sum(axis=1).astype(float)

    programs: dict[str, Callable[[int], np.ndarray]] = {
        "senexo": ours, "loop of numpy": lambda seed: by_hand(process, start, seed)
    }  # fmt: skip
    for program in programs.values():
        program(0)
    taken: dict[str, list[float]] = {name: [] for name in programs}
    cells: dict[str, list[np.ndarray]] = {name: [] for name in programs}
    for seed in range(1, ROUNDS + 1):
        for name, program in programs.items():
            begin = time.process_time()
            cells[name].append(program(seed))
            taken[name].append(time.process_time() - begin)
    ours_mean, peer_mean = (np.mean(cells[name], axis=0) for name in programs)
    assert abs(np.log(ours_mean[0] / peer_mean[0])) < 0.2, (ours_mean, peer_mean)
    for name, seconds in taken.items():
        print(f"a mouse for 16 weeks, {name:<14}{statistics.median(seconds):8.3f} s, {cells[name][-1][-1]:.1e} cells")
    pairs = zip(taken["loop of numpy"], taken["senexo"], strict=True)
    print(f"ratio {statistics.median(a / b for a, b in pairs):.1f}")


if __name__ == "__main__":
    main()
