"""Makes blood/: courses of blood counts from libRoadRunner, on SBML of the equations of `senexo.engine.blood`.

    python tests/oracles/make_blood.py

The equations are written here again, as Antimony; exposure and normal share are states that move linearly, with jumps
and bends at events, so that no step of CVODE goes over one. senexo takes no part in it.
"""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import antimony
import numpy as np
import roadrunner

FOLDER = Path(__file__).with_name("blood")
Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Case:
    """Constants (G/L, 1/h), and the knots (hour, value) of exposure and normal share; an hour twice is a jump."""

    baseline: float
    transit: float
    loss: float
    feedback: float
    slope: float
    exposure: Knots
    share: Knots


FLAT: Knots = ((0.0, 1.0), (1000.0, 1.0))
WEEK: Knots = ((0.0, 0.0), (24.0, 0.0), (24.0, 0.3), (192.0, 0.3), (192.0, 0.0), (1000.0, 0.0))
CASES = {
    "neutrophils_infusion": Case(2.8, 0.236 / 24, 2.3765 / 24, 0.651, 5.0, WEEK, FLAT),
    "platelets_infusion": Case(250.0, 0.615 / 24, 0.615 / 24, 0.2, 3.0, WEEK, FLAT),
    "friberg_ramps": Case(5.05, 4 / 88.7, 4 / 88.7, 0.161, 0.8, (
        (0.0, 0.0), (30.0, 2.0), (75.0, 0.5), (75.0, 4.0), (200.0, 0.0), (1000.0, 0.0)), FLAT),
    "leukaemia_grows": Case(2.8, 0.236 / 24, 2.3765 / 24, 0.651, 0.0, ((0.0, 0.0), (1000.0, 0.0)), (
        (0.0, 1.0), (600.0, 0.05), (1000.0, 0.05))),
    "leukaemia_treated": Case(2.8, 0.236 / 24, 2.3765 / 24, 0.651, 4.0, WEEK, (
        (0.0, 0.15), (24.0, 0.15), (192.0, 0.98), (1000.0, 0.98))),
}  # fmt: skip


def moving(name: str, knots: Knots) -> str:
    """A state that goes through the knots."""
    begin, lines = f"{name} = {knots[0][1]!r}; {name}_rate = 0; {name}' = {name}_rate;", []
    for (t, a), (u, b) in itertools.pairwise(knots):
        rate = (b - a) / (u - t) if u > t else None
        if t == 0.0:
            begin = begin.replace("_rate = 0;", f"_rate = {rate!r};", 1)
        elif rate is not None:
            lines.append(f"at time >= {t!r}: {name} = {a!r}, {name}_rate = {rate!r};")
    return "\n".join([begin, *lines])


def sbml(case: Case) -> str:
    """Level 3 SBML of a case."""
    circulating = case.baseline * case.share[0][1] ** (1 / case.feedback)
    before = case.loss * circulating / case.transit
    text = f"""
    model blood()
      B = {case.baseline!r}; ktr = {case.transit!r}; kout = {case.loss!r};
      answer = {case.feedback!r}; s = {case.slope!r};
      {moving("E", case.exposure)}
      {moving("N", case.share)}
      f := (1 - s * ln(1 + E)) * N;
      P' = ktr * P * (f * (B / C)^answer - 1);
      T1' = ktr * (P - T1); T2' = ktr * (T1 - T2); T3' = ktr * (T2 - T3);
      C' = ktr * T3 - kout * C;
      P = {before!r}; T1 = {before!r}; T2 = {before!r}; T3 = {before!r}; C = {circulating!r};
    end
    """
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise ValueError(antimony.getLastError())
    return str(antimony.getSBMLString("blood"))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, case in CASES.items():
        model = roadrunner.RoadRunner(sbml(case))
        model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-12, 1e-16
        model.integrator.maximum_num_steps = 500_000
        model.timeCourseSelections = ["time", "P", "T1", "T2", "T3", "C"]
        table = np.array(model.simulate(times=np.arange(0.0, 1001.0, 25.0).tolist()))
        with (FOLDER / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["time_h", "P", "T1", "T2", "T3", "C"])
            writer.writerows([[f"{value:.12g}" for value in row] for row in table])
    index = {
        "made_by": {"libRoadRunner": roadrunner.__version__},
        "cases": {name: asdict(case) for name, case in CASES.items()},
    }
    (FOLDER / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
