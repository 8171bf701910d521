"""Windows by generated kernels: the bits of tables and reference implementation; state of an interrupted run."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from reference.cells_split import windows
from senexo.base.errors import InvalidInput, SenexoError
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.population.initial import start
from senexo.engine.population.lockstep import locksteps
from senexo.engine.population.mass_balance import pool_balances
from senexo.engine.population.model import Become, CellType, Divide, Fate, Leave, Partition, Population, SlotUpdate
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from senexo.engine.population.tables import compile_population
from senexo.model.loading import load

COUPLED = """
    compartment cell = 1; compartment medium = 1; compartment blood = 1;
    substanceOnly species X in cell = 10, Z in cell = 8, G in cell = 2, P in cell = 7;
    substanceOnly species E in medium = 300, B in blood = 40;
    k = 5; d = 0.3; rel = 0.5; up = 0.004; loss = 0.1; b = 0.5; age = 0; size = 1; stem = 1; rest = 0.1;
    hazard := b*X/(X+5); old := 0.4*age/(age+2); old_bound := 0.4; death := 0.005*P; resting := rest*rest;
    make: => X; k*G/2*(0.9 + Z/80);  decay: X => ; d*X;  release: X => E; rel*X;  uptake: E => X; up*E*(1 + P/20);
    lose: E => ; loss*E;  cross: E => B; 0.05*E;  back: B => E; 0.2*B;  pump: X => 2 P; 0.05*X*size;
    wear: P => ; 0.1*P;  mutate: => G; 0.03*G;  drink: B => P; 0.001*B*stem;
    """
ONCE = {"lose", "cross", "back"}
SHARES = {"G": Partition("copied"), "P": Partition("clustered", 0.3, 3)}
OLD = (SlotUpdate("stem", "multiply", 2.0), SlotUpdate("size", "set", "age"))
OWN = ((SlotUpdate("stem", "multiply", 0.5),), (SlotUpdate("stem", "set", "k"), SlotUpdate("size", "add", 0.25)))
DEATH = Fate("death", "death", Leave())
FATES = (
    Fate("division", "hazard", Divide("stem", "blast", SHARES, Partition("binomial", 0.4), each=OWN)),
    Fate("ageing", "old", Become("blast", OLD), bound="old_bound"),
    DEATH,
)


def network(text: str, folder: Path) -> Lowered:
    path = folder / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    return lower(load(path).network)


@pytest.fixture(scope="module")
def coupled(tmp_path_factory: pytest.TempPathFactory) -> Population:
    """Three types with one network and other fates, which one kernel runs together."""
    net = network(COUPLED, tmp_path_factory.mktemp("model"))
    split = Fate("split", "hazard", Divide("blast", "blast", otherwise=Partition("ordered")))
    types = (
        CellType("stem", net, FATES, age="age"),
        CellType("blast", net, (split, Fate("rest", "resting", Become("asleep")), DEATH), age="age"),
        CellType("asleep", net, (DEATH,)),
    )
    made = Population(types, pools=("medium", "blood"))
    assert [group.kinds for group in locksteps(made, compile_population(made))] == [(0, 1, 2)]
    return made


def test_every_window_is_that_of_the_slow_twin(coupled: Population) -> None:
    begin = start(coupled, {"stem": 250, "blast": 30}, seed=1)
    twin, now = windows(coupled, begin, ONCE), {"lanes": begin, "tables": begin}
    own = [*coupled.countable[0], *(coupled.types[0].network.slot(id) for id in ("stem", "size"))]
    for end in np.linspace(0.25, 1.5, 6):
        twin.window(float(end))
        cells = [cell for cell in twin.cells if not cell.medium]
        for backend in ("lanes", "tables"):
            found, _ = run_split(coupled, now[backend], float(end), window=0.25, execution=Execution(backend))
            assert [tuple(map(int, key)) for key in found.key] == [cell.key for cell in cells]
            assert found.type.tolist() == [cell.type for cell in cells]
            assert found.born.tolist() == [cell.born for cell in cells]
            assert found.draws.tolist() == [cell.draws for cell in cells]
            assert found.pools.tolist() == list(twin.pools.values())
            assert found.values[:, own].tolist() == [[cell.v[slot] for slot in own] for cell in cells]
            now[backend] = found
        assert now["lanes"].digest() == now["tables"].digest()
    names = {name for *_, name in twin.happened}
    assert names == {c.name for c in compile_population(coupled).channels} - {
        "uptake",
        "drink",
        "lose",
        "cross",
        "back",
    }
    assert len(twin.happened) > 5000
    assert now["lanes"].fired.sum() == len(twin.happened) + twin.settled


def test_every_window_of_weighted_cells_is_that_of_the_slow_twin(coupled: Population) -> None:
    """Cells that represent 1, 2, 4 or 8: the same events, which move and count as many copies of the pools."""
    begin = start(coupled, {"stem": 120, "blast": 20}, seed=11)
    begin.weight[:] = 2 ** (np.arange(140) % 4)
    twin, now = windows(coupled, begin, ONCE), {"lanes": begin, "tables": begin}
    for end in np.linspace(0.25, 1.5, 6):
        twin.window(float(end))
        cells = [cell for cell in twin.cells if not cell.medium]
        for backend in ("lanes", "tables"):
            found, log = run_split(coupled, now[backend], float(end), window=0.25, execution=Execution(backend))
            assert [tuple(map(int, key)) for key in found.key] == [cell.key for cell in cells]
            assert found.weight.tolist() == [cell.weight for cell in cells]
            assert found.draws.tolist() == [cell.draws for cell in cells]
            assert found.pools.tolist() == list(twin.pools.values())
            for slot in coupled.countable[0]:
                assert found.values[:, slot].tolist() == [cell.v[slot] for cell in cells]
            assert set(log.weight.tolist()) <= {1, 2, 4, 8}
            now[backend] = found
        assert now["lanes"].digest() == now["tables"].digest()
    fired = Counter[str]()
    for channel, n in zip(compile_population(coupled).channels, now["lanes"].fired.tolist(), strict=True):
        fired[channel.name] += n
    assert fired == twin.weights
    assert len(twin.happened) > 2000
    for book in pool_balances(coupled, begin, now["lanes"]):
        assert book.interventions == 0
        assert min(sum(book.released.values()), sum(book.taken_up.values())) > 0 or book.species == "B"


def test_weights_are_powers_of_two(coupled: Population) -> None:
    begin = start(coupled, {"stem": 4}, seed=11)
    begin.weight[1:3] = 3, 0
    with pytest.raises(InvalidInput, match=r"cells.weight: found 3, of 2 cells, expected a power of two"):
        run_split(coupled, begin, 1.0, window=0.25)


@pytest.mark.parametrize("weight", [1, 4])
def test_threads_chunks_and_kernels_change_nothing(coupled: Population, weight: int) -> None:
    begin = start(coupled, {"stem": 900, "blast": 300}, seed=2)
    begin.weight[::7] = weight
    whole, log = run_split(coupled, begin, 3.0, window=0.25, threads=1, execution=Execution("tables", 1))
    assert (whole.fired > 0).all() or weight > 1
    for threads, chunks in ((1, None), (1, 5), (2, None), (2, 3)):
        after, other = run_split(
            coupled, begin, 3.0, window=0.25, threads=threads, execution=Execution("lanes", chunks)
        )
        assert after.digest() == whole.digest()
        assert np.array_equal(log.time, other.time)
        assert np.array_equal(log.channel, other.channel)


def test_a_run_in_parts_is_the_whole_run(coupled: Population) -> None:
    """Long enough for the dead to be dropped from memory in the one and not in the other."""
    begin = start(coupled, {"blast": 200}, seed=3, overrides={"blast": {"P": 60, "b": 0.1}})
    whole, log = run_split(coupled, begin, 6.0, window=0.5, execution=Execution("lanes"))
    assert sum(compile_population(coupled).channels[c].name == "death" for c in log.channel) > 60
    part, _ = run_split(coupled, begin, 1.5, window=0.5, execution=Execution("lanes"))
    part, _ = run_split(coupled, part, 4.0, window=0.5, execution=Execution("tables"))
    assert run_split(coupled, part, 6.0, window=0.5, execution=Execution("lanes"))[0].digest() == whole.digest()


def test_a_parameter_below_zero_is_left_to_the_tables(coupled: Population) -> None:
    change = {"up": np.where(np.arange(40) % 3, 0.004, 0.0), "rest": np.where(np.arange(40) % 5, 0.1, -0.1)}
    begin = start(coupled, {"blast": 40}, seed=4, overrides={"blast": change})
    ends = [
        run_split(coupled, begin, 2.0, window=0.5, execution=Execution(backend))[0].digest()
        for backend in ("lanes", "tables")
    ]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("law", ["2*X - 25", "5", "1/(X - 12)"])
def test_faults_are_told_as_by_the_tables(tmp_path: Path, law: str) -> None:
    """A law that goes negative, one that fires without its reactant, one that is infinite."""
    net = network(f"substanceOnly species X = 14; X => ; {law};", tmp_path)
    population = Population((CellType("A", net),))
    told = []
    for backend in ("lanes", "tables"):
        with pytest.raises(SenexoError) as caught:
            run_split(population, start(population, {"A": 20}, seed=5), 50.0, window=10.0, execution=Execution(backend))
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_stopped_with_the_last_whole_window(coupled: Population) -> None:
    begin = start(coupled, {"stem": 3000}, seed=6)
    stop = np.zeros(1, dtype=np.bool_)
    timer = threading.Timer(0.7, lambda: stop.__setitem__(0, True))
    timer.start()
    began = time.monotonic()
    part, log = run_split(coupled, begin, 1e6, window=1.0, stop=stop, most_cells=10**9)
    assert 0.6 < time.monotonic() - began < 1.9
    assert "stopped" in log.reason
    assert 0.0 < part.time == round(part.time)
    whole, full = run_split(coupled, begin, part.time, window=1.0)
    assert part.digest() == whole.digest()
    assert np.array_equal(log.time, full.time)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_from_the_keyboard_is_answered_within_a_second(coupled: Population, threads: int) -> None:
    """In the main thread, and by Python's own handler: the engine puts none in its place."""
    begin = start(coupled, {"stem": 3000}, seed=7)
    before, stop = begin.digest(), np.zeros(1, dtype=np.bool_)
    began = time.monotonic()
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run_split(coupled, begin, 1e6, window=1.0, threads=threads, most_cells=10**9, stop=stop)
    assert time.monotonic() - began < 1.7
    assert stop[0]
    assert begin.digest() == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("weights", [(1, 1), (1, 16)])
