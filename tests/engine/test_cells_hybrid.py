"""Populations with scarce species event by event and abundant ones continuous: against exact laws and exact runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reference import hybrid as twin
from senexo.base.errors import InvalidInput
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.population.hybrid import run_hybrid
from senexo.engine.population.initial import start
from senexo.engine.population.langevin import Flow
from senexo.engine.population.mass_balance import pool_balances
from senexo.engine.population.model import Cells, CellType, Divide, Fate, Leave, Population
from senexo.engine.population.partition import divided, with_continuous
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from senexo.engine.population.tables import compile_population
from senexo.model.loading import load

COUPLED = """
    compartment cell = 1; compartment medium = 1;
    substanceOnly species M in cell = 8, P in cell = 400, D in cell = 90, F in cell = 60;
    substanceOnly species E in medium = 300, I in cell = 3;
    hazard := 0.08*(P/400)^3; death := 0.0002*P;
    make: => M; 4;  decay: M => ; 0.5*M;  translate: => P; 25*M;  wear: P => ; 0.5*P;
    bind: P => D; 3*P/(1 + D/20);  loosen: D => P; 2*D;
    feed: => F; 120*200/(200 + P);  burn: F => ; 0.6*F;
    release: => E; 0.05*P;  uptake: E => I; 0.0002*E;  lose: E => ; 0.1*E;  spend: I => E; 0.7*I;
    """


def network(text: str, folder: Path) -> Lowered:
    path = folder / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    return lower(load(path).network)


@pytest.fixture(scope="module")
def coupled(tmp_path_factory: pytest.TempPathFactory) -> Population:
    net = network(COUPLED, tmp_path_factory.mktemp("hybrid"))
    fates = (Fate("division", "hazard", Divide("A", "A")), Fate("death", "death", Leave()))
    return Population((CellType("A", net, fates),), pools=("medium",))


def test_partition_says_why(coupled: Population) -> None:
    parts = divided(coupled, enough=10.0)
    assert parts.continuous == {"P", "D", "F"}
    assert "set by" not in str(parts)
    assert "pool" in parts.reasons["I"]
    assert "copies" in parts.reasons["M"]
    assert with_continuous(coupled, ["P", "D"]).continuous == {"P", "D"}
    with pytest.raises(InvalidInput, match="event by event"):
        with_continuous(coupled, ["I"])
    with pytest.raises(InvalidInput, match="one of"):
        with_continuous(coupled, ["Q"])


def test_hysteresis(coupled: Population) -> None:
    before = with_continuous(coupled, ["F"])
    assert "F" not in divided(coupled, abundant=70.0, busy=1e9).continuous
    assert "F" in divided(coupled, abundant=70.0, busy=1e9, before=before).continuous


def test_threads_chunks_and_parts_change_nothing(coupled: Population) -> None:
    begin = start(coupled, {"A": 70}, seed=2)
    whole, log = run_hybrid(coupled, begin, 3.0, window=0.5, step=0.25, threads=1, execution=Execution(chunks=1))
    assert (whole.fired[[c.fate for c in compile_population(coupled).channels]] > 0).all()
    for threads, chunks in ((1, 8), (2, 3)):
        after, other = run_hybrid(
            coupled, begin, 3.0, window=0.5, step=0.25, threads=threads, execution=Execution(chunks=chunks)
        )
        assert after.digest() == whole.digest()
        assert np.array_equal(log.time, other.time)
    part, _ = run_hybrid(coupled, begin, 1.5, window=0.5, step=0.25)
    assert run_hybrid(coupled, part, 3.0, window=0.5, step=0.25)[0].digest() == whole.digest()


def test_a_cell_goes_its_way_whatever_the_others(coupled: Population) -> None:
    """Without a pool in between: the first cells of 33 and of 70 are the same."""
    alone = Population((CellType("A", coupled.types[0].network),))
    few, many = (run_hybrid(alone, start(alone, {"A": n}, seed=3), 1.0, window=0.5)[0] for n in (33, 70))
    pooled = alone.types[0].network.slot("E")
    own = [slot for slot in range(few.values.shape[1]) if slot != pooled]
    assert np.array_equal(few.values[:, own], many.values[:33, own])


def test_copies_in_pools_are_booked(coupled: Population) -> None:
    begin = start(coupled, {"A": 100}, seed=4)
    after, _ = run_hybrid(coupled, begin, 4.0, window=0.5)
    moved = sum(c.moved("E") * int(n) for c, n in zip(compile_population(coupled).channels, after.fired, strict=True))
    assert after.pools[0] - begin.pools[0] == moved
    assert (after.values >= 0.0).all()


def test_weighted_cells_release_for_all_they_represent(coupled: Population) -> None:
    """The first window into an empty pool: cells do what they do, and all of it counts four times."""
    after, logs = {}, {}
    for weight in (1, 4):
        begin = start(coupled, {"A": 300}, seed=5)
        begin.pools[:], begin.weight[:] = 0, weight
        after[weight], logs[weight] = run_hybrid(coupled, begin, 0.25, window=0.25, threads=1)
        (book,) = pool_balances(coupled, begin, after[weight])
        assert book.interventions == 0
    channels = compile_population(coupled).channels
    cells = np.array([channel.name not in ("uptake", "lose", "spend") for channel in channels])
    assert after[1].fired[cells].sum() > 100
    assert (after[4].fired[cells] == 4 * after[1].fired[cells]).all()
    assert logs[4].weight.tolist() == [4] * len(logs[1].time)
    assert (after[4].gone == 4 * after[1].gone).all()


def moments(cells: Cells, slots: list[int]) -> np.ndarray:
    values = cells.values[:, slots]
    return np.concatenate([values.mean(axis=0), values.std(axis=0)])


def test_close_to_the_exact_process(coupled: Population) -> None:
    """Means and deviations per cell, cells and pool, over 40 dishes of 150: 4.5 standard errors, false alarm 1e-4."""
    slots = [coupled.types[0].network.slot(id) for id in "MPDFI"]
    rows = []
    for replicate in range(40):
        begin = start(coupled, {"A": 150}, seed=5, replicate=replicate)
        exact = run_split(coupled, begin, 6.0, window=0.25, threads=1)[0]
        hybrid = run_hybrid(coupled, begin, 6.0, window=0.25, step=0.125, threads=1)[0]
        rows.append([[*moments(c, slots), len(c), c.pools[0]] for c in (exact, hybrid)])
    exact, hybrid = np.array(rows, dtype=float).transpose(1, 0, 2)
    error = np.sqrt((exact.var(axis=0, ddof=1) + hybrid.var(axis=0, ddof=1)) / len(rows))
    gap = np.abs(exact.mean(axis=0) - hybrid.mean(axis=0))
    assert (gap < 4.5 * error + 0.005 * exact.mean(axis=0)).all()


def test_stiff_and_scarce_stays_at_zero_or_above(tmp_path: Path) -> None:
    """A pair that swaps 1,000 times an hour keeps its sum; Poisson law of a few copies made continuous by hand."""
    net = network(
        "compartment cell = 1; substanceOnly species A in cell = 900, B in cell = 100, C in cell = 5;"
        "a: A => B; 1000*A; b: B => A; 100*B; c: => C; 5; d: C => ; C;",
        tmp_path,
    )
    population = Population((CellType("A", net),))
    parts = with_continuous(population, ["A", "B", "C"])
    after, _ = run_hybrid(population, start(population, {"A": 4000}, seed=6), 8.0, window=0.5, partition=parts)
    a, b, c = after.values[:, [net.slot(id) for id in "ABC"]].T
    assert np.allclose(a + b, 1000.0)
    assert (after.values >= 0.0).all()
    assert abs(a.mean() - 1000 / 11) < 4.5 * np.sqrt(1000 * 10 / 121 / 4000)
    assert abs(c.mean() - 5.0) < 0.15
    assert abs(c.std() - np.sqrt(5.0)) < 0.2


@pytest.mark.parametrize("h", [0.1, 3.0])
def test_the_flow_is_that_of_the_twin(coupled: Population, h: float) -> None:
    """Also where the step is made again: at h = 3 some cells change too much for a trapezoid."""
    net = coupled.types[0].network
    states = [net.slot(id) for id in "PDF"]
    flowing = [r for r in net.reactions if with_continuous(coupled, ["P", "D", "F"]).is_continuous(net, r)]
    flow = Flow(net, states, flowing, [], [])
    cells = start(coupled, {"A": 20}, seed=7)
    cells.values[:, states] *= np.linspace(0.3, 3.0, 20)[:, np.newaxis]
    before = cells.values.copy()
    flow.step(np.arange(20), cells.rows(), h, 4096, np.zeros(20))
    for v, key, after in zip(before, cells.key, cells.values, strict=True):
        expected = twin.step(net, states, flowing, v, (int(key[0]), int(key[1])), h, 4096)
        np.testing.assert_allclose(after[states], expected[states], rtol=1e-9)
