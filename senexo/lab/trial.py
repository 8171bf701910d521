"""How long a run will take, from a short trial: some units of the study are simulated, and results made of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from senexo.base.errors import SenexoError
from senexo.base.store import Store
from senexo.base.streams import generator
from senexo.lab import ensemble, first_hours, provenance
from senexo.lab.claim import null
from senexo.lab.experiment import Arrays, World
from senexo.lab.results import as_json, write_results

if TYPE_CHECKING:
    from senexo.lab.experiment import Experiment, Unit

SIMULATED_S = 15.0  # of wall time in which units are begun
FEWEST = 6  # units, however long they take
LONGEST_S = 10.0  # that a unit may take; else only its first hours are simulated
TABULATED = 96  # wells of which results are made
Render = Callable[[Path], Any]


@dataclass(frozen=True, slots=True)
class _Timed:
    """Seconds of one unit: for what it shares with others (`Experiment.prepare`), by itself, and to store it."""

    shared: float
    own: float
    stored: float = 0.0


def run_time(experiment: Experiment, workers: int, *, render: Render) -> float:
    """Seconds of wall time for a whole run: compiling, units, tables, assays, claim and report.

    Parameters
    ----------
    experiment
        The experiment; it is compiled here.
    workers
        Processes of the run. The trial has one thread, as each of them has.
    render
        Draws the report of a result folder.

    Notes
    -----
    Results of the trial are in a temporary directory of the system (`TMPDIR`), which is removed at the end, after an
    error and after Ctrl-C.
    """
    begun = time.monotonic()
    experiment.compile()
    compiled = time.monotonic() - begun
    work = [*experiment.units(), *null.units(experiment)]
    part = first_hours.first_hours(experiment, work[0], LONGEST_S)
    with (
        TemporaryDirectory(prefix="senexo-trial-") as place,
        Store(Path(place), {}, resume=False) as store,
    ):
        timed = _simulated(part, _sample(work), store)
        # a claim reads hours that may come after the first ones: judging it is then left out
        judged = experiment if part.experiment is experiment else _changed(part.experiment, {"claim": None})
        concluded = _concluded(judged, list(timed), store, render)
    return compiled + _of_units(experiment, work, timed, workers) + concluded


def _sample(work: Sequence[Unit]) -> Iterator[Unit]:
    """Units in a random order that is always the same, one of every world first, until the time is over."""
    order = [work[place] for place in generator(0, "trial").permutation(len(work))]
    first = list({unit.world: unit for unit in reversed(order)}.values())
    begun = time.monotonic()
    for number, unit in enumerate([*first, *(unit for unit in order if unit not in first)]):
        if number >= FEWEST and time.monotonic() - begun > SIMULATED_S:
            return
        yield unit


def _simulated(part: first_hours.FirstHours, sample: Iterator[Unit], store: Store) -> dict[Unit, _Timed]:
    """The times of a sample of units, which are left in the store."""
    found: dict[Unit, _Timed] = {}

    def work(unit: Unit, cancelled: Callable[[], bool]) -> tuple[_Timed, Arrays]:
        shared, own, arrays = first_hours.timed(part.experiment, unit, cancelled)
        return _Timed(shared * part.shared, own * part.own), arrays

    def keep(unit: Unit, result: tuple[_Timed, Arrays]) -> None:
        begun = time.monotonic()
        store.put(unit.chunk, result[1])
        found[unit] = _Timed(result[0].shared, result[0].own, time.monotonic() - begun)

    ensemble.each(sample, work, keep, workers=1)
    return found


def _of_units(experiment: Experiment, work: Sequence[Unit], timed: Mapping[Unit, _Timed], workers: int) -> float:
    """Seconds for all units, world by world: the mean of those timed, and what is shared once for each of its keys."""
    simulated, stored = 0.0, 0.0
    for world in World:
        all_of, seen = ([unit for unit in units if unit.world is world] for units in (work, timed))
        if all_of:
            keys, known = ({experiment.preparation(unit) for unit in units} for units in (all_of, seen))
            simulated += sum(timed[unit].shared for unit in seen) / len(known) * len(keys)
            simulated += sum(timed[unit].own for unit in seen) / len(seen) * len(all_of)
            stored += sum(timed[unit].stored for unit in seen) / len(seen) * len(all_of)
    return simulated / min(workers, len(work)) + stored


def _concluded(experiment: Experiment, sample: Sequence[Unit], store: Store, render: Render) -> float:
    """Seconds for tables, assays, claim and report, from results of few donors and of fewer.

    The units of these donors are made up of the sampled ones, over and over: what is computed of them takes its time
    and is thrown away.
    """
    study = experiment.study
    many = max(1, min(study.donors.n, TABULATED // len(study.arms)))
    few = max(1, many // 4)
    times = [_results_time(_of_donors(experiment, donors), sample, store) for donors in (few, many)]
    begun = time.monotonic()
    with suppress(SenexoError, OSError, ValueError):  # where the results before could not be made
        render(store.folder)
    report = time.monotonic() - begun
    slope = (times[1] - times[0]) / (many - few) if many > few else 0.0
    return times[1] + max(0.0, slope) * (study.donors.n - many) + report


def _of_donors(experiment: Experiment, donors: int) -> Experiment:
    """The same experiment with another number of donors."""
    return _changed(experiment, {"donors": experiment.study.donors.model_copy(update={"n": donors})})


def _changed(experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    return experiment.of_study(experiment.study.model_copy(update=changes))


def _results_time(experiment: Experiment, sample: Sequence[Unit], store: Store) -> float:
    """Seconds for the results of an experiment, each of whose units is one of the sampled ones of its world."""
    by_world = {world: [unit.chunk for unit in sample if unit.world is world] for world in World}
    units = [*experiment.units(), *null.units(experiment)]
    stands_for = {
        unit.chunk: by_world[unit.world][number % len(by_world[unit.world])] for number, unit in enumerate(units)
    }

    def get(chunk: str) -> Arrays:
        return store.get(stands_for[chunk])

    begun = time.monotonic()
    with suppress(SenexoError):  # an assay may refuse these made-up donors; what was done until then counts
        tables = write_results(experiment, experiment.units(), store, get)
        cautions = experiment.cautions(tables)
        record = provenance.record(experiment, store.digest(), seconds=0.0, workers=1, cautions=cautions)
        store.write("run.json", as_json(record))
        store.write("study.resolved.toml", experiment.study.to_toml().encode())
    return time.monotonic() - begun
