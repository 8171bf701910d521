"""Exact trajectories of the reference network, one and many, against COPASI, rebop and libRoadRunner on one thread.

Ours is `senexo.simulate` as a user calls it, the labelled result included. Every round runs each program once, in turn,
so that whatever else the machine does falls on all alike; times are CPU times of the whole call, a ratio is the median
over the rounds. The first call of each program is left out, and kernels are compiled before ("warm"); the price of a
cold start is in `bench.first_result`, and what is compiled here is printed. The means of all species at the end must
agree (|Z| < 5). GillesPy2 and BioNetGen are measured where they are installed.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import senexo
from senexo.engine.formula.evaluate import initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ssa.sampler import Backend, Job, Sampler
from senexo.model.loading import Model, load
from senexo.model.network import Network

MODEL = Path(__file__).with_name("reference.ant")
ROUNDS, ENSEMBLE, FEWER = 9, 256, (8, 64)
TIMES = np.linspace(0.0, 72.0, 73)
AIMS = {
    "one exact trajectory": {"COPASI": 7, "rebop": 14},
    "ensemble": {"COPASI": 15, "rebop": 30, "libRoadRunner": 60},
}

Values = NDArray[np.float64]
Program = Callable[[int], Values]  # seed -> [runs, species] at the end


def public(model: Model, ids: list[str], runs: int) -> Program:
    """The call of a user."""

    def run(seed: int) -> Values:
        found = senexo.simulate(model, TIMES, method="ssa", runs=runs, seed=seed, threads=1)
        return np.column_stack([found[id].values[:, -1] for id in ids])

    return run


def compiled(lowered: Lowered) -> None:
    """Have the machine code of both generated kernels, and say what it took."""
    sampler = Sampler(lowered, initial_values(lowered))
    backends: tuple[Backend, ...] = ("flat", "lanes")
    for backend in backends:
        begin = time.process_time()
        sampler.run(TIMES[:1], runs=1, seed=0, threads=1, backend=backend)
        print(f"kernel {backend!r} compiled or loaded in {time.process_time() - begin:.2f} s of CPU time")


def copasi(sbml: str, ids: list[str]) -> Program:
    import basico

    model = basico.load_model_from_string(sbml)
    basico.set_model_unit(substance_unit="#", volume_unit="1", time_unit="h", model=model)

    def run(seed: int) -> Values:
        table = basico.run_time_course(
            0, 72, 72, method="directMethod", use_seed=True, seed=seed + 1, use_numbers=True, model=model
        )
        return table[ids].to_numpy()[-1:]

    return run


def roadrunner(sbml: str, ids: list[str]) -> Program:
    import roadrunner

    model = roadrunner.RoadRunner(sbml)
    model.setIntegrator("gillespie")
    model.timeCourseSelections = ids

    def run(seed: int) -> Values:
        model.reset()
        model.getIntegrator().seed = seed + 1
        return np.array(model.simulate(0, 72, 73))[-1:]

    return run


def rebop(network: Network, ids: list[str]) -> Program:
    """The reactions are read off our own text: `name: reactants => products; rate`."""
    import rebop as package

    text = MODEL.read_text()
    model = package.Gillespie()
    for left, right, rate in re.findall(r"^ *r\d+: (.*?)=> (.*?); (.*)$", text, re.MULTILINE):
        sides = [[name.strip() for name in side.split("+") if name.strip()] for side in (left, right)]
        model.add_reaction(rate.strip(), *sides)
    start = {species.id: int(species.initial_amount or 0) for species in network.species}
    others = {parameter.id: float(parameter.value or 0) for parameter in network.parameters}

    def run(seed: int) -> Values:
        found = model.run(start, tmax=72, nb_steps=72, params=others, rng=seed)
        return np.array([[float(found[id][-1]) for id in ids]])

    return run


def main() -> None:
    """Print the two rows with their ratios; fail where the programs disagree about the answer."""
    model = load(MODEL)
    lowered, sbml = lower(model.network), model.to_sbml()
    ids = [species.id for species in model.network.species]
    compiled(lowered)
    ours = {"one exact trajectory": public(model, ids, 1), "ensemble": public(model, ids, ENSEMBLE)}
    ours |= {f"{runs} runs": public(model, ids, runs) for runs in FEWER}
    peers = {"COPASI": copasi(sbml, ids), "rebop": rebop(model.network, ids), "libRoadRunner": roadrunner(sbml, ids)}
    programs: dict[str, Program] = {**ours, **peers}
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    ends: dict[str, list[Values]] = {name: [] for name in programs}
    for program in programs.values():
        program(0)
    for seed in range(1, ROUNDS + 1):
        for name, program in programs.items():
            begin = time.process_time()
            found = program(seed)
            seconds[name].append((time.process_time() - begin) / len(found))
            ends[name].append(found)
    events = _events(lowered)
    print(f"{'reference network, 72 h, 1 thread':<36}{'ms per trajectory':>18}{'ns per event':>14}{'M events/s':>12}")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:<36}{1e3 * median:>18.2f}{1e9 * median / events:>14.1f}{events / median / 1e6:>12.2f}")
    for row in ours:
        for peer in peers:
            ratio = statistics.median(b / a for a, b in zip(seconds[row], seconds[peer], strict=True))
            aim = AIMS.get(row, {}).get(peer)
            print(f"{row}: {ratio:.1f} x {peer}" + (f" (aim {aim})" if aim else ""))
            _assert_same(ids, row, np.concatenate(ends[row]), peer, np.concatenate(ends[peer]))
    for runs in FEWER:
        pairs = zip(seconds[f"{runs} runs"], seconds["ensemble"], strict=True)
        ratio = statistics.median(runs * a / (ENSEMBLE * b) for a, b in pairs)
        print(f"{runs} runs take {ratio:.2f} of the time of {ENSEMBLE}")
    for package, label in (("gillespy2", "GillesPy2"), ("bionetgen", "BioNetGen")):
        if find_spec(package) is None:
            print(f"{label} is not installed here: not measured")


def _events(lowered: Lowered) -> float:
    """Reactions in one trajectory, the mean of eight."""
    job = Job(Sampler(lowered, initial_values(lowered)), TIMES, 8, 1, 10**9, 1)
    return float(np.mean([job.run_tables(run, run + 1)[4] for run in range(8)]))


def _assert_same(ids: list[str], ours: str, a: Values, peer: str, b: Values) -> None:
    error = np.sqrt(a.var(axis=0, ddof=1) * (1 / len(a) + 1 / len(b)))
    z = (a.mean(axis=0) - b.mean(axis=0)) / error
    assert np.all(np.abs(z) < 5.0), (ours, peer, dict(zip(ids, z.round(2), strict=True)))
