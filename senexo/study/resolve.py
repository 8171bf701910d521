"""From the short human form of a study to its resolved form: defaults, lookups and all checks, all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from senexo.base.errors import InvalidInput
from senexo.base.units import shown
from senexo.study import worlds
from senexo.study.arms import read_arms
from senexo.study.assays import read_assays
from senexo.study.claims import Vocabulary
from senexo.study.cohort import read_cohort
from senexo.study.culture import check_stop, read_culture, refuse_lost, window_check_wells
from senexo.study.cursor import Cursor
from senexo.study.donors import read_cells, read_donors
from senexo.study.evidence import read_candidates, read_evidence
from senexo.study.form.file import StudyFile
from senexo.study.mouse import read_mouse, read_secondary
from senexo.study.names import ModelNames, names_of, of_types
from senexo.study.requests import read_claim, read_readouts, read_replicates
from senexo.study.schema import CellType, Study
from senexo.study.structure import in_file_order, read_form
from senexo.study.targets import with_targets
from senexo.study.verbs import Into
from senexo.study.wells import types_in
from senexo.study.worlds import AS_IT_STANDS


def resolve(raw: Mapping[str, Any], *, where: str = "study", folder: str | Path = ".") -> Study:
    """The complete form of a study.

    Parameters
    ----------
    raw
        The nested tables of a study file.
    where
        What messages call the file.
    folder
        What the paths in the file are relative to.

    Raises
    ------
    InvalidInput
        With every fault of the file, each with its place: keys, types, units, and names that the model does not know.

    Examples
    --------
    >>> resolve({"title": "t"})  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    senexo.base.errors.InvalidInput: study: model: found nothing, expected this table
    """
    return resolve_worlds(raw, where=where, folder=folder)[AS_IT_STANDS]


def resolve_worlds(raw: Mapping[str, Any], *, where: str = "study", folder: str | Path = ".") -> dict[str, Study]:
    """The complete form of a study as it stands (the first entry), and in each of its named worlds.

    Raises InvalidInput as `resolve` does; faults that only a world has are those of its tables in that world.
    """
    study = _as_it_stands(raw, where, folder)
    found = {AS_IT_STANDS: study}
    faults = [*worlds.unknown_arms(raw, study.worlds, where), *worlds.wrongly_anew(study, where)]
    if study.worlds and not faults:
        own = worlds.departing(raw, study, _as_it_stands(worlds.without_draws(raw), where, folder))
        for name, world in study.worlds.items():
            try:
                there = _as_it_stands(worlds.tables_in(raw, world, own), f"{where}, in worlds.{name}", folder)
            except InvalidInput as error:
                faults += error.faults
                continue
            arms = {arm: treated.cut(world.cuts) for arm, treated in there.arms.items()}
            there = there.model_copy(update={"arms": arms})
            found[name] = worlds.drawn_anew(there, world.written.get("anew", ()))
    if faults:
        raise InvalidInput(faults)
    return found


def _as_it_stands(raw: Mapping[str, Any], where: str, folder: str | Path) -> Study:
    """A study whose worlds have been read but not resolved."""
    form, top, notices = read_form(raw, where)
    study = None if form is None else _resolved(form, top, Path(folder))
    if top.faults or study is None:
        raise InvalidInput(in_file_order(top.faults, top))
    return study.model_copy(update={"notices": tuple(notices)})


def _resolved(form: StudyFile, top: Cursor, folder: Path) -> Study | None:
    """The second pass: everything that needs the model, or another part of the file."""
    names = None
    if form.model is not None:
        names = names_of(form.model, top.at("model"), folder)
        if names is not None:
            names = with_targets(names, form.model, top.at("model"), folder)
    cells = read_cells(form.cells, top.at("cells"), names)
    _refuse_several_types(cells, top.at("cells"), names)
    culture = None if form.culture is None else read_culture(form.culture, top.at("culture"), names)
    end = culture.duration_h if culture else None
    varying = {name for kind in cells.values() for name in kind.variation}
    drawn = names if names is None or form.cells is None else of_types(names, form.cells)
    donors = read_donors(form.donors, top.at("donors"), drawn, varying)
    of_donors = names if names is None or donors is None else replace(names, draws={**names.draws, **donors.draws})
    treated = form.mouse is not None and (form.mouse.treated_from is not None or form.mouse.treated_from_h is not None)
    into = Into("mouse" if treated else None, folder)
    arms = read_arms(form.arms or {}, top.at("arms"), of_donors, end, list(form.cells or ()), into)
    mouse = read_mouse(form.mouse, top.at("mouse"), arms, end, names)
    secondary = read_secondary(form.secondary, top.at("secondary"), mouse, list(arms), has_mice="mouse" in top)
    cohort = read_cohort(form.cohort, top.at("cohort"), names, has_mice="mouse" in top)
    readouts, reads = read_readouts(form.readouts, top.at("readouts"), names, end)
    kinds = types_in(arms, form.cells or ())
    if form.culture is not None and culture is not None:
        place = top.at("culture")
        refuse_lost(top, arms, culture)
        check_stop(form.culture.stop_when, place.at("stop_when"), reads, kinds, names)
        wells = None if donors is None or top.at("arms").has_fault() else len(arms) * donors.n
        again = window_check_wells(form.culture.window_check_wells, place.at("window_check_wells"), culture, wells)
        culture = culture.model_copy(update={"stop_when": form.culture.stop_when, "window_check_wells": again})
    replicates = read_replicates(form.replicates, top.at("replicates"))
    references = list(replicates.reference_copies) if replicates else []
    hosts = [table for table in ("mouse", "secondary", "cohort") if table in top]
    assays = read_assays(form.assays or [], top.at("assays"), arms, reads, names, references, kinds, hosts=hosts)
    times = None if mouse is None else mouse.times_h
    times = times if cohort is None else cohort.reads_h
    claim = None if form.claim is None else read_claim(form.claim, top.at("claim"), arms, reads, kinds, names, times)
    others = worlds.read_worlds(form.worlds, top.at("worlds"), names)
    if others and form.claim is None:
        top.at("worlds").fault(
            "a [claim], which is what worlds are compared by", found="worlds of a study without a claim"
        )
    vocabulary = Vocabulary(list(arms) or None, reads.times_h, reads.names, kinds or None)
    drawn_here = None if donors is None else donors.draws
    measured = read_evidence(form.evidence or (), top.at("evidence"), vocabulary, drawn_here, folder)
    possible = read_candidates(form.candidates or (), top.at("candidates"), vocabulary, drawn_here)
    if top.faults or names is None or culture is None or donors is None or readouts is None or replicates is None:
        return None
    assert form.title is not None
    assert form.seed is not None
    return Study(
        title=form.title, seed=form.seed, model=names.model, cells=cells, donors=donors, culture=culture, arms=arms,
        mouse=mouse, secondary=secondary, cohort=cohort, readouts=readouts, replicates=replicates, assays=assays,
        claim=claim, worlds=others, evidence=measured, candidates=possible,
    )  # fmt: skip


def _refuse_several_types(cells: Mapping[str, CellType], place: Cursor, names: ModelNames | None) -> None:
    """Where every cell is alone, there is one type of cells."""
    if names is not None and not names.shares_a_medium and len(cells) > 1:
        expected = "one type: cells of this model are each alone (several need a circuit whose cells share a medium)"
        place.fault(expected, found=f"{len(cells)} types ({', '.join(map(shown, cells))})")
