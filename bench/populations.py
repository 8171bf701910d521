"""Cells that divide, die and share one medium, in windows of 0.05 h, against hand-written loops over cells, one thread.

The reference network in every cell, its species E in the medium: released by all, taken up by all, lost there. Ours is
`senexo.engine.population.splitting`; a peer does what its users do: it puts the state of each cell into the program,
runs it for a window with the pool held, reads the state back, and a few lines of Python divide, kill and settle.
Every round runs each program once, in turn; a ratio is the median over the rounds. Means per cell must agree (|Z| <
5, over rounds); those of CVODE, which knows no chance, within a tenth.
"""

from __future__ import annotations

import math
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.lower import lower
from senexo.engine.population.initial import start
from senexo.engine.population.model import Cells, CellType, Divide, Fate, Leave, Population
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Backend, Execution
from senexo.model.loading import load
from senexo.model.network import Network

REFERENCE = Path(__file__).with_name("reference.ant")
ROUNDS, CELLS, PEER_CELLS, HOURS, WINDOW = 9, 4000, 30, 1.0, 0.05
DIVISION, DEATH = math.log(2.0) / 36.0, 0.002  # per hour
TAKE, LOSE = 0.3, 0.03  # kup and dE of the reference network
AIMS = {"libRoadRunner CVODE": 15.0, "libRoadRunner SSA": 60.0}

Values = NDArray[np.float64]
Window = Callable[[Values, float, int], Values]  # of one cell: amounts, copies in the pool per cell, seed -> amounts
Program = Callable[[int], tuple[Values, float]]  # seed -> mean amounts per cell with the pool's, cell-hours


def text(coupled: bool) -> str:
    """The reference network with E in a medium; or as one cell has it: E held, what it releases and takes counted."""
    lines = REFERENCE.read_text()
    if coupled:
        lines = lines.replace("compartment cell = 1", "compartment cell = 1; compartment medium = 1")
        lines = lines.replace(
            "substanceOnly species E in cell = 1500,",
            "substanceOnly species E in medium = 1500;\n  substanceOnly species",
        )
        lines = lines.replace("kup*E", "kup*E/sharing")
        more = f"  sharing=1; division={DIVISION!r}; death={DEATH!r}\n"
    else:
        lines = lines.replace(
            "substanceOnly species E in cell = 1500,", "substanceOnly species OUT in cell = 0, IN in cell = 0,"
        )
        lines = lines.replace("miR => E;", "miR => OUT;").replace("r13: E => miR;", "r13: => miR + IN;")
        lines = re.sub(r".*r14:.*\n", "", lines)
        more = "  E=1500\n"
    return lines.replace("\nend", f"\n{more}end")


def network(coupled: bool, folder: Path) -> tuple[Network, str]:
    path = folder / f"{'coupled' if coupled else 'cell'}.ant"
    path.write_text(text(coupled))
    model = load(path)
    return model.network, model.to_sbml()


def well(coupled: Network, number: int) -> tuple[Population, Callable[[int], Cells]]:
    """The cells in one medium, and how a well of so many begins by its seed."""
    fates = (Fate("division", "division", Divide("A", "A")), Fate("death", "death", Leave()))
    population = Population((CellType("A", lower(coupled), fates),), pools=("medium",))
    overrides = {"A": {"E": 1500.0 * number, "sharing": float(number)}}
    return population, lambda seed: start(population, {"A": number}, seed=seed, overrides=overrides)


def senexo(coupled: Network, ids: list[str], backend: Backend) -> Program:
    population, plated = well(coupled, CELLS)
    slots = [population.types[0].network.slot(id) for id in ids]

    def run(seed: int) -> tuple[Values, float]:
        cells = plated(seed)
        after, _ = run_split(population, cells, HOURS, window=WINDOW, threads=1, execution=Execution(backend))
        found = after.values[:, slots].mean(axis=0)
        return np.append(found, [after.pools[0] / CELLS, len(after) / CELLS]), CELLS * HOURS

    return run


def by_hand(window: Window, begin: Values, places: tuple[int, int]) -> Program:
    """A loop over cells and windows; places: of OUT and IN among the amounts."""

    def run(seed: int) -> tuple[Values, float]:
        rng = np.random.default_rng(seed)
        cells, pool = [begin.copy() for _ in range(PEER_CELLS)], 1500.0 * PEER_CELLS
        for _ in range(round(HOURS / WINDOW)):
            after, released = [], 0.0
            for amounts in cells:
                now = window(amounts, pool / PEER_CELLS, int(rng.integers(1, 2**31 - 1)))
                released += now[places[0]] - now[places[1]]
                now[list(places)] = 0.0
                fate = rng.random()
                if fate < -np.expm1(-DIVISION * WINDOW):
                    first = rng.binomial(np.rint(now).astype(int), 0.5)
                    after += [first.astype(float), now - first]
                elif fate < 1.0 - np.exp(-(DIVISION + DEATH) * WINDOW):
                    continue
                else:
                    after.append(now)
            cells = after
            pool += released - rng.binomial(int(pool), -np.expm1(-LOSE * WINDOW))
        found = np.mean(cells, axis=0)
        return np.append(found, [pool / PEER_CELLS, len(cells) / PEER_CELLS]), PEER_CELLS * HOURS

    return run


