"""A sample of the worked table (all of it, and libRoadRunner beside it: `python -m verify circuit_table`)."""

from __future__ import annotations

import pytest

from senexo.model.circuit import load_circuit
from verify._cell import grow
from verify.circuit_table import ARMS, COLUMNS, NAMES, misfit, published, row

SAMPLE = [(20.0, arm) for arm in ("mock", "mimic1000", "mimic3000", "p53null+1000", "kd90+1000", "gw4869")]
SAMPLE += [(1.0, arm) for arm in ("mimic300", "p53null+1000")]


@pytest.mark.parametrize(("serum", "arm"), SAMPLE)
def test_the_arm_gives_the_tables_numbers(serum: float, arm: str) -> None:
    circuit = load_circuit("mir34c-rab27b")
    genotype, treatment = ARMS[arm]
    found = row(circuit, grow(circuit, NAMES, serum=serum, genotype=genotype, treatment=treatment))
    off = misfit(found, published(serum)[arm])
    assert off.max() <= 1, {
        c: (f, p) for c, f, p, o in zip(COLUMNS, found, published(serum)[arm], off, strict=True) if o > 1
    }
