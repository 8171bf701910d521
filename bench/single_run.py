"""One deterministic run by `senexo.simulate` against libRoadRunner (CVODE): the distribution of ratios of CPU time.

Models: the nine of `../shared/data/biomodels`, cases of the semantic test suite, and synthetic networks. Whole calls
with the labelled result, warm (the model loaded, called once before), in turn, on one thread; the least of `ROUNDS`.
libRoadRunner at its defaults (relative 1e-6, absolute 1e-12) and at senexo's rtol, 1e-8. Models that libRoadRunner does
not run are left out and counted. `python -m bench single_run`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import senexo
from verify.biomodels import CASES
from verify.semantic import ARCHIVE, cases

ROUNDS = 3
EVERY = 25  # of the suite's cases
SIZES = (10, 100, 300)


def models() -> Iterator[tuple[str, str, float, int]]:
    """Group, SBML text, end of the run, number of outputs."""
    for case in CASES:
        yield "biomodels", case.file.read_text(), float(case.end), 201
    names = {f"{number:05d}" for number in range(1, 1001, EVERY)}
    for one in cases(ARCHIVE, names):
        if one.times[0] == 0.0 and one.times[-1] > 0.0:
            yield "semantic", one.model.read_text(), float(one.times[-1]), len(one.times)
    import antimony

    for n in SIZES:
        for text in (ring(n), chain(n), oscillators(n)):
            antimony.clearPreviousLoads()
            assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
            yield "synthetic", antimony.getSBMLString(None), 50.0, 101


def ring(n: int) -> str:
    """Conversions around a ring."""
    laws = [f"X{k} -> X{(k + 1) % n}; {0.5 + k % 7}*X{k};" for k in range(n)]
    return "\n".join(["X0 = 100;", *(f"X{k} = 0;" for k in range(1, n)), *laws])


def chain(n: int) -> str:
    """A cascade of saturated activations, each with decay."""
    laws = [f"-> X{k}; 2*X{k - 1}/(1 + X{k - 1}); X{k} -> ; 0.7*X{k};" for k in range(1, n)]
    return "\n".join(["X0 = 1;", *(f"X{k} = 0;" for k in range(1, n)), *laws])


def oscillators(n: int) -> str:
    """Brusselators, two species each, that do not meet."""
    parts = [
        f"U{k} = 1; V{k} = 1; -> U{k}; 1 + 0.01*{k % 9}; U{k} -> V{k}; 3*U{k}; V{k} -> U{k}; U{k}^2*V{k};"
        f" U{k} -> ; U{k};"
        for k in range(n // 2)
    ]
    return "\n".join(parts)


def least(program: Callable[[], object]) -> float:
    """The least CPU time of some calls, after one that does not count."""
    program()
    taken = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        program()
        taken.append(time.process_time() - begin)
    return min(taken)


def ratios(text: str, end: float, points: int, folder: Path) -> tuple[float, float] | None:
    """CPU time over libRoadRunner's at its defaults, and at rtol 1e-8; None where that cannot run the model."""
    import roadrunner

    file = folder / "model.xml"
    file.write_text(text, encoding="utf-8")
    try:
        theirs = roadrunner.RoadRunner(str(file))
        theirs.simulate(0, end, points)
    except RuntimeError:
        return None
    model, times = senexo.load(file), np.linspace(0.0, end, points)

    def run_theirs() -> None:
        theirs.reset()
        theirs.simulate(0, end, points)

    ours, loose = least(lambda: senexo.simulate(model, times)), least(run_theirs)
    theirs.integrator.relative_tolerance = 1e-8
    return ours / loose, ours / least(run_theirs)


def main() -> None:
    """Print median, 90 % and largest ratio of each group."""
    import tempfile

    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_CRITICAL)
    found: dict[str, list[tuple[float, float]]] = {}
    left_out = 0
    with tempfile.TemporaryDirectory() as folder:
        for group, text, end, points in models():
            pair = ratios(text, end, points, Path(folder))
            if pair is None:
                left_out += 1
            else:
                found.setdefault(group, []).append(pair)
                found.setdefault("all", []).append(pair)
    for group, pairs in found.items():
        for name, values in zip(("its defaults", "rtol 1e-8"), zip(*pairs, strict=True), strict=True):
            high = float(np.quantile(values, 0.9))
            middle, highest = statistics.median(values), max(values)
            print(f"{group:<10}{len(values):4d} models, libRoadRunner at {name:<13}"
                  f"median {middle:5.1f}  90 % {high:6.1f}  largest {highest:7.1f}")  # fmt: skip
    print(f"{left_out} models that libRoadRunner does not run")


if __name__ == "__main__":
    main()