def test_molecules_are_shared_out_by_the_takers_propensities(tmp_path: Path, weights: tuple[int, int]) -> None:
    """900 cells with one of three rates, 20 replicates: mean and variance at 4.5 standard errors, false alarm 5e-5.

    Of 10^5 molecules each leaves with probability 1 - exp(-K h) and falls to cell j with probability k_j / K, also
    where it is one of w_j cells that are alike (K = sum of w_j k_j).
    """
    text = "compartment cell = 1; compartment medium = 1; substanceOnly species X in cell = 0, E in medium = 100000;"
    net = network(f"{text} k = 1; take: E => X; k*E;", tmp_path)
    population = Population((CellType("A", net),), pools=("medium",))
    k, weight = np.array([1e-4, 2e-4, 1e-3] * 300), np.repeat(weights, 450)
    k = k * 900 / weight.sum()
    got = []
    for replicate in range(20):
        begin = start(population, {"A": 900}, seed=8, replicate=replicate, overrides={"A": {"k": k}})
        begin.weight[:] = weight
        after, _ = run_split(population, begin, 2.0, window=2.0, threads=1)
        got.append(after.values[:, net.slot("X")])
        assert after.pools[0] + after.fired.sum() == 100_000
        assert after.fired.sum() == got[-1].sum() or weights[1] > 1
    found = np.array(got)
    p = -np.expm1(-(weight @ k) * 2.0) * k / (weight @ k)
    z = (found.mean(axis=0) - 1e5 * p) / np.sqrt(1e5 * p * (1 - p) / 20)
    assert abs((z**2).mean() - 1.0) < 4.5 * np.sqrt(2.0 / 900)
    spread = found.var(axis=0, ddof=1) / (1e5 * p * (1 - p))
    assert abs(spread.mean() - 1.0) < 4.5 * np.sqrt(2.0 / 19 / 900)
