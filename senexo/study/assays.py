"""The assays a study asks for, their options checked against its arms, times, read-outs and types of cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from senexo.base.units import SHARE, TIME, Kind, shown
from senexo.study.actions import HOURS, when
from senexo.study.known import Known
from senexo.study.place import Place
from senexo.study.requests import either
from senexo.study.schema import Arm, AssayRequest, Readouts
from senexo.study.wells import coupled

ASSAYS = {
    "senescence": ("name", "compare", "time", "time_h", "reference"),
    "qpcr": ("name", "target", "reference", "control", "arms", "time", "time_h", "min_detected"),
    "fates": ("name", "compare", "cell_type", "cause", "time", "time_h"),
    "colonies": ("name", "compare", "cell_type", "least"),
    "balance": ("name", "compare", "what", "from", "to", "medium", "time", "time_h"),
    "particles": ("name", "compare", "what", "time", "time_h", "cells_per_ml", "reading_cv"),
}
NEEDED: Mapping[str, tuple[str, ...]] = {
    "senescence": (),
    "qpcr": ("target", "reference", "control"),
    "fates": (),
    "colonies": ("compare",),
    "balance": ("compare", "what", "from", "to"),
    "particles": ("what",),
}
COUPLED = ("fates", "colonies", "balance", "particles")  # of cells that share a medium
COLONY, LARGEST_COLONY = 50, 1_000_000
DENSITY = Kind("dimensionless", "cells per mL above 0, e.g. 1e6", low=1.0, high=1e12, bare=True)
CV = Kind("dimensionless", 'a coefficient of variation from 0 to 1, e.g. "10 %"', high=1.0, bare=True)


def read_assays(
    place: Place | None,
    arms: Mapping[str, Arm],
    readouts: Readouts | None,
    known: Known | None,
    references: Sequence[str],
    types: Sequence[str] = (),
) -> tuple[AssayRequest, ...]:
    """The assays with their options ready as keyword arguments; arms, times, targets and types must exist."""
    requests = []
    for entry in () if place is None or place.value == [] else place.listed("a list of tables, [[assays]]"):
        if not entry.table(expected='a table, e.g. name = "senescence"'):
            continue
        name = entry.get("name")
        if name is None:
            entry.fault(f"the key name ({', '.join(ASSAYS)})", found="no name")
            continue
        if name.one_of(ASSAYS, "assays") is None:
            continue
        entry.table(ASSAYS[name.value])
        if name.value in COUPLED and not coupled(name, known):
            continue
        options = getattr(_Asked(entry, arms, readouts, known, references, types), name.value)()
        requests.append(AssayRequest(name=name.value, options={k: v for k, v in options.items() if v is not None}))
    return tuple(requests)


class _Asked:
    """One assay's options, checked against the arms, times and read-outs of the study."""

    def __init__(
        self,
        place: Place,
        arms: Mapping[str, Arm],
        readouts: Readouts | None,
        known: Known | None,
        references: Sequence[str],
        types: Sequence[str],
    ) -> None:
        self.place, self.arms, self.readouts, self.types, self.known = place, arms, readouts, types, known
        self.pools = _pools(known)
        self.families = list(dict.fromkeys(arm.family for arm in arms.values()))
        chosen = readouts.names if readouts else ()
        units = known.readouts if known else {}
        self.rnas = [name for name in chosen if units.get(name) in ("copies", "")] if known else None
        self.references = list(references)

    def senescence(self) -> dict[str, Any]:
        return {"compare": self._compare(), "time_h": self._time(), "reference": self._family("reference")}

    def qpcr(self) -> dict[str, Any]:
        target, reference = self._needed("target"), self._needed("reference")
        control, arms, share = self._needed("control"), self.place.get("arms"), self.place.get("min_detected")
        times = self._times()
        return {
            "target": target and self._rna(target, []),
            "reference": reference and [self._rna(entry, self.references) for entry in reference.elements()],
            "control": control and self._arm(control),
            "arms": arms and self._spelled_out(arms),
            "time_h": times,
            "min_detected": share and share.quantity(SHARE),
        }

    def fates(self) -> dict[str, Any]:
        causes = self.place.get("cause")
        return {
            "compare": self._pairs(), "time_h": self._time(), "cell_type": self._type("cell_type"),
            "cause": causes and [entry.text() for entry in causes.elements()],
        }  # fmt: skip

    def colonies(self) -> dict[str, Any]:
        least = self.place.get("least")
        number = COLONY if least is None else least.whole(2, LARGEST_COLONY, COLONY)
        return {"compare": self._pairs(), "cell_type": self._type("cell_type"), "least": number}

    def balance(self) -> dict[str, Any]:
        what, medium = self._needed("what"), self.place.get("medium")
        readouts = self.readouts.names if self.readouts else None
        self._refuse_same_cells()
        return {
            "compare": self._pairs(), "time_h": self._time(), "from": self._type("from"), "to": self._type("to"),
            "what": what and (what.text() if readouts is None else what.one_of(readouts, "read-outs")),
            "medium": [] if medium is None else self._in_pools(medium),
        }  # fmt: skip

    def _refuse_same_cells(self) -> None:
        """A fault where cells would give to themselves: one type twice, or a type and what its cells become."""
        giving, taking = self.place.get("from"), self.place.get("to")
        if giving is None or taking is None or not isinstance(giving.value, str) or not isinstance(taking.value, str):
            return
        if shared := sorted(set(family(self.known, giving.value)) & set(family(self.known, taking.value))):
            also = "" if giving.value == taking.value else f", which has {', '.join(shared)} in common with from"
            taking.fault(f"other cells than those of from ({giving.value})", found=f"{shown(taking.value)}{also}")

    def particles(self) -> dict[str, Any]:
        what, density, cv = self._needed("what"), self.place.get("cells_per_ml"), self.place.get("reading_cv")
        return {
            "compare": self._pairs(), "time_h": self._time(), "what": what and self._in_pools(what),
            "cells_per_ml": 1e6 if density is None else density.quantity(DENSITY),
            "reading_cv": 0.1 if cv is None else cv.quantity(CV),
        }  # fmt: skip

    def _type(self, key: str) -> str | None:
        """A type of cells that the wells begin with."""
        entry = self.place.get(key)
        return None if entry is None else entry.one_of(self.types, "types of cells")

    def _in_pools(self, place: Place) -> list[str | None]:
        return [entry.one_of(self.pools, "species of the media") for entry in place.elements()]

    def _pairs(self) -> list[list[str]] | None:
        """Pairs of arms: every arm of a family against one control."""
        pairs = self._compare()
        if pairs is None:
            return None
        found = []
        for name, control in pairs:
            arms, controls = ([n for n, a in self.arms.items() if each in (n, a.family)] for each in (name, control))
            if len(controls) != 1 and self.arms:
                self.place.at("compare").fault("one arm to compare with", found=f"{control}, of {len(controls)} arms")
            found += [[arm, controls[0]] for arm in arms if controls and arm != controls[0]]
        return found

    def _needed(self, key: str) -> Place | None:
        entry = self.place.get(key)
        if entry is None:
            self.place.fault(f"the key {key}", found=f"no {key}")
        return entry

    def _rna(self, place: Place, also: Sequence[str]) -> str | None:
        if self.rnas is None:
            return place.text()
        return place.one_of([*also, *(name for name in self.rnas if name not in also)], "RNAs")

    def _arm(self, place: Place) -> str | None:
        return self._one_of(place, self.arms, "arms")

    def _one_of(self, place: Place, known: Iterable[str], what: str) -> str | None:
        """One of the names; any text where the arms themselves could not be read (they have a fault of their own)."""
        return place.one_of(dict.fromkeys(known), what) if self.arms else place.text()

    def _spelled_out(self, place: Place) -> list[str]:
        """Arms, and the arms of families."""
        arms: list[str] = []
        for entry in place.listed("a list of arms"):
            known = self._one_of(entry, [*self.families, *self.arms], "arms")
            if known is not None:
                arms += [known] if known in self.arms else [n for n, arm in self.arms.items() if arm.family == known]
        return list(dict.fromkeys(arms))

    def _family(self, key: str) -> str | None:
        entry = self.place.get(key)
        return None if entry is None else self._one_of(entry, self.families, "families")

    def _compare(self) -> list[list[str]] | None:
        """Pairs of arms or families."""
        entry = self.place.get("compare")
        expected = 'two arms, e.g. ["mimic", "scrambled"], or a list of such pairs'
        if entry is None or not entry.listed(expected):
            return None
        pairs = entry.elements() if all(isinstance(pair, list) for pair in entry.value) else [entry]
        for pair in pairs:
            if len(pair.value) != 2 or pair.value[0] == pair.value[1]:
                pair.fault(expected)
                continue
            for name in pair.elements():
                self._one_of(name, [*self.families, *self.arms], "arms")
        return [list(pair.value) for pair in pairs]

    def _time(self) -> float | None:
        times = self._times()
        if times and len(times) > 1:
            self.place.fault("one time", found=f"{len(times)} times")
        return times[0] if times else None

    def _times(self) -> list[float] | None:
        """Times at which wells are read."""
        asked = either(self.place, ("time", TIME), ("time_h", HOURS))
        if asked is None:
            return None
        entry, kind = asked
        read = self.readouts.times_h if self.readouts else None
        times = []
        for place in entry.elements():
            hour = place.quantity(kind)
            if hour is not None and read is not None and not any(math.isclose(hour, t) for t in read):
                place.fault(f"a time of the read-outs ({', '.join(map(when, read))})")
            elif hour is not None:
                times.append(hour)
        return times


def family(known: Known | None, type: str) -> list[str]:
    """A type of cells and what its cells become without a division; they are counted together."""
    rules = known.circuit.cell_types if known and known.circuit else ()
    fates = [fate for rule in rules if rule.name == type for fate in rule.fates if fate.effect == "become"]
    return list(dict.fromkeys([type, *(to for fate in fates for to in fate.into)]))


def _pools(known: Known | None) -> list[str]:
    """The species of the media that cells share."""
    if known is None or known.circuit is None:
        return []
    return [s.id for s in known.circuit.network.species if s.compartment in known.circuit.pools]