def roadrunner(sbml: str, ids: list[str], integrator: str) -> Window:
    import roadrunner

    model = roadrunner.RoadRunner(sbml)
    model.setIntegrator(integrator)
    model.timeCourseSelections = ids
    order = model.model.getFloatingSpeciesIds()
    forth, back = [ids.index(id) for id in order], list(range(len(ids)))

    def window(amounts: Values, pool: float, seed: int) -> Values:
        model.model.setFloatingSpeciesAmounts(amounts[forth])
        model["E"] = pool
        if integrator == "gillespie":
            model.integrator.seed = seed
        return np.array(model.simulate(0.0, WINDOW, 2))[-1, back]

    return window


def copasi(sbml: str, ids: list[str]) -> Window:
    import basico
    import COPASI

    handle = basico.load_model_from_string(sbml)
    basico.set_model_unit(substance_unit="#", volume_unit="1", time_unit="h", model=handle)
    inside = handle.getModel()
    species = [inside.getMetabolite(k) for k in range(inside.getNumMetabs())]
    values = [inside.getModelValue(k) for k in range(inside.getNumModelValues())]
    pooled = next(value for value in values if value.getObjectName() == "E")
    amounts_of = [ids.index(one.getObjectName()) for one in species]
    task = handle.getTask("Time-Course")
    task.setMethodType(COPASI.CTaskEnum.Method_directMethod)
    task.getProblem().setDuration(WINDOW)
    task.getProblem().setStepNumber(1)
    task.getMethod().getParameter("Use Random Seed").setBoolValue(True)

    def window(amounts: Values, pool: float, seed: int) -> Values:
        for one, place in zip(species, amounts_of, strict=True):
            one.setInitialValue(float(amounts[place]))
        pooled.setInitialValue(pool)
        inside.updateInitialValues(COPASI.CCore.Framework_ParticleNumbers)
        task.getMethod().getParameter("Random Seed").setUIntValue(seed)
        assert task.process(True)
        found = np.empty(len(ids))
        for one, place in zip(species, amounts_of, strict=True):
            found[place] = one.getValue()
        return found

    return window


def rebop(network: Network, ids: list[str]) -> Window:
    import rebop as package

    model = package.Gillespie()
    for left, right, rate in re.findall(r"^ *r\d+: (.*?)=> (.*?); (.*)$", text(False), re.MULTILINE):
        sides = [[name.strip() for name in side.split("+") if name.strip()] for side in (left, right)]
        model.add_reaction(rate.strip(), *sides)
    others = {parameter.id: float(parameter.value or 0) for parameter in network.parameters}

    def window(amounts: Values, pool: float, seed: int) -> Values:
        begin = {id: int(amount) for id, amount in zip(ids, amounts, strict=True)}
        found = model.run(begin, tmax=WINDOW, nb_steps=1, params={**others, "E": pool}, rng=seed)
        return np.array([float(found[id][-1]) for id in ids])

    return window


def main() -> None:
    """Print cell-hours per second and the ratios; fail where the programs disagree about the answer."""
    with tempfile.TemporaryDirectory() as folder:
        coupled, _ = network(True, Path(folder))
        cell, sbml = network(False, Path(folder))
    ids = [species.id for species in cell.species]
    begin = np.array([float(species.initial_amount or 0) for species in cell.species])
    places = ids.index("OUT"), ids.index("IN")
    loops = {
        "libRoadRunner CVODE": roadrunner(sbml, ids, "cvode"),
        "libRoadRunner SSA": roadrunner(sbml, ids, "gillespie"),
        "COPASI": copasi(sbml, ids),
        "rebop": rebop(cell, ids),
    }
    shared = [id for id in ids if id not in ("OUT", "IN")]
    programs: dict[str, Program] = {"senexo": senexo(coupled, shared, "lanes")}
    programs |= {name: by_hand(window, begin, places) for name, window in loops.items()}
    keep = [ids.index(id) for id in shared] + [len(ids), len(ids) + 1]
    speed: dict[str, list[float]] = {name: [] for name in programs}
    means: dict[str, list[Values]] = {name: [] for name in programs}
    programs["senexo"](0)
    for seed in range(1, ROUNDS + 1):
        for name, program in programs.items():
            began = time.perf_counter()
            found, hours = program(seed)
            speed[name].append(hours / (time.perf_counter() - began))
            means[name].append(found if name == "senexo" else found[keep])
    print(f"{'cells in one medium, 1 thread':<32}{'cell-hours per second':>22}")
    for name, found_speed in speed.items():
        print(f"{name:<32}{statistics.median(found_speed):>22.0f}")
    for peer in loops:
        ratio = statistics.median(a / b for a, b in zip(speed["senexo"], speed[peer], strict=True))
        aim = AIMS.get(peer)
        print(f"populations: {ratio:.0f} x {peer}" + (f" (aim {aim:.0f})" if aim else ""))
        _assert_same([*shared, "E in the pool", "cells"], np.array(means["senexo"]), peer, np.array(means[peer]))


def _assert_same(names: list[str], a: Values, peer: str, b: Values) -> None:
    if "CVODE" in peer:
        ratio = b.mean(axis=0) / a.mean(axis=0)
        assert np.all(np.abs(ratio - 1.0) < 0.1), (peer, dict(zip(names, ratio.round(3), strict=True)))
        return
    error = np.sqrt(a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b))
    z = (a.mean(axis=0) - b.mean(axis=0)) / error
    assert np.all(np.abs(z) < 5.0), (peer, dict(zip(names, z.round(2), strict=True)))
