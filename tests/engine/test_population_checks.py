"""The long checks of populations in `verify` detect faults, and every planted fault still applies to the source."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from senexo.engine.population.initial import start
from senexo.engine.population.model import Cells, Log, Population
from senexo.engine.population.splitting import run_split
from senexo.engine.population.stepper import Execution
from verify._planted import FAULTS, Planted
from verify._population import sharing
from verify.population_faults import plant
from verify.population_invariants import looked_at

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted_and_its_test_is_there(fault: Planted, tmp_path: Path) -> None:
    path = tmp_path / fault.file
    path.parent.mkdir(parents=True)
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    plant(fault, tmp_path)
    changed = path.read_text(encoding="utf-8")
    assert changed != text
    compile(changed, fault.file, "exec")
    file, _, name = fault.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="not once"):
        plant(Planted(fault.name, fault.file, "no such text", "", fault.test), tmp_path)


@cache
def _ran() -> tuple[Population, Cells, Cells, Log]:
    population = sharing()
    begin = start(population, {"A": 60}, seed=61)
    return population, begin, *run_split(population, begin, 2.0, window=0.5, execution=Execution("tables"))


def below(cells: Cells) -> None:
    cells.values[0, _ran()[0].types[0].network.slot("I")] = -1.0


def one_more(cells: Cells) -> None:
    cells.values[0, _ran()[0].types[0].network.slot("M")] += 1.0


def poured(cells: Cells) -> None:
    cells.pools[0] += 1


def twice(cells: Cells) -> None:
    cells.key[0] = cells.key[1]


def orphan(cells: Cells) -> None:
    cells.parent[-1] = 7


@pytest.mark.parametrize(
    ("spoil", "place"), [(below, 0), (below, 1), (one_more, 1), (poured, 1), (twice, 2), (orphan, 2)]
)
def test_invariants_see_what_is_spoilt(spoil: Callable[[Cells], None], place: int) -> None:
    population, begin, after, log = _ran()
    after = after.copy()
    first = {(int(a), int(b)) for a, b in begin.key}
    assert looked_at(population, begin, after, log, set(first), ()) == (0, 0, 0)
    assert after.parent[-1].any()
    spoil(after)
    assert looked_at(population, begin, after, log, set(first), ())[place] > 0
