"""One cell of a finished run computed again, alone, and held against what was stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import Fault, InvalidInput
from senexo.lab.lone import dish
from senexo.lab.lone.culture import Culture

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Replay:
    """A cell's read-outs [times, quantities] and fates (hours, nan = did not happen), and whether the bits agree."""

    arm: str
    donor: int
    cell: int
    times: Floats
    quantities: tuple[str, ...]
    values: Floats
    fates: dict[str, float]
    same_bits: bool

    def __repr__(self) -> str:
        widths = [max(12, len(name) + 2) for name in self.quantities]
        lines = [f"arm {self.arm}, donor {self.donor}, cell {self.cell}"]
        lines.append("  time_h" + "".join(f"{n:>{w}}" for n, w in zip(self.quantities, widths, strict=True)))
        for time, row in zip(self.times, self.values, strict=True):
            lines.append(f"{time:8g}" + "".join(f"{v:>{w}.6g}" for v, w in zip(row, widths, strict=True)))
        told = (f"{name} {'did not happen' if np.isnan(at) else f'{at:.2f} h'}" for name, at in self.fates.items())
        lines.append(", ".join(told))
        lines.append("same bits as stored" if self.same_bits else "NOT the same bits as stored")
        return "\n".join(lines)


def replay(culture: Culture, stored: Mapping[str, NDArray[Any]], *, arm: str, donor: int, cell: int) -> Replay:
    """Grow one cell alone (see `dish.fill`) and compare its read-outs and fates with the unit's stored arrays."""
    growth = culture.grow(culture.study.arms[arm], donor, (cell,))
    values, fates = dish.readings(culture, growth), dish.fates_of(growth)
    same = _bits(values[0], stored["readouts"][cell - 1]) and _bits(fates[0], stored["fates"][cell - 1])
    names = (*dish.FATES, "longest arrest")
    return Replay(
        arm, donor, cell, culture.readout_times, tuple(culture.study.readouts.names), values[0],
        dict(zip(names, fates[0].tolist(), strict=True)), same,
    )  # fmt: skip


def chunk_of(culture: Culture, *, arm: str, donor: int, cell: int) -> str:
    """The name of the chunk that holds a cell; InvalidInput says what there is when there is no such cell."""
    study = culture.study
    (kind,) = study.cells.values()
    faults = []
    if arm not in study.arms:
        faults.append(Fault("--arm", repr(arm), f"one of {', '.join(study.arms)}"))
    if not 1 <= donor <= study.donors.n:
        faults.append(Fault("--donor", str(donor), f"1 to {study.donors.n}"))
    if not 1 <= cell <= kind.n:
        faults.append(Fault("--cell", str(cell), f"1 to {kind.n}"))
    if faults:
        raise InvalidInput(faults)
    return dish.Unit(list(study.arms).index(arm), donor, "", 0).chunk


def _bits(a: Floats, b: Floats) -> bool:
    return a.shape == b.shape and a.tobytes() == b.tobytes()
