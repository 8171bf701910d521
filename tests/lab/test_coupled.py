"""Wells of coupled cells: interventions change what they should, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from senexo.base.errors import InvalidInput, SimulationError
from senexo.engine.formula.lower import lower
from senexo.engine.population.model import Become, Cells, CellType, Divide, Fate, Leave, Partition, Population
from senexo.lab.coupled.handling import plate, subculture, treat
from senexo.lab.coupled.methods import Exact, Split
from senexo.lab.coupled.single_cells import SingleCellSimulator
from senexo.lab.coupled.well import Well
from senexo.model.loading import load
from senexo.study.schema import Action

CELL = """model m()
    compartment cell = 1; compartment medium = 1;
    substanceOnly species X in cell = 20, L in cell = 0, E in medium = 0;
    k = 4; h := grows*X/(X + 20); grows = 0.06; death = 0.002; commit = 0.01; Q = 0; n_well = 1;
    make: => X; k*(1 - 0.5*Q);  decay: X => ; 0.1*X;  release: X => E; 0.05*X;  take: E => L; 0.02/n_well*E;
    load: L => X; 0.5*L;  lose: E => ; 0.01*E;
end
"""


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    path = tmp_path_factory.mktemp("cell") / "cell.ant"
    path.write_text(CELL)
    network = lower(load(path).network)
    fates = (
        Fate("division", "h", Divide("A", "A", {"L": Partition("ordered")})),
        Fate("commitment", "commit", Become("S")),
        Fate("death", "death", Leave()),
    )
    return Population((CellType("A", network, fates), CellType("S", network, fates[2:])), pools=("medium",))


@pytest.fixture(scope="module")
def bench(population: Population) -> SingleCellSimulator:
    return SingleCellSimulator(population, Split(0.25), share="n_well")


@pytest.fixture(scope="module")
def plated(bench: SingleCellSimulator) -> Cells:
    cells = bench.seeded({"A": 60}, {"A": {"k": np.linspace(3, 5, 60)}, "S": {"Q": 1.0}}, seed=7, replicate=1)
    return bench.cultured(cells, 24.0, {"A": 50})


def dose(target: str, value: float, at: float = 0.0, operation: str = "add") -> Action:
    return Action(time_h=at, target=target, operation=operation, value=value, verb="dose", of=target)  # type: ignore[arg-type]


def slot(population: Population, id: str) -> int:
    return population.types[0].network.slot(id)


def test_plated_cells_come_from_a_culture_and_start_in_fresh_medium(population: Population, plated: Cells) -> None:
    assert (len(plated), plated.time, int(plated.pools[0])) == (50, 0.0, 0)
    assert plated.born.min() < 0.0  # born in the culture before
    assert len(np.unique(plated.key, axis=0)) == 50
    k = plated.values[:, slot(population, "k")]
    assert set(k) <= set(np.linspace(3, 5, 60))  # variation is inherited
    assert np.all(plated.values[:, slot(population, "n_well")] == 50)


def test_arms_are_twins_until_something_is_done(bench: SingleCellSimulator, plated: Cells) -> None:
    mock = bench.grow(plated, Well(12.0, (0.0, 6.0, 12.0)))
    late = bench.grow(plated, Well(12.0, (0.0, 6.0, 12.0), schedule=(dose("L", 100, at=6.0),)))
    assert mock.states[6.0].digest() == late.states[6.0].digest()
    assert mock.end.digest() != late.end.digest()


def test_a_branch_shares_the_past_bit_for_bit(bench: SingleCellSimulator, plated: Cells) -> None:
    whole = bench.grow(plated, Well(12.0, (6.0, 12.0)))
    branch = bench.grow(whole.states[6.0], Well(12.0, (6.0, 12.0)))
    assert branch.end.digest() == whole.end.digest()
    assert [r.time for r in branch.snapshots] == [6.0, 12.0]


def test_a_dose_is_whole_molecules_with_the_asked_mean(population: Population, plated: Cells) -> None:
    """2.3 copies: 0.3 of 50 cells get 3; outside 4 to 27 of them by chance 1e-4."""
    cells = plated.copy()
    before = cells.values[:, slot(population, "L")].copy()
    treat(population, cells, [dose("L", 2.3)])
    added = cells.values[:, slot(population, "L")] - before
    assert set(added) <= {2.0, 3.0}
    assert 4 <= np.count_nonzero(added == 3.0) <= 27
    treat(population, cells, [dose("L", 0.0, operation="set"), dose("k", 2.0, operation="multiply")])
    assert np.all(cells.values[:, slot(population, "L")] == 0.0)
    assert np.array_equal(cells.values[:, slot(population, "k")], 2 * plated.values[:, slot(population, "k")])
    assert cells.base[1, slot(population, "k")] == 2 * plated.base[1, slot(population, "k")]


def test_a_dose_does_not_depend_on_the_order_of_cells(population: Population, plated: Cells) -> None:
    turned = plated.copy()
    for name in ("type", "key", "parent", "born", "draws", "wait", "values"):
        setattr(turned, name, getattr(plated, name)[::-1].copy())
    straight = plated.copy()
    for cells in (straight, turned):
        treat(population, cells, [dose("L", 0.5)])
    assert np.array_equal(straight.values, turned.values[::-1])


def test_unknown_targets_are_refused(population: Population, plated: Cells) -> None:
    with pytest.raises(InvalidInput, match="nowhere"):
        treat(population, plated.copy(), [dose("nowhere", 1.0)])


def test_balances_close_over_treatments_and_media(bench: SingleCellSimulator, plated: Cells) -> None:
    """before + released - taken up + made - lost = after, in every stretch, to the molecule."""
    source = bench.grow(plated, Well(12.0, (12.0,)))
    medium = bench.conditioned(source, 12.0, 0.5, 3.0)
    fresh = dose("E", 0.0, at=8.0, operation="set")
    course = bench.grow(plated, Well(12.0, (12.0,), schedule=(fresh,), conditioned=(medium,)))
    assert [(begin, end) for begin, end, _ in course.balances] == [(0.0, 3.0), (3.0, 8.0), (8.0, 12.0)]
    for _, _, (found,) in course.balances:
        assert found.interventions == 0
    assert course.balances[1][2][0].before == course.balances[0][2][0].after + medium.copies[0]
    assert course.balances[2][2][0].before == 0
    n = int(source.end.pools[0])
    assert n > 100
    # half of the medium, each molecule by chance: 5 standard deviations, 6e-7
    assert abs(int(medium.copies[0]) - n / 2) < 5 * math.sqrt(n / 4)


def test_a_subculture_keeps_expectations(bench: SingleCellSimulator, plated: Cells) -> None:
    """Half of cells and medium stay: 4.5 standard deviations, 7e-6."""
    grown = bench.grow(plated, Well(12.0, (12.0,))).end
    half = subculture(grown, 0.5)
    n, copies = len(grown), int(grown.pools[0])
    assert abs(len(half) - n / 2) < 4.5 * math.sqrt(n / 4)
    assert abs(int(half.pools[0]) - copies / 2) < 4.5 * math.sqrt(copies / 4)
    kept = {tuple(key) for key in half.key}
    assert kept < {tuple(key) for key in grown.key}


def test_a_full_well_is_represented_by_fewer_cells(
    population: Population, bench: SingleCellSimulator, plated: Cells
) -> None:
    """The well stays whole: its mass balance closes, and cells and copies are those of the well followed cell by cell.

    30 founders' clones of each: |Z| < 4.5 of 3 means, false alarm 2e-5.
    """
    course = bench.grow(plated, Well(60.0, (30.0, 60.0), most_cells=60, rare_cells=15))
    assert all(len(reading) <= 65 for reading in course.snapshots)
    assert course.end.weight.max() >= 4
    assert course.end.base[0, slot(population, "n_well")] == 50.0
    assert all(found.interventions == 0 for _, _, balances in course.balances for found in balances)
    rows = []
    for most in (60, 100_000):
        ends = []
        for replicate in range(30):
            cells = bench.seeded({"A": 20}, {"S": {"Q": 1.0}}, seed=5 + most, replicate=replicate)
            end = bench.grow(cells, Well(60.0, (60.0,), most_cells=most, rare_cells=15)).end
            ends.append([end.weight.sum(), end.weight @ end.values[:, slot(population, "X")], end.pools[0]])
        rows.append(np.array(ends, dtype=float))
    gap = np.abs(rows[0].mean(axis=0) - rows[1].mean(axis=0))
    error = np.sqrt(sum(row.var(axis=0, ddof=1) / len(row) for row in rows))
    assert (gap < 4.5 * error).all()


def test_a_look_between_the_hours_changes_nothing(bench: SingleCellSimulator, plated: Cells) -> None:
    rare = Well(40.0, (40.0,), most_cells=55, rare_cells=10)
    looked = Well(40.0, (20.25, 30.5, 40.0), most_cells=55, rare_cells=10)
    assert bench.grow(plated, rare).end.digest() == bench.grow(plated, looked).end.digest()


def test_exact_follows_every_cell(population: Population, plated: Cells) -> None:
    bench = SingleCellSimulator(population, Exact(), share="n_well")
    course = bench.grow(plated, Well(60.0, (60.0,), most_cells=52))
    assert course.ended.startswith("more than 52 cells at ")
    assert course.ended.endswith("this method simulates every cell")
    assert (course.end.weight == 1).all()


def test_a_run_stops_on_its_condition_and_extinction_is_a_result(bench: SingleCellSimulator, plated: Cells) -> None:
    well = Well(48.0, (0.0, 24.0, 48.0), stop_when=lambda now, begin: int(np.count_nonzero(now.type == 1)) >= 3)
    course = bench.grow(plated, well)
    assert course.ended == f"stop_when became true at {course.end.time:g} h"
    assert course.end.time < 48.0
    assert np.count_nonzero(course.end.type == 1) >= 3
    killed = bench.grow(plated, Well(24.0, (0.0, 24.0), schedule=(dose("death", 100.0, operation="set"),)))
    assert (killed.ended, len(killed.end), len(killed.snapshots[-1])) == ("", 0, 0)


def test_stopping_keeps_what_was_reached(population: Population, plated: Cells) -> None:
    bench = SingleCellSimulator(population, Split(0.25))
    seen: list[float] = []

    def progress(cell_hours: float) -> None:
        seen.append(cell_hours)
        bench.stop[0] = len(seen) >= 3

    bench.progress = progress
    course = bench.grow(plated, Well(24.0, (0.0, 24.0)))
    assert "stopped" in course.ended
    assert 3.0 <= course.end.time <= 3.5
    assert [now.time for now in course.snapshots] == [0.0, course.end.time]
    bench.stop[0] = False
    bench.progress = lambda cell_hours: None
    on = bench.grow(course.end, Well(24.0, (24.0,)))
    whole = bench.grow(plated, Well(24.0, (24.0,)))
    assert on.end.digest() == whole.end.digest()


def test_a_log_follows_cells_from_plating_to_the_end(
    population: Population, bench: SingleCellSimulator, plated: Cells
) -> None:
    course = bench.grow(plated, Well(24.0, (24.0,)))
    assert np.all(np.diff(course.log.time) >= 0)
    from senexo.engine.population.tables import compile_population

    names = [compile_population(population).channels[c].name for c in course.log.channel]
    births, deaths = names.count("division"), names.count("death")
    assert len(course.end) == 50 + births - deaths


def test_too_few_cells_to_plate_are_told(population: Population, plated: Cells) -> None:
    with pytest.raises(SimulationError, match="50 cells of type A"):
        plate(population, plated, {"A": 51})


def test_exact_and_windows_tell_the_same_story(population: Population, plated: Cells) -> None:
    """Cells and molecules after 12 h in 60 wells of each: |Z| < 4 of 3 means, false alarm 2e-4."""
    found = {}
    for method in (Exact(), Split(0.25)):
        bench = SingleCellSimulator(population, method, share="n_well")
        rows = []
        for replicate in range(60):
            cells = bench.seeded({"A": 20}, {"S": {"Q": 1.0}}, seed=3 + (method == Exact()), replicate=replicate)
            end = bench.grow(cells, Well(12.0, (12.0,))).end
            rows.append([len(end), end.values[:, slot(population, "X")].sum(), end.pools[0]])
        found[type(method)] = np.array(rows, dtype=float)
    one, other = found[Exact], found[Split]
    error = np.sqrt(one.var(axis=0, ddof=1) / len(one) + other.var(axis=0, ddof=1) / len(other))
    assert np.all(np.abs(one.mean(axis=0) - other.mean(axis=0)) < 4 * error)
