"""A well by the deterministic twin: closed forms, interventions, and agreement with the mean of single cells."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from senexo.base.errors import InvalidInput
from senexo.engine.formula.lower import lower
from senexo.engine.population.model import CellType, Divide, Fate, Leave, Population
from senexo.lab.coupled.methods import Split
from senexo.lab.coupled.single_cells import SingleCellSimulator
from senexo.lab.coupled.well import Medium, Well
from senexo.lab.mean_field.simulator import MeanFieldSimulator
from senexo.model.loading import load
from senexo.study.schema import Action

CELL = """model m()
    compartment cell = 1; compartment medium = 1;
    substanceOnly species X in cell = 20, L in cell = 0, E in medium = 0;
    k = 4; division = 0.03; death = 0.002; n_well = 1;
    make: => X; k;  decay: X => ; 0.1*X;  release: X => E; 0.05*X;  take: E => L; 0.02/n_well*E;
    load: L => X; 0.5*L;  lose: E => ; 0.01*E;
end
"""


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    path: Path = tmp_path_factory.mktemp("cell") / "cell.ant"
    path.write_text(CELL)
    network = lower(load(path).network)
    fates = (Fate("division", "division", Divide("A", "A")), Fate("death", "death", Leave()))
    return Population((CellType("A", network, fates),), pools=("medium",))


def deed(target: str, value: float, at: float, operation: str = "add") -> Action:
    return Action(time_h=at, target=target, operation=operation, value=value, verb="dose", of=target)  # type: ignore[arg-type]


def x_of(twin: MeanFieldSimulator) -> int:
    return twin.population.types[0].network.slot("X")


def test_numbers_have_their_closed_form(population: Population) -> None:
    """Growth by 0.028 an hour, whatever is followed; a flask is split at each whole hour with more than 100 cells."""
    twin = MeanFieldSimulator(population, share="n_well")
    well = Well(72.0, (0.0, 24.0, 72.0), most_cells=5)
    for now in twin.grow(twin.seeded({"A": 40}, {}), well).snapshots:
        assert now.weight[0] == pytest.approx(40 * math.exp(0.028 * now.time), rel=1e-5)
    flask = twin.snapshot(twin.expanded(twin.seeded({"A": 40}, {}), 72.0, 100.0))
    times_split = sum(40 * math.exp(0.028 * h) > 100 and 40 * math.exp(0.028 * (h - 1)) <= 100 for h in range(1, 73))
    times_split += sum(20 * math.exp(0.028 * h) > 100 and 20 * math.exp(0.028 * (h - 1)) <= 100 for h in range(1, 73))
    assert times_split >= 1
    assert flask.weight[0] == pytest.approx(40 * math.exp(0.028 * 72.0) / 2**times_split, rel=1e-5)


def test_deeds_do_what_they_say(population: Population) -> None:
    twin = MeanFieldSimulator(population)
    begin = twin.seeded(
        {"A": 10}, {"A": {"k": 0.0}}, [deed("division", 0.0, 0.0, "set"), deed("death", 0.0, 0.0, "set")]
    )
    acts = (deed("X", 80.0, 0.0), deed("X", 0.5, 5.0, "multiply"), deed("E", 0.0, 10.0, "set"), deed("k", 3.0, 10.0))
    well = Well(40.0, (0.0, 5.0, 10.0, 40.0), acts, conditioned=(Medium(np.array([7.5]), 0.0),))
    before, at5, at10, end = twin.grow(begin, well).snapshots
    x = x_of(twin)
    assert before.values[0, x] == 20.0  # read before the deed
    # linear, and no cell is born or dies
    rates = np.array([[-0.15, 0.5, 0.0], [0.0, -0.5, 0.02], [0.5, 0.0, -0.21]])  # X, L of a cell; E of the well
    made = expm(np.block([[rates, np.array([[3.0], [0.0], [0.0]])], [np.zeros((1, 4))]]) * 30.0)
    state = expm(rates * 5.0) @ [100.0, 0.0, 7.5]
    assert at5.values[0, x] == pytest.approx(state[0], rel=1e-5)
    state = expm(rates * 5.0) @ (state * [0.5, 1.0, 1.0])
    assert at10.pools[0] == pytest.approx(state[2], rel=1e-5)
    state = made @ [*(state * [1.0, 1.0, 0.0]), 1.0]
    assert (end.values[0, x], end.pools[0]) == (pytest.approx(state[0], rel=1e-5), pytest.approx(state[2], rel=1e-5))
    with pytest.raises(InvalidInput, match="Z"):
        twin.grow(begin, Well(1.0, (1.0,), (deed("Z", 1.0, 0.0),)))


def test_a_well_of_single_cells_has_this_mean(population: Population) -> None:
    """With its deeds, from the same plated cells; 40 wells, |Z| < 4.5 of 3 means: false alarm 2e-5."""
    bench = SingleCellSimulator(population, Split(0.25), share="n_well")
    twin = MeanFieldSimulator(population, share="n_well")
    well = Well(30.0, (30.0,), (deed("X", 30.0, 10.0), deed("E", 0.2, 20.0, "multiply")), most_cells=60, rare_cells=20)
    runs = []
    for replicate in range(40):
        plated = bench.seeded({"A": 40}, {}, seed=3, replicate=replicate)
        course = bench.grow(plated, well)
        (now,) = course.snapshots
        runs.append([now.weight.sum(), now.weight @ now.values[:, x_of(twin)], now.pools[0]])
    assert max(run[0] for run in runs) > 60
    (mean_now,) = twin.grow(twin.begin(plated), well).snapshots
    n = mean_now.weight[0]
    mean, error = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) / math.sqrt(len(runs))
    assert np.all(np.abs(mean - [n, n * mean_now.values[0, x_of(twin)], mean_now.pools[0]]) < 4.5 * error)


def test_a_well_stops_on_its_condition(population: Population) -> None:
    twin = MeanFieldSimulator(population)
    well = Well(72.0, (0.0, 24.0, 48.0), stop_when=lambda now, begin: bool(now.weight[0] > 2.0 * begin.weight[0]))
    course = twin.grow(twin.seeded({"A": 40}, {}), well)
    hour = math.ceil(math.log(2.0) / 0.028)
    assert course.ended == f"stop_when became true at {hour} h"
    assert [now.time for now in course.snapshots] == [0.0, 24.0, hour]


def expm(matrix: np.ndarray) -> np.ndarray:
    from scipy.linalg import expm as of

    return np.asarray(of(matrix))
