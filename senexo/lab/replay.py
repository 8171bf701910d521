"""A cell that was simulated again, beside what was stored of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        times = (f"{name} {'did not happen' if np.isnan(at) else f'{at:.2f} h'}" for name, at in self.fates.items())
        lines.append(", ".join(times))
        lines.append("same bits as stored" if self.same_bits else "NOT the same bits as stored")
        return "\n".join(lines)
