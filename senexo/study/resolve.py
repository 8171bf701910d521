"""From the short human form of a study to its resolved form: defaults, lookups and all checks, all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from senexo.base.errors import Fault, InvalidInput
from senexo.study.arms import read_arms
from senexo.study.assays import read_assays
from senexo.study.culture import halved_wells, read_culture, refuse_lost, stopping
from senexo.study.donors import read_cells, read_donors
from senexo.study.known import known_of, of_types, refuse_unsupported
from senexo.study.place import Place
from senexo.study.requests import read_claim, read_readouts, read_replicates
from senexo.study.schema import SCHEMA_VERSION, Study
from senexo.study.targets import with_targets
from senexo.study.wells import types_in

STUDY = (
    "schema_version", "title", "seed", "model", "cells", "donors", "culture", "arms", "readouts", "replicates",
    "assays", "claim",
)  # fmt: skip
NEEDED = ("title", "model", "cells", "culture", "arms")
DEFAULT_SEED, LARGEST_SEED = 1, 2**63 - 1


def resolve(raw: Mapping[str, Any], *, where: str = "study", folder: str | Path = ".") -> Study:
    """The complete form of a study given as the nested tables of its file.

    where: what messages call the file; folder: what its relative paths refer to. Raises InvalidInput with every
    fault of the file, each with its place; UnsupportedFeature for what this version cannot do yet.

    >>> resolve({"title": "t"})  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    senexo.base.errors.InvalidInput: study: model: found nothing, expected this table
    """
    faults: list[Fault] = []
    study = _read(Place(raw, "", where, faults), Path(folder))
    if faults or study is None:
        raise InvalidInput(list(dict.fromkeys(faults)))
    return study


def _read(top: Place, folder: Path) -> Study | None:
    if not top.table(STUDY):
        return None
    for key in NEEDED:
        if top.get(key) is None:
            top.faults.append(Fault(f"{top.file}: {key}", "nothing", "a text" if key == "title" else "this table"))
    known, model = known_of(top.get("model"), folder), top.get("model")
    if known is not None and model is not None:
        known = with_targets(known, model, folder)
    culture = read_culture(top.get("culture"), known)
    end = culture.duration_h if culture else None
    cells = read_cells(top.get("cells"), known)
    varying = {name for kind in cells.values() for name in kind.variation}
    donors = read_donors(top.get("donors"), of_types(known, cells), varying)
    arms = read_arms(top.get("arms"), known, end, list(cells))
    if culture is not None:
        refuse_lost(top, arms, culture)
    readouts = read_readouts(top.get("readouts"), known, end)
    kinds = types_in(arms, cells)
    stop = stopping(top.get("culture"), readouts, kinds, known)
    if culture is not None:
        wells = len(arms) * (donors.n if donors else 1)
        again = halved_wells(top.get("culture"), culture, wells)
        culture = culture.model_copy(update={"stop_when": stop, "halving": again})
    replicates = read_replicates(top.get("replicates"))
    references = list(replicates.reference_copies) if replicates else []
    assays = read_assays(top.get("assays"), arms, readouts, known, references, kinds)
    claim = read_claim(top.get("claim"), arms, readouts, kinds, known)
    title, seed, version = top.get("title"), top.get("seed"), top.get("schema_version")
    if version is not None and version.value != SCHEMA_VERSION:
        version.fault(f"{SCHEMA_VERSION}, the form this senexo reads")
    words = title.text("a title") if title else None
    number = DEFAULT_SEED if seed is None else seed.whole(0, LARGEST_SEED, DEFAULT_SEED)
    if not top.faults:
        refuse_unsupported(cells, known, top.file)
    if top.faults or words is None or number is None or known is None or culture is None:
        return None
    if donors is None or readouts is None or replicates is None:
        return None
    return Study(
        title=words, seed=number, model=known.model, cells=cells, donors=donors, culture=culture, arms=arms,
        readouts=readouts, replicates=replicates, assays=assays, claim=claim,
    )  # fmt: skip
