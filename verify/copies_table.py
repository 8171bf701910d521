"""Every arm of the worked table, by the stochastic circuit and by the circuit per standard volume.

The cell in copies is read deterministically and held near the standard size (`verify._copies`), without commitment,
which is a probability in one and a cell's own flag in the other. Bars: 3 % of each concentration on days 1, 3 and 7,
but 8 % for miR-34c-5p where an arrest has ended: there the other circuit's cell stays oversized for days
(docs/why/circuit.md).
"""

from __future__ import annotations

import numpy as np

from senexo.model.circuit import Circuit, load_circuit
from verify import Check
from verify._cell import Floats, grow
from verify._copies import course
from verify.circuit_table import ARMS, TABLES

STEP = 6
TIMES = np.arange(0.0, 169.0, STEP)
NAMES = ("mt", "R", "rel", "cEF", "Z", "K6", "u", "A", "V")
LEAST = {"cEF": 0.05}  # uM: below it the switch is off, whatever its value


def gaps(copies: Circuit, volume: Circuit, arm: str, serum: float) -> tuple[dict[tuple[str, int], float], set[int]]:
    """(quantity, day) -> relative difference, and the days on which a cell that was arrested has grown again."""
    genotype, treatment = ARMS[arm]
    calm = {"ks": 0.0}
    here = course(
        copies, NAMES, serum=serum, genotype=genotype, treatment=treatment, times=TIMES, settle=300.0, parameters=calm
    )
    there = grow(
        volume, [name.replace("cEF", "EF") for name in NAMES],
        serum=serum, genotype=genotype, treatment=treatment, parameters=calm,
    )  # fmt: skip
    there["cEF"] = there.pop("EF")
    found, grown = {}, set()
    for day in (1, 3, 7):
        for name in NAMES[:-1]:
            a, b = here[name][24 * day // STEP], there[name][24 * day]
            a = a / here["V"][24 * day // STEP] if name in ("mt", "R") else a
            found[name, day] = _gap(a, b, LEAST.get(name, 1e-6))
        if there["V"][24 * day] > 1.05 and here["V"][24 * day // STEP] < 1.0:
            grown.add(day)
    return found, grown


def _gap(a: float | Floats, b: float | Floats, least: float) -> float:
    return float(abs(a - b) / max(abs(b), least))


def main() -> list[Check]:
    copies, volume = load_circuit("mir34c-rab27b-cells"), load_circuit("mir34c-rab27b")
    checks = []
    for serum in TABLES:
        worst: dict[str, tuple[float, str]] = {}
        for arm in ARMS:
            found, grown = gaps(copies, volume, arm, serum)
            for (name, day), gap in found.items():
                kind = "miR-34c-5p after re-entry" if name == "mt" and day in grown else "all else"
                worst[kind] = max(worst.get(kind, (0.0, "")), (gap, f"{arm} {name} day {day}"))
        for kind, bar in (("all else", 0.03), ("miR-34c-5p after re-entry", 0.08)):
            if kind in worst:
                gap, where = worst[kind]
                checks.append(Check(f"S={serum:g}: copies = per volume, {kind}", gap, bar, gap <= bar, where))
    return checks
