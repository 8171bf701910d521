"""The deterministic twin of a population: closed forms where laws are linear, else the mean of many cells."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from senexo.base.errors import UnsupportedFeature
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.engine.ode.ensemble import BatchODE
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.mean_field import MIN_CELLS, MeanField
from senexo.engine.population.model import Become, CellType, Divide, Fate, Leave, Partition, Population, SlotUpdate
from senexo.engine.population.splitting import run_split
from senexo.model.loading import load

GROWS = """
    compartment cell = 1; compartment medium = 1;
    substanceOnly species X in cell = 8, G in cell = 2, E in medium = 50;
    division = 0.04; death = 0.01; k = 3; flag = 0;
    make: => X; k;  decay: X => ; 0.2*X;  release: X => E; 0.1*X;  uptake: E => X; 0.0005*E;  lose: E => ; 0.05*E;
    """


def network(text: str, folder: Path) -> Lowered:
    path = folder / "model.ant"
    path.write_text(f"model m()\n{text}\nend\n")
    return lower(load(path).network)


def follow(population: Population, numbers: dict[str, int], until: float) -> dict[str, float]:
    field = MeanField(population)
    values = field.start(start(population, numbers, seed=1))
    result = BatchODE(field.lowered).solve(values[np.newaxis], np.array([0.0, until]), rtol=1e-9, atol=1e-9)
    assert result.status[0] == 0
    return {info.id: float(result.final[0, slot]) for slot, info in enumerate(field.lowered.slots)}


def test_linear_laws_have_their_closed_form(tmp_path: Path) -> None:
    """Growth, a molecule diluted by it, a gene copied at division, a pool that all share."""
    net = network(GROWS.replace("uptake: E => X; 0.0005*E;", ""), tmp_path)
    fates = (
        Fate("division", "division", Divide("A", "A", {"G": Partition("copied")})),
        Fate("death", "death", Leave()),
    )
    at = follow(Population((CellType("A", net, fates),), pools=("medium",)), {"A": 100}, 30.0)
    cells = 100 * math.exp(0.03 * 30)
    assert at["cells(A)"] == pytest.approx(cells, rel=1e-7)
    # per cell: X' = 3 - (0.2 + 0.1 + 0.04) X; deaths take a cell with the mean
    x = 3 / 0.34 + (8 - 3 / 0.34) * math.exp(-0.34 * 30)
    assert at["A.X"] == pytest.approx(x, rel=1e-7)
    assert at["A.G"] == pytest.approx(2.0, rel=1e-7)
    # E' = 0.1 N X - 0.05 E
    steady, ahead = 0.1 * 100 * 3 / 0.34, 0.1 * 100 * (8 - 3 / 0.34)
    e = (50 - steady / 0.08 - ahead / -0.26) * math.exp(-0.05 * 30)
    e += steady / 0.08 * math.exp(0.03 * 30) + ahead / -0.26 * math.exp(-0.31 * 30)
    assert at["E"] == pytest.approx(e, rel=1e-7)


def test_types_pass_into_each_other(tmp_path: Path) -> None:
    """Commitment sets a flag, escape multiplies it; what a type brings is the mean of who came."""
    net = network("compartment cell = 1; substanceOnly species X in cell = 10; go = 0.1; back = 0.05; flag = 0;"
                  "make: => X; 2*(1 + flag);  decay: X => ; 0.2*X;", tmp_path)  # fmt: skip
    types = (
        CellType("A", net, (Fate("commits", "go", Become("S", (SlotUpdate("flag", "set", 3.0),))),)),
        CellType("S", net, (Fate("escapes", "back", Become("A", (SlotUpdate("flag", "multiply", 0.0),))),)),
    )
    at = follow(Population(types), {"A": 60}, 400.0)
    assert at["cells(A)"] == pytest.approx(20.0, rel=1e-6)
    assert at["cells(S)"] == pytest.approx(40.0, rel=1e-6)
    assert at["S.flag"] == pytest.approx(3.0, rel=1e-6)
    assert at["A.flag"] == pytest.approx(0.0, abs=1e-9)
    # a: 2 - 0.2 a + 0.1 (s - a) = 0,  s: 8 - 0.2 s + 0.05 (a - s) = 0; N_A 0.1 = N_S 0.05
    a, s = np.linalg.solve([[0.3, -0.1], [-0.05, 0.25]], [2.0, 8.0])
    assert (at["A.X"], at["S.X"]) == (pytest.approx(a, rel=1e-6), pytest.approx(s, rel=1e-6))


def test_is_the_mean_of_many_coupled_cells(tmp_path: Path) -> None:
    """Cells that meet only through their pool; |Z| < 4.5 of 4 means: false alarm 3e-5."""
    net = network(GROWS, tmp_path)
    fates = (Fate("division", "division", Divide("A", "A")), Fate("death", "death", Leave()))
    population = Population((CellType("A", net, fates),), pools=("medium",))
    at = follow(population, {"A": 20}, 20.0)
    runs = []
    for replicate in range(400):
        cells, _ = run_exact(population, start(population, {"A": 20}, seed=5, replicate=replicate), 20.0)
        x = cells.values[:, net.slot("X")].sum()
        runs.append([len(cells), x, cells.values[:, net.slot("G")].sum(), cells.pools[0]])
    mean, error = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) / math.sqrt(len(runs))
    # N and X are linear given E; uptake 0.0005 E N correlates the two by less than the error here
    expected = np.array([at["cells(A)"], at["cells(A)"] * at["A.X"], at["cells(A)"] * at["A.G"], at["E"]])
    assert np.all(np.abs(mean - expected) < 4.5 * error), (mean, expected, error)


def test_empty_types_and_extinction_are_legal(tmp_path: Path) -> None:
    net = network(GROWS, tmp_path)
    types = (CellType("A", net, (Fate("death", "death", Leave()),)), CellType("B", net))
    at = follow(Population(types, pools=("medium",)), {"A": 5}, 5000.0)
    assert at["cells(A)"] == pytest.approx(0.0, abs=1e-6)
    assert at["cells(B)"] == 0.0
    assert at["B.X"] == 8.0  # no cell is there: the type's own value


def test_daughters_differ_in_share_and_in_what_is_set(tmp_path: Path) -> None:
    """A stem cell keeps 0.7 of its X and sets `mark` to what it keeps; of a new B the mean brought is the balance."""
    net = network("compartment cell = 1; substanceOnly species X in cell = 10; go = 0.1; mark = 0; make: => X; 2;",
                  tmp_path)  # fmt: skip
    each = ((SlotUpdate("mark", "set", "X"),), (SlotUpdate("mark", "set", 5.0), SlotUpdate("mark", "add", "X")))
    fate = Fate("division", "go", Divide("A", "B", {"X": Partition("binomial", 0.7)}, each=each))
    at = follow(Population((CellType("A", net, (fate,)), CellType("B", net))), {"A": 40}, 300.0)
    assert at["cells(A)"] == pytest.approx(40.0, rel=1e-6)
    assert at["cells(B)"] == pytest.approx(40.0 * 0.1 * 300.0, rel=1e-6)
    # A: X' = 2 - 0.1 * 0.3 X, from 10; mark' = 0.1 (0.7 X - mark)
    x, slow, fast = 2 / 0.03, math.exp(-0.03 * 300), math.exp(-0.1 * 300)
    assert at["A.X"] == pytest.approx(x + (10 - x) * slow, rel=1e-6)
    mark = 0.7 * x * (1 - fast) + 0.07 * (10 - x) * (slow - fast) / 0.07
    assert at["A.mark"] == pytest.approx(mark, rel=1e-6)
    # B: its mark is 5 and 0.3 X of the mother at its birth, in the mean over births at a constant rate
    assert at["B.mark"] == pytest.approx(5 + 0.3 * (x + (10 - x) * (1 - slow) / 0.03 / 300.0), rel=1e-5)


def test_a_type_with_hardly_a_cell_has_a_mean(tmp_path: Path) -> None:
    """2e-5 cells: they hold what they brought and made, not a quotient of rounding errors; off by MIN_CELLS / N."""
    net = network("compartment cell = 1; substanceOnly species X in cell = 10; go = 1e-8; back = 0.5;"
                  "make: => X; 2;  decay: X => ; 0.4*X;", tmp_path)  # fmt: skip
    types = (
        CellType("A", net, (Fate("rests", "go", Become("B")),)),
        CellType("B", net, (Fate("wakes", "back", Become("A")),)),
    )
    at = follow(Population(types), {"A": 1000}, 168.0)
    assert at["cells(B)"] == pytest.approx(1000 * 1e-8 / 0.5, rel=1e-3)
    assert at["B.X"] == pytest.approx(5.0, rel=MIN_CELLS / 2e-5)


def test_an_age_is_refused(tmp_path: Path) -> None:
    net = network("compartment cell = 1; substanceOnly species X in cell = 1; age = 0;"
                  "h := 0.1*age/(1 + age); most = 0.1; decay: X => ; 0.2*X;", tmp_path)  # fmt: skip
    type = CellType("A", net, (Fate("division", "h", Divide("A", "A"), bound="most"),), age="age")
    with pytest.raises(UnsupportedFeature, match="age"):
        MeanField(Population((type,)))


def test_windows_agree_with_it_for_large_numbers(tmp_path: Path) -> None:
    """Hill laws at high copies: 300 founders fluctuate by 2 % in number, and the twin leaves out how cells spread."""
    net = network("""
        compartment cell = 1; compartment medium = 1; substanceOnly species X in cell = 900, E in medium = 0;
        h := 0.05*X^2/(X^2 + 250000);
        make: => X; 150*(1 + E/(E + 200000));  decay: X => ; 0.1*X;  release: X => E; 0.05*X;  lose: E => ; 0.1*E;
        """, tmp_path)  # fmt: skip
    population = Population((CellType("A", net, (Fate("division", "h", Divide("A", "A")),)),), pools=("medium",))
    at = follow(population, {"A": 300}, 24.0)
    cells, _ = run_split(population, start(population, {"A": 300}, seed=3), 24.0, window=0.5, keep_log=False)
    assert cells.pools[0] == pytest.approx(at["E"], rel=0.05)
    assert cells.values[:, net.slot("X")].mean() == pytest.approx(at["A.X"], rel=0.03)
