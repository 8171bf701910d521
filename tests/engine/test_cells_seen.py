"""Cells that read a pool without taking from it, and `sets` of both daughters, against the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest

from reference.cells import dish
from reference.cells_split import windows
from senexo.engine.population.exact import run_exact
from senexo.engine.population.initial import start
from senexo.engine.population.model import CellType, Divide, Fate, Leave, Population, SlotUpdate
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from verify._laws import network

TEXT = """
    compartment cell = 1; compartment medium = 1;
    substanceOnly species X in cell = 5, E in medium = 40; wet = 1; age = 0; b = 0.3; tired = 0;
    hazard := b*E/(E + 200); dry := 0.1*tired;
    sense: => X; 0.2*E*wet;  decay: X => ; 0.5*X;  release: X => E; 0.4*X;  lose: E => ; 0.2*E;
    """
BOTH = (SlotUpdate("wet", "multiply", 0.8), SlotUpdate("tired", "add", 0.5))
ONE = ((), (SlotUpdate("tired", "multiply", 3.0),))


@pytest.fixture(scope="module")
def seeing() -> Population:
    fates = (Fate("division", "hazard", Divide("A", "A", sets=BOTH, each=ONE)), Fate("death", "dry", Leave()))
    return Population((CellType("A", network(TEXT), fates, age="age"),), pools=("medium",))


def own(population: Population) -> list[int]:
    return [population.types[0].network.slot(id) for id in ("X", "wet", "tired")]


@pytest.mark.parametrize("method", ["tables", "lanes"])
def test_windows_of_cells_that_only_look_at_a_pool(seeing: Population, method: str) -> None:
    """What a cell releases is not seen before the window ends, not by itself either."""
    now = start(seeing, {"A": 40}, seed=31)
    twin, slots = windows(seeing, now, {"lose"}), own(seeing)
    for end in (0.5, 1.0, 1.5):
        twin.window(end)
        now, _ = run_split(seeing, now, end, window=0.5, execution=Execution(method))  # type: ignore[arg-type]
        cells = [cell for cell in twin.cells if not cell.medium]
        assert [tuple(map(int, key)) for key in now.key] == [cell.key for cell in cells]
        assert now.pools.tolist() == list(twin.pools.values())
        assert now.values[:, slots].tolist() == [[cell.v[slot] for slot in slots] for cell in cells]
    assert now.fired.sum() == len(twin.happened) + twin.settled > 1000


def test_both_daughters_are_set(seeing: Population) -> None:
    """Of every division, what is set for both, then what is set for the second: 0.8^n is left of 1 after n."""
    begin = start(seeing, {"A": 12}, seed=32)
    twin, slots = dish(seeing, begin, {"lose"}), own(seeing)
    twin.until(6.0)
    now, _ = run_exact(seeing, begin, 6.0)
    cells = [cell for cell in twin.cells if not cell.medium]
    assert now.values[:, slots].tolist() == [[cell.v[slot] for slot in slots] for cell in cells]
    wet = now.values[:, slots[1]]
    divisions = np.round(np.log(wet) / np.log(0.8))
    assert np.allclose(wet, 0.8**divisions)
    born_here = now.parent.any(axis=1)
    assert (divisions[born_here] >= 1).all()
    assert (divisions[~born_here] == 0).all()
    assert born_here.sum() >= 10
