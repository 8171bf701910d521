"""The virtual instruments: from the tables of a run, the bench table of every assay that a study can request.

One function per assay: (options of the request, run) -> the tables that the assay reads, each with the keyword
arguments of its function. A new assay is a function here and its line in `INSTRUMENTS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd

from senexo.assays.cautions import run_assay
from senexo.assays.result import AssayResult, Finding
from senexo.assays.specs import SPECS
from senexo.base.errors import Fault, InvalidInput, UnsupportedFeature
from senexo.lab.coupled import assayed

if TYPE_CHECKING:
    from senexo.study.schema import AssayRequest, Replicates

Options = Mapping[str, Any]
ARRESTED = "arrested cells (off for 72 h, or committed)"


@dataclass(frozen=True, slots=True)
class Run:
    """What the instruments read of a run.

    families: of coupled cells, each type -> its names, with those of its cells that changed without a division.
    """

    tables: Mapping[str, pd.DataFrame]
    replicates: Replicates
    seed: int
    families: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A table of the bench, and the keyword arguments with which its assay is called."""

    table: pd.DataFrame
    options: dict[str, Any]


class NotTestable(AssayResult):
    """The result of an assay that cannot analyse the tables of a run: one finding that states why."""

    def figure(self) -> NoReturn:
        """Raises UnsupportedFeature: there is nothing to draw."""
        raise UnsupportedFeature("a figure of an assay that was not testable", self.sentence)


def results(request: AssayRequest, run: Run) -> list[AssayResult]:
    """The assay's result on every reading of its instrument.

    An assay can refuse the tables of a run (no cell divided, a well was resampled). The simulation is then complete and
    its other results stand: the refusal becomes a finding, not an error.
    """
    if request.name not in INSTRUMENTS:
        raise AssertionError(f"no instrument reads the assay {request.name!r}: give it one in INSTRUMENTS")
    try:
        readings = INSTRUMENTS[request.name](request.options, run)
    except InvalidInput as error:
        return [_not_testable(request, request.options, error)]
    found: list[AssayResult] = []
    for reading in readings:
        try:
            found.append(run_assay(SPECS[request.name], reading.table, **reading.options))
        except InvalidInput as error:
            found.append(_not_testable(request, reading.options, error))
    return found


def _not_testable(request: AssayRequest, options: Options, error: InvalidInput) -> NotTestable:
    parameters = inspect.signature(SPECS[request.name].function).parameters.values()
    defaults = {one.name: one.default for one in parameters if one.default is not one.empty}
    why = "; ".join(str(fault) for fault in error.faults)
    sentence = f"Not testable, because the assay cannot read this run: {why}."
    settings = {**defaults, **options}
    id = ":".join([*([str(settings["readout"])] if "readout" in settings else []), "refused"])
    finding = Finding(request.name, id, sentence, None, None, None, "", None, "not testable")
    return NotTestable(request.name, "", settings, (finding,), {})


def _stained(options: Options, run: Run) -> list[Reading]:
    """Stained cells; and arrested cells, where the model has an arrest rule."""
    found = [Reading(run.tables["senescence"], dict(options))]
    if "arrest" in run.tables:
        own = {"readout": "arrested", "label": ARRESTED, **options}
        found.append(Reading(run.tables["arrest"], own))
    return found


def _cycles(options: Options, run: Run) -> list[Reading]:
    # of a well without signal it is known that it held less than a copy, not that it lies beyond the last cycle
    noise = run.replicates
    limit = min(noise.ct_cutoff, noise.ct_one_copy + 3.0 * noise.ct_sd)
    return [Reading(run.tables["qpcr"], {"cutoff": limit, "efficiency": noise.efficiency, **options})]


def _followed(options: Options, run: Run) -> list[Reading]:
    """First fates; a fate that was asked for and happened to no cell is a category without a row."""
    own, types = _split(options, "cell_type")
    table = assayed.followed(run.tables, run.families.get(types["cell_type"], ()))
    names = [*table["fate"], *(own.get("cause") or ())]
    table["fate"] = table["fate"].astype(pd.CategoricalDtype(list(dict.fromkeys(names))))
    return [Reading(table, {"censored": assayed.CENSORED, **own})]


def _founded(options: Options, run: Run) -> list[Reading]:
    own, read = _split(options, "cell_type", "min_colony_size")
    table = assayed.founded(run.tables, run.families.get(read["cell_type"], ()), read["min_colony_size"])
    return [Reading(table, own)]


