"""The assays that a study requests; their keys are those of each assay's specification (`senexo.assays.specs`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from senexo.assays.spec import Key, Need, Request
from senexo.assays.specs import REQUESTS
from senexo.base.deprecation import warn_renamed
from senexo.base.units import TIME, shown
from senexo.study.actions import HOURS, when
from senexo.study.known import Known
from senexo.study.place import Place
from senexo.study.requests import either
from senexo.study.schema import Arm, AssayRequest, Readouts
from senexo.study.wells import coupled

_NEEDS: Mapping[Need, Callable[[Place, Known | None], bool]] = {"a shared medium": coupled}
TIMES = ("time", "time_h")


def keys_of(request: Request) -> list[str]:
    """All keys that an [[assays]] table may have, earlier names among them."""
    found = ["name"]
    for key in request.keys:
        found += TIMES if key.entry in ("time", "times") else (key.name, *key.was)
    return found


def read_assays(
    place: Place | None,
    arms: Mapping[str, Arm],
    readouts: Readouts | None,
    known: Known | None,
    references: Sequence[str],
    types: Sequence[str] = (),
) -> tuple[AssayRequest, ...]:
    """The requests with their options as keyword arguments; arms, times, targets and types must exist."""
    requests = []
    for entry in () if place is None or place.value == [] else place.listed("a list of tables, [[assays]]"):
        if not entry.table(expected='a table, e.g. name = "senescence"'):
            continue
        name = entry.get("name")
        if name is None:
            entry.fault(f"the key name ({', '.join(REQUESTS)})", found="no name")
            continue
        if name.one_of(REQUESTS, "assays") is None:
            continue
        request = REQUESTS[name.value]
        entry.table(keys_of(request))
        met = [_NEEDS[need](name, known) for need in request.needs]
        if not all(met):
            continue
        options = _Reader(entry, arms, readouts, known, tuple(references), types).options(request)
        requests.append(AssayRequest(name=name.value, options=options))
    return tuple(requests)


@dataclass(frozen=True, slots=True)
class _Reader:
    """One [[assays]] table, checked against the arms, times, read-outs and types of cells of the study."""

    place: Place
    arms: Mapping[str, Arm]
    readouts: Readouts | None
    known: Known | None
    references: tuple[str, ...]
    types: Sequence[str]

    def options(self, request: Request) -> dict[str, Any]:
        """The values of all keys; what is not given and has no default is left out."""
        found: dict[str, Any] = {}
        for key in request.keys:
            if key.entry in ("time", "times"):
                found["time_h"] = self._time(several=key.entry == "times")
                continue
            entry = self._entry(key)
            if entry is not None:
                found[key.name] = self._value(key, entry)
            elif key.needed:
                self.place.fault(f"the key {key.name}", found=f"no {key.name}")
            else:
                found[key.name] = list(key.default) if isinstance(key.default, tuple) else key.default
        for first, second in request.apart:
            self._refuse_same_cells(first, second)
        return {name: value for name, value in found.items() if value is not None}

    def _refuse_same_cells(self, first: str, second: str) -> None:
        """A fault where two keys name the same cells: one type twice, or a type and what its cells become."""
        one, other = self.place.get(first), self.place.get(second)
        if one is None or other is None or not isinstance(one.value, str) or not isinstance(other.value, str):
            return
        if shared := sorted(set(family(self.known, one.value)) & set(family(self.known, other.value))):
            also = "" if one.value == other.value else f", which has {', '.join(shared)} in common with {first}"
            other.fault(f"other cells than those of {first} ({one.value})", found=f"{shown(other.value)}{also}")

    def _entry(self, key: Key) -> Place | None:
        """The place of a key, under its name or an earlier one."""
        found = self.place.get(key.name)
        for old in key.was:
            former = self.place.get(old)
            if former is not None and found is not None:
                former.fault(f"{key.name} alone, the new name of {old}", found="both")
            elif former is not None:
                warn_renamed(f"{former.file}: {former.path}", key.name)
                found = former
        return found

    def _value(self, key: Key, entry: Place) -> Any:
        match key.entry:
            case "pairs of arms or families":
                return self._compared(entry)
            case "pairs of arms":
                return self._pairs(entry)
            case "arm":
                return self._one_of(entry, self.arms, "arms")
            case "arms":
                return self._spelled_out(entry)
            case "family":
                return self._one_of(entry, self._families, "families")
            case "cell type":
                return entry.one_of(self.types, "types of cells")
            case "read-out":
                return entry.text() if self.readouts is None else entry.one_of(self.readouts.names, "read-outs")
            case "RNA":
                return self._rna(entry, ())
            case "RNAs":
                return [self._rna(one, self.references) for one in entry.elements()]
            case "species of the media":
                return [one.one_of(_pools(self.known), "species of the media") for one in entry.elements()]
            case "names":
                return [one.text() for one in entry.elements()]
            case "whole number":
                return entry.whole(*key.limits, key.default)
            case "quantity":
                assert key.quantity is not None
                return entry.quantity(key.quantity)
            case "time" | "times":
                raise AssertionError("times are read by _time")
            case _:
                assert_never(key.entry)

    @property
    def _families(self) -> list[str]:
        return list(dict.fromkeys(arm.family for arm in self.arms.values()))

    def _of_family(self, name: str) -> list[str]:
        return [arm for arm, one in self.arms.items() if name in (arm, one.family)]

    def _rna(self, place: Place, also: Sequence[str]) -> str | None:
        """A read-out that counts molecules, or one of `also`."""
        if self.known is None:
            return place.text()
        units = self.known.readouts
        names = [name for name in (self.readouts.names if self.readouts else ()) if units.get(name) in ("copies", "")]
        return place.one_of(dict.fromkeys([*also, *names]), "RNAs")

    def _one_of(self, place: Place, names: Iterable[str], what: str) -> str | None:
        """One of the names; any text where the arms themselves could not be read (they have a fault of their own)."""
        return place.one_of(dict.fromkeys(names), what) if self.arms else place.text()

    def _spelled_out(self, place: Place) -> list[str]:
        """Arms, and the arms of families."""
        found: list[str] = []
        for entry in place.listed("a list of arms"):
            name = self._one_of(entry, [*self._families, *self.arms], "arms")
            if name is not None:
                found += [name] if name in self.arms else self._of_family(name)
        return list(dict.fromkeys(found))

    def _compared(self, place: Place) -> list[list[str]] | None:
        """Pairs of arms or families."""
        expected = 'two arms, e.g. ["mimic", "scrambled"], or a list of such pairs'
        if not place.listed(expected):
            return None
        pairs = place.elements() if all(isinstance(pair, list) for pair in place.value) else [place]
        for pair in pairs:
            if len(pair.value) != 2 or pair.value[0] == pair.value[1]:
                pair.fault(expected)
                continue
            for name in pair.elements():
                self._one_of(name, [*self._families, *self.arms], "arms")
        return [list(pair.value) for pair in pairs]

    def _pairs(self, place: Place) -> list[list[str]] | None:
        """Pairs of arms: every arm of a family with its one control."""
        pairs = self._compared(place)
        if pairs is None:
            return None
        found = []
        for name, control in pairs:
            controls = self._of_family(control)
            if len(controls) != 1 and self.arms:
                place.fault("one arm to compare with", found=f"{control}, of {len(controls)} arms")
            found += [[arm, controls[0]] for arm in self._of_family(name) if controls and arm != controls[0]]
        return found

    def _time(self, *, several: bool) -> float | list[float] | None:
        """Times at which wells are read, or one of them."""
        given = either(self.place, ("time", TIME), ("time_h", HOURS))
        if given is None:
            return None
        entry, kind = given
        read = self.readouts.times_h if self.readouts else None
        times = []
        for place in entry.elements():
            hour = place.quantity(kind)
            if hour is not None and read is not None and not any(math.isclose(hour, t) for t in read):
                place.fault(f"a time of the read-outs ({', '.join(map(when, read))})")
            elif hour is not None:
                times.append(hour)
        if several:
            return times
        if len(times) > 1:
            self.place.fault("one time", found=f"{len(times)} times")
        return times[0] if times else None


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
