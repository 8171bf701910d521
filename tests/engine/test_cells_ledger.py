"""The mass balance closes to the molecule, and the lineage table holds every cell that was born."""

from __future__ import annotations

from pathlib import Path

import pytest

from senexo.engine.formula.lower import lower
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.mass_balance import births, pool_balances
from senexo.engine.population.model import CellType, Divide, Fate, Leave, Population
from senexo.engine.population.splitting import run_split
from senexo.model.loading import load

TEXT = """
    compartment cell = 1; compartment medium = 1; compartment blood = 1;
    substanceOnly species X in cell = 10, E in medium = 300, B in blood = 40; hazard := 0.3*X/(X+5); d := 0.05;
    make: => X; 5;  release: X => E; 0.5*X;  uptake: E => X; 0.004*E;
    lose: E => ; 0.1*E;  cross: E => B; 0.05*E;  back: B => E; 0.2*B;
    """


@pytest.fixture
def population(tmp_path: Path) -> Population:
    path = tmp_path / "model.ant"
    path.write_text(f"model m()\n{TEXT}\nend\n")
    net = lower(load(path).network)
    fates = (Fate("division", "hazard", Divide("A", "B")), Fate("death", "d", Leave()))
    return Population((CellType("A", net, fates), CellType("B", net, fates[1:])), pools=("medium", "blood"))


@pytest.mark.parametrize("method", ["exact", "split"])
def test_mass_balances_close(population: Population, method: str) -> None:
    begin = start(population, {"A": 40, "B": 5}, seed=21)
    run = run_exact if method == "exact" else lambda p, c, t: run_split(p, c, t, window=0.25)
    middle, _ = run(population, begin, 1.0)
    assert all(book.interventions == 0 for book in pool_balances(population, begin, middle))
    washed = middle.copy()
    washed.pools[0] = 0
    after, _ = run(population, washed, 2.0)
    book = pool_balances(population, begin, after)[0]
    assert book.species == "E"
    assert book.interventions == -middle.pools[0]
    assert book.after == 300 + sum(book.released.values()) - sum(book.taken_up.values()) + book.made - book.lost + (
        book.interventions
    )
    assert min(*book.released.values(), *book.taken_up.values(), book.made, book.lost) > 0


def test_every_cell_is_a_first_one_or_was_born(population: Population) -> None:
    begin = start(population, {"A": 40}, seed=22)
    after, log = run_split(population, begin, 4.0, window=0.5)
    born = births(population, log)
    first = {tuple(key) for key in begin.key.tolist()}
    table = {
        tuple(key): (time, tuple(parent), type)
        for key, time, parent, type in zip(
            born.key.tolist(), born.time.tolist(), born.parent.tolist(), born.type.tolist(), strict=True
        )
    }
    assert len(table) == len(born.time) > 40
    assert {parent for _, parent, _ in table.values()} <= first | set(table)
    for key, parent, time, type in zip(
        after.key.tolist(), after.parent.tolist(), after.born.tolist(), after.type.tolist(), strict=True
    ):
        assert tuple(key) in first or table[tuple(key)] == (time, tuple(parent), type)