def _moved(options: Options, run: Run) -> list[Reading]:
    own, read = _split(options, "from", "to", "what", "medium")
    places = run.families[read["from"]], run.families[read["to"]]
    return [Reading(assayed.moved(run.tables, *places, read["what"], read["medium"]), own)]


def _tracked(options: Options, run: Run) -> list[Reading]:
    own, read = _split(options, "what", "cells_per_ml", "reading_cv", "time_h")
    table = assayed.tracked(
        run.tables, read["what"], read["cells_per_ml"], read["reading_cv"], read["time_h"], run.seed
    )
    return [Reading(table, own)]


def _survival(options: Options, run: Run) -> list[Reading]:
    """Deaths of mice or patients, or relapses of patients."""
    if "patients" not in run.tables:
        return _mice(_split(options, "world", "relapse")[0], run)
    own, read = _split(options, "world", "relapse", "arm")
    table, chosen = _cohort(run, own, read)
    if read["relapse"]:
        in_remission = table[table["remission"] == 1]
        times = {"time": "remission_days", "event": "relapse", "competing": "death_in_remission"}
        return [Reading(in_remission.reset_index(drop=True), {**times, "unit": "days", **chosen})]
    return [Reading(table, {"time": "days", "event": "dead", "unit": "days", **chosen})]


def _responded(options: Options, run: Run) -> list[Reading]:
    """Remissions of patients."""
    own, read = _split(options, "world", "arm")
    table, chosen = _cohort(run, own, read)
    return [Reading(table, {"response": "remission", **chosen})]


def _cohort(run: Run, own: Options, read: Options) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The cohort of one world: of one arm where levels are asked for, else of all, whose patients are the same.

    The arms have the same patients; they are compared as the groups of a trial, which is conservative.
    """
    table = run.tables["patients"]
    world = read["world"] or 1
    if world not in set(table["donor"]):
        raise InvalidInput([Fault("world", str(world), f"a donor of the run, 1 to {table['donor'].max()}")])
    table = table[table["donor"] == world]
    if not own.get("value"):
        labels = table["arm"] + ", patient " + table["patient"].astype(str)
        return table.assign(patient=labels).reset_index(drop=True), {"group": "arm", **own}
    arm = read["arm"] or table["arm"].iloc[0]
    unknown = sorted({*own["value"], *(own.get("adjust") or ())} - {*table.columns})
    if unknown:
        raise InvalidInput([Fault("patients", ", ".join(unknown), f"columns of patients ({', '.join(table.columns)})")])
    chosen = {key: value for key, value in own.items() if key != "control"}
    return table[table["arm"] == arm].reset_index(drop=True), chosen


def _mice(options: Options, run: Run) -> list[Reading]:
    """Deaths of mice; mice of one sample are no independent ones, so that samples are strata."""
    own = {"time": "days", "event": "dead", "group": "arm", "strata": ["donor"], "unit": "days", **options}
    named = run.tables["mice"]
    labels = (f"{row.arm}, sample {row.donor}, {row.mouse}" for row in named[["arm", "donor", "mouse"]].itertuples())
    return [Reading(named.assign(mouse=list(labels)), own)]  # a mouse is one of its arm and sample


def _secondary(options: Options, run: Run) -> list[Reading]:
    """The plate of secondary mice, of one sample or of all."""
    own, read = _split(options, "donor")
    plate = run.tables.get("secondary")
    if plate is not None and read["donor"] is not None:
        plate = plate[plate["donor"] == read["donor"]]
    if plate is None or plate.empty:
        raise InvalidInput([Fault("secondary mice", "no dose for which cells were left", "marrow with human cells")])
    return [Reading(plate.reset_index(drop=True), {"group": "arm", **own})]


def _split(options: Options, *names: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The assay's own options, and those of the instrument by name (None where not given)."""
    return {key: value for key, value in options.items() if key not in names}, {key: options.get(key) for key in names}


INSTRUMENTS: Mapping[str, Callable[[Options, Run], list[Reading]]] = {
    "senescence": _stained,
    "qpcr": _cycles,
    "fates": _followed,
    "colonies": _founded,
    "balance": _moved,
    "particles": _tracked,
    "survival": _survival,
    "dilution": _secondary,
    "response": _responded,
}
