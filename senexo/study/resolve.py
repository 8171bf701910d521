"""From the short human form of a study to its resolved form: defaults, lookups and all checks, all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from senexo.base.errors import Fault, InvalidInput
from senexo.base.units import PERCENT, SPAN, TIME, Kind
from senexo.study.actions import HOURS
from senexo.study.arms import read_arms
from senexo.study.donors import read_cells, read_donors
from senexo.study.known import Known, known_of, refuse_unsupported
from senexo.study.place import Place
from senexo.study.requests import either, read_assays, read_claim, read_readouts, read_replicates
from senexo.study.schema import SCHEMA_VERSION, Action, Culture, Study
from senexo.study.targets import with_targets

STUDY = (
    "schema_version", "title", "seed", "model", "cells", "donors", "culture", "arms", "readouts", "replicates",
    "assays", "claim",
)  # fmt: skip
NEEDED = ("title", "model", "cells", "culture", "arms")
CULTURE = (
    "duration", "duration_h", "serum", "serum_percent", "preequilibration", "preequilibration_h", "commitment_rule",
)  # fmt: skip
SPAN_H = Kind("hour", "hours above 0, e.g. 168.0", low=SPAN.low, high=SPAN.high, bare=True)
PERCENT_H = Kind("percent", "percent from 0 to 100, e.g. 20.0", high=100.0, bare=True)
NO_RULE = "none: this model has no fates"
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
    culture = _culture(top.get("culture"), known)
    end = culture.duration_h if culture else None
    cells = read_cells(top.get("cells"), known)
    varying = {name for kind in cells.values() for name in kind.variation}
    donors = read_donors(top.get("donors"), known, varying)
    arms = read_arms(top.get("arms"), known, end)
    if culture is not None:
        _refuse_lost(top, arms, culture)
    readouts = read_readouts(top.get("readouts"), known, end)
    replicates = read_replicates(top.get("replicates"))
    references = list(replicates.reference_copies) if replicates else []
    assays = read_assays(top.get("assays"), arms, readouts, known, references)
    claim = read_claim(top.get("claim"), arms, readouts, cells, known)
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


def _culture(place: Place | None, known: Known | None) -> Culture | None:
    """Duration, serum and settling time, with the circuit's own settling time and serum by default."""
    if place is None or not place.table(CULTURE):
        return None
    circuit = known.circuit if known else None
    duration = either(place, ("duration", SPAN), ("duration_h", SPAN_H))
    if duration is None:
        place.fault('the key duration, e.g. "7 d"', found="no duration")
    end = duration[0].quantity(duration[1]) if duration else None
    settle = either(place, ("preequilibration", TIME), ("preequilibration_h", HOURS))
    settled = settle[0].quantity(settle[1]) if settle else circuit.preequilibration_h if circuit else 0.0
    rule = place.get("commitment_rule")
    serum, medium = _medium(place, known)
    words = rule.text(most=2000) if rule else circuit.growth_rule if circuit else NO_RULE
    if end is None or settled is None or words is None:
        return None
    return Culture(
        duration_h=end, serum_percent=serum, preequilibration_h=settled, commitment_rule=words, medium=medium
    )  # fmt: skip


def _medium(place: Place, known: Known | None) -> tuple[float | None, tuple[Action, ...]]:
    """Serum in percent and the actions that make it; by default what the circuit itself starts with."""
    asked = either(place, ("serum", PERCENT), ("serum_percent", PERCENT_H))
    handles = known.handles("change", "serum") if known else []
    serum: float | None
    if asked is not None:
        serum = asked[0].quantity(asked[1])
        if known is not None and not handles:
            asked[0].fault("no serum: this model has no handle for it (set its quantity in the arms)")
    else:
        serum = known.changeable[handles[0].target] if known and handles else None
    if serum is None:
        return None, ()
    return serum, tuple(
        Action(target=h.target, operation=h.operation, value=h.number(serum), verb=h.verb, of=h.name)  # type: ignore[arg-type]
        for h in handles
    )


def _refuse_lost(top: Place, arms: Mapping[str, Any], culture: Culture) -> None:
    """The medium is made after the genotype, so a genotype cannot set what the medium sets."""
    medium = {action.target: action.of for action in culture.medium}
    for name, arm in arms.items():
        for action in arm.genotype:
            if action.target in medium:
                where = f"{top.file}: arms.{name}"
                expected = f"{medium[action.target]} (culture.{medium[action.target]}, or with a time)"
                top.faults.append(Fault(where, f"{action.target} set from the start", expected))
