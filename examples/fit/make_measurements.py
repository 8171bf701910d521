"""Makes measurements.tsv: the model at known values (`parameters.tsv`), by fixed Runge-Kutta steps, with normal errors.

python examples/fit/make_measurements.py
"""

from __future__ import annotations

import random
from pathlib import Path

UPTAKE, LOSS, TURNOVER, REPRESS, SD = 2.0, 0.02, 0.05, 0.2, 0.04
DOSES = {"mock": 0.0, "low": 0.3, "high": 1.0}
TIMES, REPLICATES, STEP = (6, 12, 24, 48, 72), 3, 0.01


def slope(y: list[float]) -> list[float]:
    medium, loaded, reporter = y
    return [
        -UPTAKE * medium,
        UPTAKE * medium - LOSS * loaded,
        TURNOVER - (TURNOVER + REPRESS * loaded) * reporter,
    ]


def step(y: list[float]) -> list[float]:
    def along(k: list[float], h: float) -> list[float]:
        return [a + h * b for a, b in zip(y, k, strict=True)]

    k1 = slope(y)
    k2 = slope(along(k1, STEP / 2))
    k3 = slope(along(k2, STEP / 2))
    k4 = slope(along(k3, STEP))
    return [a + STEP / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(y, k1, k2, k3, k4, strict=True)]


def main() -> None:
    rng = random.Random(34)
    lines = ["observableId\tsimulationConditionId\ttime\tmeasurement\treplicateId"]
    for condition, dose in DOSES.items():
        y, done = [dose, 0.0, 1.0], 0
        for time in TIMES:
            while done < round(time / STEP):
                y, done = step(y), done + 1
            lines += [
                f"light\t{condition}\t{time}\t{y[2] + rng.gauss(0.0, SD):.4f}\tr{k + 1}" for k in range(REPLICATES)
            ]
    Path(__file__).with_name("measurements.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
