"""Exact populations against the reference implementation, and their invariants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reference.cells import dish
from senexo.base.errors import InvalidInput, UnsupportedFeature
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.model import (
    Become,
    Cells,
    CellType,
    Divide,
    Fate,
    Leave,
    Partition,
    Population,
    SlotUpdate,
)
from senexo.engine.population.tables import compile_population
from senexo.model.loading import load

COUPLED = """
    compartment cell = 1; compartment medium = 1; compartment blood = 1;
    substanceOnly species X in cell = 10, Z in cell = 8, G in cell = 2, P in cell = 7, E in medium = 30, B in blood = 4;
    k = 5; d = 0.3; rel = 0.5; up = 0.01; loss = 0.1; b = 0.5; age = 0; size = 1; stem = 1;
    hazard := b*X/(X+5); old := 0.4*age/(age+2); old_bound := 0.4; senescence := 0.05*stem; death := 0.005*P;
    make: => X; k*G/2*(0.9 + Z/80);  decay: X => ; d*X;  release: X => E; rel*X;  uptake: E => X; up*E*(1 + P/20);
    lose: E => ; loss*E;  cross: E => B; 0.05*E;  back: B => E; 0.2*B;  pump: X => 2 P; 0.05*X;  wear: P => ; 0.1*P;
    mutate: => G; 0.03*G;
    """
FATES = (
    Fate(
        "division",
        "hazard",
        Divide(
            "stem",
            "blast",
            {"G": Partition("copied"), "P": Partition("clustered", 0.3, 3)},
            Partition("binomial", 0.4),
        ),
    ),
    Fate(
        "ageing",
        "old",
        Become("blast", (SlotUpdate("stem", "multiply", 2.0), SlotUpdate("size", "set", "b"))),
        bound="old_bound",
    ),
    Fate("death", "death", Leave()),
)
ONCE = {"lose", "cross", "back"}


def network(text: str, folder: Path) -> Lowered:
    path = folder / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    return lower(load(path).network)


@pytest.fixture(scope="module")
def coupled(tmp_path_factory: pytest.TempPathFactory) -> Population:
    net = network(COUPLED, tmp_path_factory.mktemp("model"))
    blast = (Fate("split", "hazard", Divide("blast", "blast", otherwise=Partition("ordered"))), *FATES[2:])
    types = (CellType("stem", net, FATES, age="age"), CellType("blast", net, blast, age="age"))
    return Population(types, pools=("medium", "blood"))


def balance(population: Population, before: Cells, after: Cells) -> dict[str, int]:
    """Of each species: copies there are, less those there were, made, doubled and gone. All 0."""
    channels = compile_population(population).channels
    fired = after.fired - before.fired
    ids = sorted({id for channel in channels for id, _ in channel.changes} | {"Z"})
    found = {}
    for id in ids:
        made = sum(c.moved(id) * int(n) for c, n in zip(channels, fired, strict=True))
        if id in population.pooled:
            place = population.pooled.index(id)
            found[id] = int(after.pools[place] - before.pools[place]) - made
            continue
        there = 0
        for place, type in enumerate(population.types):
            slot = type.network.slot(id)
            there += int(
                after.values[after.type == place, slot].sum() - before.values[before.type == place, slot].sum()
            )
            there += int(after.gone[place, slot] - before.gone[place, slot])
            there -= int(after.copied[place, slot] - before.copied[place, slot])
        found[id] = there - made
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_every_event_is_that_of_the_slow_twin(coupled: Population, seed: int) -> None:
    begin = start(coupled, {"stem": 15, "blast": 3}, seed=seed)
    twin = dish(coupled, begin, ONCE)
    names = {channel.name for channel in compile_population(coupled).channels}
    now = begin
    for time in np.linspace(0.5, 5.0, 10):
        twin.until(float(time))
        now, _log = run_exact(coupled, now, float(time))
        cells = [cell for cell in twin.cells if not cell.medium]
        assert [tuple(map(int, key)) for key in now.key] == [cell.key for cell in cells]
        assert now.type.tolist() == [cell.type for cell in cells]
        assert now.born.tolist() == [cell.born for cell in cells]
        assert now.pools.tolist() == list(twin.pools.values())
        for slot in coupled.countable[0]:
            assert now.values[:, slot].tolist() == [cell.v[slot] for cell in cells]
    happened = [name for *_, name in twin.happened]
    assert set(happened) == names
    assert now.fired.sum() == len(happened) > 1000


def test_a_run_in_parts_is_the_whole_run(coupled: Population) -> None:
    begin = start(coupled, {"stem": 10, "blast": 5}, seed=3)
    whole, log = run_exact(coupled, begin, 6.0)
    first, before = run_exact(coupled, begin, 1.7)
    second, after = run_exact(coupled, first, 6.0)
    assert second.digest() == whole.digest()
    assert np.array_equal(np.concatenate((before.time, after.time)), log.time)


def test_copies_are_conserved(coupled: Population) -> None:
    begin = start(coupled, {"stem": 20, "blast": 20}, seed=4)
    after, log = run_exact(coupled, begin, 8.0)
    assert set(balance(coupled, begin, after).values()) == {0}
    counted = [(after.values[after.type == t][:, list(slots)]) for t, slots in enumerate(coupled.countable)]
    assert all((part >= 0).all() and (part == np.round(part)).all() for part in counted)
    fates = [compile_population(coupled).channels[c].name for c in log.channel]
    births, deaths = sum(name in ("division", "split") for name in fates), fates.count("death")
    assert len(after) == len(begin) + births - deaths
    assert (np.diff(log.time) >= 0).all()
    assert len({tuple(key) for key in after.key.tolist()}) == len(after)


def test_limits_give_a_labelled_part(coupled: Population) -> None:
    begin = start(coupled, {"stem": 10}, seed=5)
    after, log = run_exact(coupled, begin, 50.0, most_cells=30)
    assert len(after) == 30
    assert not log.complete
    assert "30 cells" in log.reason
    assert after.time < 50.0
    after, log = run_exact(coupled, begin, 50.0, most_events=1000)
    assert after.fired.sum() <= 1000
    assert "1000 events" in log.reason


def test_cells_with_a_weight_are_refused(coupled: Population) -> None:
    begin = start(coupled, {"stem": 3}, seed=5)
    begin.weight[1] = 2
    with pytest.raises(InvalidInput, match="1 of 3 cells represent more than one"):
        run_exact(coupled, begin, 1.0)


def test_an_empty_arm_is_a_result(coupled: Population) -> None:
    after, log = run_exact(coupled, start(coupled, {}, seed=6), 5.0)
    assert len(after) == 0
    assert log.complete
    assert after.time == 5.0
    assert after.fired.sum() > 0


def test_what_cannot_be_run_is_named(tmp_path: Path) -> None:
    text = "compartment cell = 1; substanceOnly species X in cell = 3; age = 0; h := age; X => ; 0.1*X;"
    net = network(text, tmp_path)
    with pytest.raises(InvalidInput, match="a bound"):
        compile_population(Population((CellType("A", net, (Fate("death", "h", Leave()),), age="age"),)))
    with pytest.raises(InvalidInput, match="'hazzard'"):
        compile_population(Population((CellType("A", net, (Fate("death", "hazzard", Leave()),)),)))
    moving = network("compartment cell = 1; substanceOnly species X in cell = 3; X => ; 0.1*X*time;", tmp_path)
    with pytest.raises(UnsupportedFeature, match="moves in time"):
        compile_population(Population((CellType("A", moving),)))


def test_another_reaction_among_pools_with_the_same_name_is_refused(tmp_path: Path) -> None:
    """The same one in the networks of several types happens once; a reaction without a name gets one by its place."""
    text = "compartment cell = 1; compartment medium = 1; substanceOnly species X in cell = 1, E in medium = 9; "
    first, again, other = (
        CellType(name, network(text + law, tmp_path))
        for name, law in (
            ("A", "lose: E => ; 0.1*E; X => E; X;"),
            ("B", "X => E; X; lose: E => ; 0.1*E;"),
            ("C", "lose: => E; 0.1*E; X => E; X;"),
        )
    )
    channels = compile_population(Population((first, again), pools=("medium",))).channels
    assert [(c.type, c.name) for c in channels if c.once] == [("A", "lose")]
    with pytest.raises(InvalidInput, match="lose: ids of others"):
        compile_population(Population((first, other), pools=("medium",)))


def test_a_new_type_keeps_what_is_the_cells_own(tmp_path: Path) -> None:
    """Molecules stay; a parameter goes to the new type's value times the cell's ratio; a new slot has the new value."""
    old = network(
        "compartment cell = 1; substanceOnly species X in cell = 9; X => ; 0*X; k = 2; q = 1; h = 50;", tmp_path
    )
    new = network(
        "compartment cell = 1; q = 7; w = 3; k = 10; substanceOnly species X in cell = 0; X => ; 0*X;", tmp_path
    )
    fate = Fate("commitment", "h", Become("B", (SlotUpdate("w", "multiply", "h"),)))
    population = Population((CellType("A", old, (fate,)), CellType("B", new)))
    begin = start(population, {"A": 3}, seed=1, overrides={"A": {"k": np.array([2.0, 3.0, 1.0])}})
    after, log = run_exact(population, begin, 5.0)
    values = after.of(population, "B")
    assert len(log.time) == len(values) == 3
    assert values[:, new.slot("k")].tolist() == [10.0, 15.0, 5.0]
    assert values[:, [new.slot(id) for id in "qwX"]].tolist() == [[7.0, 150.0, 9.0]] * 3
