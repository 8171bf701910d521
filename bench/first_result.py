"""From a cold process to the first labelled result: import, load, one exact trajectory of the reference network.

"cold" starts from an empty folder for machine code, so kernels are compiled; "cached" finds them. Beside it the same
work by libRoadRunner in a fresh process. Medians of `ROUNDS` in turn; the cold start is measured once per round too.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from senexo.model.loading import load

MODEL = Path(__file__).with_name("reference.ant")
ROUNDS = 3
AIMS = {"cold": 2.5, "cached": 1.0}

OURS = """
import sys, senexo
found = senexo.simulate(senexo.load(sys.argv[1]), range(73), method="ssa", seed=1)
assert found["miR"].sizes == {"run": 1, "time": 73} and float(found["miR"][0, 0]) == 400
"""
THEIRS = """
import sys, roadrunner
model = roadrunner.RoadRunner(sys.argv[1])
model.setIntegrator("gillespie")
found = model.simulate(0, 72, 73)
assert found.shape[0] == 73
"""


def seconds(program: str, model: Path, cache: Path) -> float:
    begin = time.perf_counter()
    environment = {**os.environ, "SENEXO_CACHE": str(cache), "NUMBA_CACHE_DIR": str(cache)}
    subprocess.run([sys.executable, "-c", program, str(model)], check=True, env=environment)
    return time.perf_counter() - begin


def main() -> None:
    """Print seconds and the ratio to libRoadRunner."""
    taken: dict[str, list[float]] = {"cold": [], "cached": [], "libRoadRunner": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sbml = folder / "reference.xml"
        sbml.write_text(load(MODEL).to_sbml(), encoding="utf-8")
        for number in range(ROUNDS):
            cache = folder / f"cache{number}"
            cache.mkdir(mode=0o700)
            taken["cold"].append(seconds(OURS, sbml, cache))
            taken["cached"].append(seconds(OURS, sbml, cache))
            taken["libRoadRunner"].append(seconds(THEIRS, sbml, cache))
    for row, values in taken.items():
        aim = f" (aim {AIMS[row]} s)" if row in AIMS else ""
        ratio = statistics.median(values) / statistics.median(taken["libRoadRunner"])
        print(f"first result, {row:<14} {statistics.median(values):6.2f} s  {ratio:5.1f} x libRoadRunner{aim}")
