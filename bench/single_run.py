"""One deterministic run by `senexo.simulate` against libRoadRunner (CVODE): the distribution of ratios of CPU time.

Models: the nine of `../shared/data/biomodels`, one in five of the semantic test suite's cases 1 to 1,000, and synthetic
networks of 10 to 1,000 species. Whole calls with the labelled result, warm (the model loaded, called once before), in
turn, on one thread; the least of `ROUNDS`. libRoadRunner at its defaults (relative 1e-6, absolute 1e-12) and at the
rtol of senexo, 1e-8. Loading: time of `senexo.load` over that of `RoadRunner(file)`, by the clock: senexo reads in
a child process; each file once, in a process that has loaded another (libRoadRunner keeps the code of a model that is
held). Models that libRoadRunner does not run (delays, algebraic rules) are counted, with senexo's CPU time.
`python -m bench single_run`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import senexo
from senexo.base.errors import SenexoError
from verify.biomodels import CASES
from verify.semantic import ARCHIVE, cases

ROUNDS = 3
EVERY = 5  # of the suite's cases
SIZES = (10, 100, 300, 1000)
SLOWEST = 10  # that are printed by name


@dataclass(frozen=True, slots=True)
class Ratios:
    """CPU time of a run over libRoadRunner's at its defaults and at rtol 1e-8, and of loading (by the clock)."""

    name: str
    loose: float
    strict: float
    load: float


class Calls:
    """What is called of libRoadRunner, taken before any model is loaded.

    Its class gets a property for each id of a model, and one named "reset" hides the method. A plain reset leaves
    parameters as events have set them.
    """

    def __init__(self) -> None:
        from roadrunner import RoadRunner, SelectionRecord

        self.load, self.simulate, self._reset = RoadRunner, RoadRunner.simulate, RoadRunner.reset
        self._all = SelectionRecord.ALL
        self.integrator, self._model = RoadRunner.getIntegrator, RoadRunner.getModel

    def reset(self, one: Any) -> None:
        """To the state in which the file was loaded."""
        self._reset(one, self._all)

    def end(self, one: Any) -> list[float]:
        """All values at the end of a run."""
        model = self._model(one)
        return [*model.getFloatingSpeciesAmounts(), *model.getGlobalParameterValues(), *model.getCompartmentVolumes()]


def models() -> Iterator[tuple[str, str, str, float, int]]:
    """Group, name, SBML text, end of the run, number of outputs."""
    for case in CASES:
        yield "biomodels", case.file.stem, case.file.read_text(encoding="utf-8"), float(case.end), 201
    names = {f"{number:05d}" for number in range(1, 1001, EVERY)}
    for one in cases(ARCHIVE, names):
        if one.times[0] == 0.0 and one.times[-1] > 0.0:
            text = one.model.read_text(encoding="utf-8")
            yield "semantic", one.name, text, float(one.times[-1]), len(one.times)
    import antimony

    for make in (ring, chain, oscillators, events):
        for n in SIZES:
            antimony.clearPreviousLoads()
            assert antimony.loadAntimonyString(make(n)) >= 0, antimony.getLastError()
            yield "synthetic", f"{make.__name__} {n}", antimony.getSBMLString(None), 50.0, 101


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


def events(n: int) -> str:
    """Pools with inflow and decay; each is halved whenever it reaches its own threshold."""
    parts = [
        f"X{k} = 0; -> X{k}; 1 + 0.1*{k % 7}; X{k} -> ; 0.05*X{k}; E{k}: at X{k} > {8 + k % 5}: X{k} = X{k}/2;"
        for k in range(n)
    ]
    return "\n".join(parts)


def timed(program: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[Any, float]:
    """What it gives, and the time that it took."""
    begin = clock()
    return program(), clock() - begin


def least(program: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """The least time of some calls, after one that does not count."""
    program()
    taken = []
    for _ in range(ROUNDS):
        begin = clock()
        program()
        taken.append(clock() - begin)
    return min(taken)


def ratios(name: str, file: Path, end: float, points: int, calls: Calls) -> Ratios | float:
    """The ratios of one model, or senexo's CPU time (s) where libRoadRunner does not run it."""
    model, to_load = timed(lambda: senexo.load(file), time.perf_counter)
    times = np.linspace(0.0, end, points)
    ours = least(lambda: senexo.simulate(model, times))
    try:
        theirs, to_load_theirs = timed(lambda: calls.load(str(file)), time.perf_counter)
        _, once = timed(lambda: calls.simulate(theirs, 0, end, points))
    except RuntimeError:
        return ours

    def run_theirs() -> None:
        calls.reset(theirs)
        calls.simulate(theirs, 0, end, points)

    load, first = to_load / to_load_theirs, calls.end(theirs)
    run_theirs()
    if not np.allclose(calls.end(theirs), first, rtol=0.2, equal_nan=True):  # it did not start again as it was
        return Ratios(name, ours / once, ours / once, load)
    loose = least(run_theirs)
    calls.integrator(theirs).setValue("relative_tolerance", 1e-8)
    return Ratios(name, ours / loose, ours / least(run_theirs), load)


def print_group(group: str, found: list[Ratios]) -> None:
    """Median, 90 % and largest ratio of each kind."""
    kinds = {
        "libRoadRunner at its defaults": [one.loose for one in found],
        "libRoadRunner at rtol 1e-8": [one.strict for one in found],
        "loading": [one.load for one in found],
    }
    for kind, values in kinds.items():
        print(f"{group:<10}{len(values):4d} models, {kind:<30}median {statistics.median(values):5.1f}  "
              f"90 % {float(np.quantile(values, 0.9)):6.1f}  largest {max(values):7.1f}")  # fmt: skip


def main() -> None:
    """Print the distribution of the ratios in each group, and the slowest models."""
    import tempfile

    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_CRITICAL)
    found: dict[str, list[Ratios]] = {}
    alone: dict[str, float] = {}
    refused: list[str] = []
    calls = Calls()
    senexo.load(CASES[-1].file)
    calls.load(str(CASES[-1].file))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.xml"
        for group, name, text, end, points in models():
            file.write_text(text, encoding="utf-8")
            try:
                one = ratios(name, file, end, points, calls)
            except SenexoError as why:
                refused.append(f"{name} ({type(why).__name__})")
                continue
            if isinstance(one, Ratios):
                found.setdefault(group, []).append(one)
            else:
                alone[name] = one
    everything = [one for group in found.values() for one in group]
    for group, values in [*found.items(), ("all", everything)]:
        print_group(group, values)
    for one in sorted(everything, key=lambda one: -one.loose)[:SLOWEST]:
        print(f"{one.name:<20} {one.loose:6.1f} (rtol 1e-8: {one.strict:.1f}, loading {one.load:.1f})")
    if alone:
        taken = [1e3 * seconds for seconds in alone.values()]
        print(f"{len(alone)} models that libRoadRunner does not run: ", end="")
        print(f"median {statistics.median(taken):.1f} ms, largest {max(taken):.1f} ms")
    print(f"{len(refused)} models that senexo refuses: {', '.join(refused)}")


if __name__ == "__main__":
    main()
