"""The assays that a study requests; their keys are those of each assay's specification (`senexo.assays.specs`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from senexo.assays.spec import Key, Need, Request
from senexo.assays.specs import REQUESTS
from senexo.base.units import shown
from senexo.study.actions import either, when
from senexo.study.cursor import Cursor
from senexo.study.form.table import Table
from senexo.study.names import ModelNames
from senexo.study.requests import Reads
from senexo.study.schema import Arm, AssayRequest
from senexo.study.wells import coupled

_NEEDS: Mapping[Need, Callable[[Cursor, ModelNames | None], bool]] = {
    "a shared medium": coupled, "mice": lambda place, names: True, "patients": lambda place, names: True,
    "mice or patients": lambda place, names: True,
}  # fmt: skip


def read_assays(
    tables: Sequence[Table | None], place: Cursor, arms: Mapping[str, Arm], reads: Reads, names: ModelNames | None,
    references: Sequence[str], types: Sequence[str] = (), *, hosts: Sequence[str] = (),
) -> tuple[AssayRequest, ...]:  # fmt: skip
    """The requests with their options as keyword arguments; arms, times, targets and types must exist.

    hosts: the tables of the study that describe mice or patients (mouse, secondary, cohort), whose results other assays
    do not read.
    """
    requests = []
    for entry, table in zip(place.elements() if tables else (), tables, strict=True):
        name = None if table is None else table.get("name")
        if table is None or name is None:
            continue
        request = REQUESTS[name]
        if not _fits_hosts(request, entry.at("name"), hosts):
            continue
        met = [_NEEDS[need](entry.at("name"), names) for need in request.needs]
        if not all(met):
            continue
        options = _Reader(table, entry, arms, reads, names, tuple(references), types).options(request)
        requests.append(AssayRequest(name=name, options=options))
    return tuple(requests)


def _fits_hosts(request: Request, place: Cursor, hosts: Sequence[str]) -> bool:
    """Whether an assay reads what the study has: mice, patients or wells; a fault at `place` when not."""
    of_mice = "secondary" if "secondary" in request.tables else "mouse"
    tables = {"mice": [of_mice], "patients": ["cohort"], "mice or patients": [of_mice, "cohort"]}
    wanted = [table for need, found in tables.items() if need in request.needs for table in found]
    if wanted and not {*wanted} & {*hosts}:
        whose = "mice or patients" if len(wanted) > 1 else "patients" if wanted == ["cohort"] else "mice"
        place.fault(f"a table {' or '.join(f'[{one}]' for one in wanted)}, whose {whose} it reads")
    elif not wanted and "cohort" in hosts:
        place.fault("an assay of patients (survival, response): a study of patients is read in patients")
    elif not wanted and hosts:
        place.fault("an assay of mice (survival, dilution): a study of mice is read in mice")
    else:
        return True
    return False


@dataclass(frozen=True, slots=True)
class _Reader:
    """One [[assays]] table, checked against the arms, times, read-outs and types of cells of the study."""

    table: Table
    place: Cursor
    arms: Mapping[str, Arm]
    reads: Reads
    names: ModelNames | None
    references: tuple[str, ...]
    types: Sequence[str]

    def options(self, request: Request) -> dict[str, Any]:
        """The values of all keys; what is not given and has no default is left out."""
        found: dict[str, Any] = {}
        for key in request.keys:
            if key.entry in ("time", "times"):
                found["time_h"] = self._time(several=key.entry == "times")
                continue
            value = self.table.get(key.name)
            if value is not None and key.name in self.place:
                value = self._value(key, value, self.place.at(key.name))
            found[key.name] = list(value) if isinstance(value, tuple) else value
        for first, second in request.apart:
            self._refuse_same_cells(first, second)
        return {name: value for name, value in found.items() if value is not None}

    def _refuse_same_cells(self, first: str, second: str) -> None:
        """A fault where two keys name the same cells: one type twice, or a type and what its cells become."""
        one, other = self.table.get(first), self.table.get(second)
        if one is None or other is None or self.names is None:
            return
        if shared := sorted({*self.names.counted_with(one)} & {*self.names.counted_with(other)}):
            also = "" if one == other else f", which has {', '.join(shared)} in common with {first}"
            self.place.at(second).fault(f"other cells than those of {first} ({one})", found=f"{shown(other)}{also}")

    def _value(self, key: Key, value: Any, place: Cursor) -> Any:
        match key.entry:
            case "pairs of arms or families":
                return self._compared(value, place)
            case "pairs of arms":
                return self._pairs(value, place)
            case "arm":
                return self._one_of(place, self.arms, "arms")
            case "arms":
                return self._spelled_out(value, place)
            case "family":
                return self._one_of(place, self._families, "families")
            case "cell type":
                return place.one_of(self.types, "types of cells")
            case "read-out":
                return value if self.reads.names is None else place.one_of(self.reads.names, "read-outs")
            case "RNA":
                return self._rna(value, place, ())
            case "RNAs":
                return [self._rna(one, at, self.references) for at, one in _each(place, value)]
            case "species of the media":
                return [self._in_pools(one, at) for at, one in _each(place, value)]
            case "names" | "whole number" | "quantity":
                return value
            case "time" | "times":
                raise AssertionError("times are read by _time")
            case _:
                assert_never(key.entry)

    @property
    def _families(self) -> list[str]:
        return list(dict.fromkeys(arm.family for arm in self.arms.values()))

    def _of_family(self, name: str) -> list[str]:
        return [arm for arm, one in self.arms.items() if name in (arm, one.family)]

    def _rna(self, name: str | None, place: Cursor, also: Sequence[str]) -> str | None:
        """A read-out that counts molecules, or one of `also`."""
        if self.names is None or self.reads.names is None or name is None:
            return name
        units = self.names.readouts
        counted = [readout for readout in self.reads.names if units.get(readout) in ("copies", "")]
        return place.one_of(dict.fromkeys([*also, *counted]), "RNAs")

    def _in_pools(self, name: str | None, place: Cursor) -> str | None:
        return name if self.names is None or name is None else place.one_of(self.names.pools, "species of the media")

    def _one_of(self, place: Cursor, names: Iterable[str], what: str) -> str | None:
        """One of the names; any where the arms themselves could not be read (they have a fault of their own)."""
        return place.one_of(dict.fromkeys(names), what) if self.arms else place.value

    def _spelled_out(self, names: list[str | None], place: Cursor) -> list[str]:
        """Arms, and the arms of families."""
        found: list[str] = []
        for entry, name in _each(place, names):
            if name is not None and self._one_of(entry, [*self._families, *self.arms], "arms") is not None:
                found += [name] if name in self.arms else self._of_family(name)
        return list(dict.fromkeys(found))

    def _compared(self, value: list[Any], place: Cursor) -> list[list[str]]:
        """Pairs of arms or families."""
        several = all(isinstance(one, list | None) for one in value)
        found = []
        for at, pair in _each(place, value) if several else [(place, value)]:
            for entry in at.elements() if pair is not None else ():
                self._one_of(entry, [*self._families, *self.arms], "arms")
            if pair is not None:
                found.append(list(pair))
        return found

    def _pairs(self, value: list[Any], place: Cursor) -> list[list[str]]:
        """Pairs of arms: every arm of a family with its one control."""
        found = []
        for name, control in self._compared(value, place):
            controls = self._of_family(control)
            if len(controls) > 1:
                place.fault("one arm to compare with", found=f"{control}, of {len(controls)} arms")
            found += [[arm, controls[0]] for arm in self._of_family(name) if controls and arm != controls[0]]
        return found

    def _time(self, *, several: bool) -> float | list[float] | None:
        """Times at which wells are read, or one of them."""
        given, place = either(self.table, self.place, "time", "time_h")
        if given is None:
            return None
        hours = given if several else [given]
        read = self.reads.times_h
        for entry, hour in _each(place, hours):
            if hour is not None and read is not None and not any(math.isclose(hour, t) for t in read):
                entry.fault(f"a time of the read-outs ({', '.join(map(when, read))})")
        return given


def _each(place: Cursor, values: list[Any]) -> list[tuple[Cursor, Any]]:
    """The values of a list, each with its place."""
    return list(zip(place.elements(), values, strict=True))
