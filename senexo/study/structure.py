"""The first pass over a study file: keys, types, ranges and units, with every fault of the whole file.

What has a fault is then taken out and replaced by None, so that the second pass, which needs the model, goes over
everything else and its faults come in the same report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from senexo.base.deprecation import renamed_text
from senexo.base.errors import Fault
from senexo.base.units import shown
from senexo.study.cursor import Cursor, named
from senexo.study.form import fields
from senexo.study.form.file import StudyFile
from senexo.study.form.table import Table, example_of
from senexo.study.migrations import migrated

Steps = tuple[str | int, ...]
Classes = dict[int, type[Table]]  # id of a table of the file -> the class that reads it
KEY = "[key]"  # the last part of pydantic's place of a fault in a key
MAX_PASSES = 4


def read_form(raw: Mapping[str, Any], file: str) -> tuple[StudyFile | None, Cursor, list[str]]:
    """A study file in typed tables, a cursor at its top with the faults noted so far, and notices of renamed keys.

    In the tables None stands for what has a fault; they are None where the file is no table.
    """
    faults: list[Fault] = []
    tables, passed = migrated(_copied(Cursor(raw, "", file, faults)))
    top = Cursor(tables, "", file, faults)
    notices = [*(f"{file}: {notice}" for notice in passed), *_rename(top)]
    form, remaining = None, _copied(top)
    for number in range(MAX_PASSES):
        classes: Classes = {}
        form, errors = _validated(remaining, classes)
        if number == 0:
            faults += _without_a_choice(remaining, top, classes)
        if not errors:
            break
        places = [(error, _steps(remaining, error)) for error in errors]
        faults += [
            _fault(error, steps, remaining, classes, top)
            for error, steps in places
            if number == 0 or not _place(top, steps).has_fault()  # else it is what taking out has left
        ]
        for error, steps in places:
            if not steps:
                return None, top, notices
            _take_out(remaining, steps, wholly=error["type"] == "extra_forbidden" or error["loc"][-1] == KEY)
    return form, top, notices


def _validated(tables: Any, classes: Classes) -> tuple[StudyFile | None, list[ErrorDetails]]:
    try:
        return StudyFile.model_validate(tables, context=classes), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _copied(place: Cursor) -> Any:
    """The nested tables and lists of a place anew. None, which no TOML has, is no entry of a table."""
    value = place.value
    if isinstance(value, Mapping):
        table = {}
        for name, below in value.items():
            if below is not None:
                table[str(name)] = _copied(Cursor(below, place.at(str(name)).path, place.file, place.faults))
        return table
    if isinstance(value, list | tuple):
        listed = []
        for number, below in enumerate(value):
            entry = Cursor(below, f"{place.path}[{number}]", place.file, place.faults)
            if below is None:
                entry.fault("a value")
            else:
                listed.append(_copied(entry))
        return listed
    return value


def in_file_order(faults: list[Fault], top: Cursor) -> list[Fault]:
    """Faults in the order of their places in the file, each once; those of what is absent come first."""
    order = {place.where: number for number, place in enumerate(_places(top))}
    return sorted(dict.fromkeys(faults), key=lambda fault: order.get(fault.where, -1))


def _places(place: Cursor) -> Iterator[Cursor]:
    """A place and all places below, in the file's order."""
    yield place
    if isinstance(place.value, dict | list):
        for step in place.value if isinstance(place.value, dict) else range(len(place.value)):
            yield from _places(place.at(step))


def _tables(value: Any, place: Cursor) -> Iterator[tuple[dict[str, Any], Cursor]]:
    """Every table below, with its place."""
    if isinstance(value, dict):
        yield value, place
        for name, below in value.items():
            yield from _tables(below, place.at(name))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _tables(below, place.at(number))


def _rename(top: Cursor) -> list[str]:
    """Give keys and words of the last version their names of this one, in place; a notice for each."""
    classes: Classes = {}
    _validated(top.value, classes)
    notices = []
    for table, place in list(_tables(top.value, top)):
        reads = classes.get(id(table), Table)
        for name, words in reads.former_words().items():
            old = table.get(name)
            if isinstance(old, str) and old in words:
                notices.append(f"{place.at(name).where}: {renamed_text(shown(old), shown(words[old]))}")
                table[name] = words[old]
        renamed = reads.renamed()
        for old in renamed.keys() & table.keys():
            new, former = renamed[old], place.at(old)
            if new in table:
                former.fault(f"{new} alone, the new name of {old}", found="both")
                del table[old]
                continue
            notices.append(f"{former.where}: {renamed_text(old, new)}")
            entries = [(new if name == old else name, value) for name, value in table.items()]
            table.clear()
            table.update(entries)
    return notices


def _steps(tables: Any, error: ErrorDetails) -> Steps:
    """The keys and indices of an error's place: pydantic's, less the names of a union's forms."""
    steps: list[str | int] = []
    value = tables
    for part in error["loc"]:
        there = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if there:
            steps.append(part)
            value = value[part]
        elif error["type"] == "missing" and part == error["loc"][-1]:
            steps.append(part)
    return tuple(steps)


def _place(top: Cursor, steps: Steps) -> Cursor:
    for step in steps:
        top = top.at(step)
    return top


def _take_out(tables: Any, steps: Steps, *, wholly: bool) -> None:
    """Replace what has a fault by None, or (wholly) remove it."""
    for step in steps[:-1]:
        tables = tables.get(step) if isinstance(tables, dict) else tables[step]
        if tables is None:  # taken out already with what is around it
            return
    if wholly:
        tables.pop(steps[-1], None)
    else:
        tables[steps[-1]] = None


def _fault(error: ErrorDetails, steps: Steps, tables: Any, classes: Classes, top: Cursor) -> Fault:
    """An error in the words of this house: where, found, expected."""
    place, around, table = _place(top, steps), _place(top, steps[:-1]), tables
    for step in steps[:-1]:
        table = table[step]
    reads = classes.get(id(table))
    match error["type"]:
        case fields.EXPECTED:
            about = error["ctx"]
            return Fault(place.where, about["found"] or shown(place.value), about["expected"])
        case "missing":
            name = str(steps[-1])
            if not around.path:
                return Fault(place.where, "nothing", "a text" if name == "title" else "this table")
            return Fault(around.where, f"no {name}", f"the key {name}{example_of(reads, name)}")
        case "extra_forbidden" if reads is not None:
            return Fault(place.where, f"the unknown key {shown(steps[-1])}", named(steps[-1], reads.keys(), "keys"))
    return Fault(place.where, shown(place.value), error["msg"])


def _without_a_choice(tables: Any, top: Cursor, classes: Classes) -> list[Fault]:
    """The tables that have neither or both of two keys of which one is needed."""
    faults = []
    for table, place in _tables(tables, top):
        reads = classes.get(id(table))
        if reads is None or reads.ONE_OF is None:
            continue
        first, second = reads.ONE_OF
        if first in table and second in table:
            faults.append(Fault(place.where, f"both {first} and {second}", f"either {first} or {second}"))
        elif first not in table and second not in table:
            keys = first if second == f"{first}_h" else f"{first} or {second}"
            faults.append(Fault(place.where, f"no {keys}", f"the key {keys}{example_of(reads, first)}"))
    return faults
