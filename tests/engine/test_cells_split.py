"""Populations in windows: the exact process where there are no pools, close to it where there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.model import Cells, CellType, Divide, Fate, Leave, Partition, Population
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from senexo.engine.population.tables import compile_population
from senexo.engine.population.window_check import halving
from senexo.model.loading import load

ALONE = """
    compartment cell = 1; substanceOnly species X in cell = 10, P in cell = 7; k = 5; age = 0;
    hazard := 0.5*X/(X+5); old := 0.4*age/(age+2); bound := 0.4;
    make: => X; k;  decay: X => ; 0.3*X;  pump: X => 2 P; 0.05*X;  wear: P => ; 0.1*P;
    """
COUPLED = """
    compartment cell = 1; compartment medium = 1; compartment blood = 1;
    substanceOnly species X in cell = 10, P in cell = 7, E in medium = 300, B in blood = 40;
    hazard := 0.3*X/(X+5); death := 0.004*P;
    make: => X; 5;  decay: X => ; 0.3*X;  release: X => E; 0.5*X;  uptake: E => X; 0.004*E*(1 + P/20);
    lose: E => ; 0.1*E;  cross: E => B; 0.05*E;  back: B => E; 0.2*B;  feed: => B; 30;
    pump: X => 2 P; 0.05*X;  wear: P => ; 0.1*P;
    """


def network(text: str, folder: Path) -> Lowered:
    path = folder / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    return lower(load(path).network)


@pytest.fixture(scope="module")
def coupled(tmp_path_factory: pytest.TempPathFactory) -> Population:
    net = network(COUPLED, tmp_path_factory.mktemp("coupled"))
    fates = (
        Fate("division", "hazard", Divide("A", "B", {"P": Partition("clustered", 0.3, 3)})),
        Fate("death", "death", Leave()),
    )
    return Population((CellType("A", net, fates), CellType("B", net, fates[1:])), pools=("medium", "blood"))


def same(one: Cells, other: Cells) -> bool:
    """Equal, whatever the order of rows."""
    a, b = (np.lexsort((cells.key[:, 1], cells.key[:, 0])) for cells in (one, other))
    return (
        np.array_equal(one.key[a], other.key[b])
        and np.array_equal(one.values[a], other.values[b])
        and np.array_equal(one.fired, other.fired)
        and np.array_equal(one.pools, other.pools)
        and np.array_equal(one.born[a], other.born[b])
    )


def test_without_pools_windows_change_nothing(tmp_path: Path) -> None:
    net = network(ALONE, tmp_path)
    fates = (Fate("division", "hazard", Divide("A", "A")), Fate("death", "old", Leave(), bound="bound"))
    alone = Population((CellType("A", net, fates, age="age"),))
    begin = start(alone, {"A": 60}, seed=1)
    exact, expected = run_exact(alone, begin, 6.0)
    found, log = run_split(alone, begin, 6.0, window=0.7)
    assert same(exact, found)
    assert np.array_equal(log.time, expected.time)
    assert np.array_equal(log.channel, expected.channel)


def test_threads_and_chunks_change_nothing(coupled: Population) -> None:
    begin = start(coupled, {"A": 200, "B": 100}, seed=2)
    whole = run_split(coupled, begin, 3.0, window=0.25, threads=1, execution=Execution(chunks=1))
    assert (whole[0].fired > 0).all()
    for threads, chunks in ((1, 8), (2, 8), (2, 3)):
        after, log = run_split(coupled, begin, 3.0, window=0.25, threads=threads, execution=Execution(chunks=chunks))
        assert after.digest() == whole[0].digest()
        assert np.array_equal(log.time, whole[1].time)


def test_a_run_in_parts_is_the_whole_run(coupled: Population) -> None:
    begin = start(coupled, {"A": 50}, seed=3)
    whole, _ = run_split(coupled, begin, 3.0, window=0.25)
    part, _ = run_split(coupled, begin, 1.25, window=0.25)
    assert run_split(coupled, part, 3.0, window=0.25)[0].digest() == whole.digest()


def test_a_run_cut_after_every_window_is_the_whole_run(coupled: Population) -> None:
    """The waits of the pools too: without them the 30 copies per hour that come into the blood come at other times.

    One cut alone moves them by little: none then need pass the end of a window.
    """
    now = begin = start(coupled, {"A": 30}, seed=3)
    for time in np.arange(1, 25) * 0.25:
        now, _ = run_split(coupled, now, float(time), window=0.25, execution=Execution("tables"))
    assert now.digest() == run_split(coupled, begin, 6.0, window=0.25, execution=Execution("tables"))[0].digest()


def test_copies_are_conserved(coupled: Population) -> None:
    begin = start(coupled, {"A": 300, "B": 50}, seed=4)
    after, log = run_split(coupled, begin, 5.0, window=0.5)
    channels = compile_population(coupled).channels
    made = {id: sum(c.moved(id) * int(n) for c, n in zip(channels, after.fired, strict=True)) for id in "XPEB"}
    for place, id in enumerate(coupled.pooled):
        assert after.pools[place] - begin.pools[place] == made[id]
    for id in "XP":
        slot = coupled.types[0].network.slot(id)
        there = after.values[:, slot].sum() + after.gone[:, slot].sum() - begin.values[:, slot].sum()
        assert there == made[id]
    names = [channels[c].name for c in log.channel]
    assert len(after) == len(begin) + names.count("division") - names.count("death")
    assert (after.pools >= 0).all()


def test_close_to_the_exact_process(coupled: Population) -> None:
    """Means over 150 replicates of 20 cells; false alarm for 7 quantities at 4.5 standard errors: 5e-5."""
    rows = []
    for replicate in range(150):
        begin = start(coupled, {"A": 12, "B": 8}, seed=5, replicate=replicate)
        both = (
            run_exact(coupled, begin, 3.0)[0],
            run_split(coupled, begin, 3.0, window=0.05, threads=1, execution=Execution(chunks=1))[0],
        )
        rows.append([[len(c), c.values[:, 3].sum(), c.values[:, 2].sum(), *c.pools, *c.fired[:2]] for c in both])
    exact, split = np.array(rows, dtype=float).transpose(1, 0, 2)
    error = np.sqrt((exact.var(axis=0, ddof=1) + split.var(axis=0, ddof=1)) / len(rows))
    assert (np.abs(exact.mean(axis=0) - split.mean(axis=0)) < 4.5 * error + 1e-9).all()


def test_half_the_window_has_a_smaller_error(coupled: Population) -> None:
    beginnings = [start(coupled, {"A": 100}, seed=6, replicate=k) for k in range(20)]
    coarse, fine = (halving(coupled, beginnings, 4.0, window=h, threads=1) for h in (4.0, 0.5))
    seen = np.abs(coarse.difference) > 5.0 * coarse.standard_error
    assert seen[coarse.quantities.index("E")]
    assert (np.abs(fine.difference[seen]) < 0.5 * np.abs(coarse.difference[seen])).all()


def test_two_at_once_from_a_pool_are_refused(tmp_path: Path) -> None:
    text = "compartment cell = 1; compartment medium = 1; substanceOnly species X in cell = 1, E in medium = 9;"
    net = network(text + "u: 2 E => X; 0.1*E*(E-1);", tmp_path)
    population = Population((CellType("A", net),), pools=("medium",))
    with pytest.raises(UnsupportedFeature, match="more than one copy"):
        run_split(population, start(population, {"A": 1}, seed=1), 1.0, window=0.5)
