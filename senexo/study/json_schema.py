"""The study file as a JSON Schema, for editors and other programs; built from the readers' own key lists.

    python -m senexo.study.json_schema > spec/study.schema.json

It sees the shape of a file (keys, types, ranges, the form of quantities). What needs the model (is there such a gene,
arm, parameter, time) only `resolve` sees.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from senexo.assays.spec import Key, Request
from senexo.assays.specs import REQUESTS
from senexo.base.units import AMOUNT, NUMBER, NUMBER_KIND, PERCENT, SHARE, SPAN, TIME, UNIT, Kind
from senexo.study import actions, arms, assays, culture, donors, known, methods, requests, resolve, verbs, wells
from senexo.study.schema import SCHEMA_VERSION

Schema = dict[str, Any]


def schema() -> Schema:
    """The schema of study files, short and resolved form alike.

    >>> schema()["properties"]["seed"]["maximum"] == 2**63 - 1
    True
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "senexo study file",
        **_table(resolve.STUDY, _STUDY, needed=resolve.NEEDED),
    }


def _table(keys: Iterable[str], properties: Mapping[str, Schema], *, needed: Iterable[str] = ()) -> Schema:
    """A table of exactly these keys; a key without a schema of its own is an error of this module."""
    return {
        "type": "object",
        "properties": {key: properties[key] for key in keys},
        "required": list(needed),
        "additionalProperties": False,
    }


def _map(values: Schema, *, pattern: str | None = None, least: int = 0) -> Schema:
    """A table of free names."""
    names = {"propertyNames": {"pattern": pattern}} if pattern else {}
    return {"type": "object", "additionalProperties": values, "minProperties": least, **names}


def _quantity(kind: Kind) -> Schema:
    """A text of a number and a unit, or, where the kind allows it, a plain number in range."""
    text = {"type": "string", "pattern": rf"^\s*{NUMBER}\s*({UNIT}){'?' if kind.bare else ''}\s*$"}
    if not kind.bare:
        return text
    low = {"minimum": kind.low} if kind.low > -1e300 else {}
    high = {"maximum": kind.high} if kind.high < 1e300 else {}
    return {"anyOf": [text, {"type": "number", **low, **high, **({"multipleOf": 1} if kind.whole else {})}]}


def _list(values: Schema, *, least: int = 1) -> Schema:
    return {"type": "array", "items": values, "minItems": least}


def _or_list(values: Schema) -> Schema:
    return {"anyOf": [values, _list(values)]}


def _one(values: Schema) -> Schema:
    """One value, or a list of one."""
    return {"anyOf": [values, {**_list(values), "maxItems": 1}]}


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _one_of(words: Iterable[str]) -> Schema:
    return {"enum": list(words)}


def _with_time(kind: Kind, *, ladder: bool = True) -> Schema:
    """A quantity, or { value, at }; each a ladder if lists are allowed."""
    value = _or_list(_quantity(kind)) if ladder else _quantity(kind)
    return {"anyOf": [value, _table(verbs.VALUE_AT, {"value": value, "at": _TIME}, needed=["value"])]}


_TEXT: Schema = {"type": "string", "minLength": 1}
_SEQUENCE: Schema = {
    "type": "object",
    "properties": {"sequence": {"type": "string", "minLength": 1}, "source": {"type": "string", "minLength": 1}},
    "required": ["sequence", "source"],
    "additionalProperties": False,
}
_WORDS: Schema = {"type": "string"}
_TIME = _quantity(TIME)
_HOURS = _quantity(actions.HOURS)
_NUMBER = _quantity(NUMBER_KIND)

_ACTION = _table(
    actions.KEYS,
    {
        "at": _TIME, "time_h": _HOURS, "target": _TEXT, "operation": _one_of(actions.OPERATIONS), "value": _NUMBER,
        "verb": _TEXT, "of": _TEXT,
    },
    needed=["target", "operation", "value"],
)  # fmt: skip
_NAMES = _list(_TEXT)
_DOSE = _table(
    verbs.DOSE, {"what": _TEXT, "copies": _or_list(_quantity(AMOUNT)), "at": _TIME}, needed=["what", "copies"]
)  # fmt: skip
_VERBS = {
    "knock_out": _NAMES,
    "mutate": _map(_TEXT),
    "cut": _NAMES,
    "connect": _NAMES,
    "set": _map(_with_time(NUMBER_KIND)),
    "knock_down": _map(_with_time(SHARE)),
    "inhibit": _map(_with_time(SHARE)),
    "express": _map(_with_time(AMOUNT)),
    "serum": _or_list(_with_time(PERCENT, ladder=False)),
    "growth_factors": _or_list(_with_time(AMOUNT, ladder=False)),
    "dose": _or_list(_DOSE),
    "wash_out": _or_list(_table(verbs.WHAT_AT, {"what": _TEXT, "at": _TIME}, needed=verbs.WHAT_AT)),
    "medium_change": _or_list(_table(verbs.CHANGE, {"at": _TIME, "share": _quantity(SHARE)}, needed=["at"])),
    "actions": _list(_ACTION),
}
_NUMBERS = _map(_whole(0, wells.MOST_CELLS), least=1)
_MEDIUM = _table(
    wells.MEDIUM_FROM,
    {
        "arm": _TEXT, "taken": _TIME, "taken_h": _HOURS, "share": _quantity(SHARE), "at": _TIME, "time_h": _HOURS,
    },
    needed=["arm"],
)  # fmt: skip
_WELL: dict[str, Schema] = {
    "cells": _NUMBERS,
    "insert": _table(("cells", *verbs.VERBS), {"cells": _NUMBERS, **_VERBS}, needed=["cells"]),
    "medium_from": _or_list(_MEDIUM),
    "branch": _table(wells.BRANCH, {"arm": _TEXT, "at": _TIME, "time_h": _HOURS}, needed=["arm"]),
}
_PAST = {"genotype": _list(_ACTION, least=0), "schedule": _list(_ACTION, least=0)}
_RESOLVED_ARM = _table(
    (*arms.RESOLVED, "cells", "insert", "medium_from"),
    {
        "cells": _NUMBERS, "medium_from": _or_list(_MEDIUM),
        "insert": _table(("cells", *_PAST), {"cells": _NUMBERS, **_PAST}, needed=["cells"]),
        "family": _TEXT, "agent": _TEXT, "dose_copies": _quantity(AMOUNT), "dose_label": _WORDS, "summary": _TEXT,
        **_PAST,
    },
)  # fmt: skip
_ARM: Schema = {
    "if": {"type": "object", "anyOf": [{"required": [key]} for key in arms.RESOLVED]},
    "then": _RESOLVED_ARM,
    "else": _table((*verbs.VERBS, *wells.WELL), {**_VERBS, **_WELL}),
}
_DRAW = _table(
    donors.DRAW,
    {
        "law": _one_of(donors.LAWS), "value": _NUMBER, "low": _NUMBER, "high": _NUMBER, "unit": _WORDS, "source": _TEXT,
        "status": _one_of(donors.STATUSES),
    },
)  # fmt: skip
_CULTURE = {
    "duration": _quantity(SPAN), "duration_h": _quantity(culture.SPAN_H), "serum": _quantity(PERCENT),
    "serum_percent": _quantity(culture.PERCENT_H), "growth_factors": _quantity(AMOUNT), "preequilibration": _TIME,
    "preequilibration_h": _HOURS, "commitment_rule": _TEXT, "method": _one_of(methods.NAMES),
    "window": _quantity(requests.STEP), "window_h": _quantity(requests.STEP_H),
    "most_cells": _whole(2, culture.LARGEST_WELL), "rare_cells": _whole(1, culture.LARGEST_WELL),
    "halving": _whole(0, culture.LARGEST_WELL), "stop_when": _TEXT,
}  # fmt: skip
_READOUTS = {
    "times": _list(_TIME), "times_h": _list(_HOURS), "grid": _quantity(requests.STEP),
    "grid_h": _quantity(requests.STEP_H), "names": _NAMES,
}  # fmt: skip
_ABOUT = _table(requests.ABOUT, {"source": _TEXT, "status": _one_of(donors.STATUSES)})
_NOISE = {name: _quantity(kind) for name, (kind, *_) in requests.NOISE.items()}
_REPLICATES = {
    **_NOISE,
    "n": _whole(1, 100),
    "cells_counted": _whole(1, 100_000),
    "reference_copies": _map(_quantity(AMOUNT)),
    "about": _table(
        (*requests.NOISE, "reference_copies"), dict.fromkeys((*requests.NOISE, "reference_copies"), _ABOUT)
    ),
}
_PAIR: Schema = {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}


def _value_of(key: Key) -> Schema:
    """The shape of one key of an [[assays]] table."""
    match key.entry:
        case "pairs of arms or families" | "pairs of arms":
            return {"anyOf": [_PAIR, _list(_PAIR)]}
        case "arm" | "family" | "cell type" | "read-out" | "RNA":
            return _TEXT
        case "arms":
            return _NAMES
        case "RNAs" | "species of the media" | "names":
            return _or_list(_TEXT)
        case "whole number":
            return _whole(*key.limits)
        case "quantity":
            assert key.quantity is not None
            return _quantity(key.quantity)
        case "time":
            return _one(_TIME)
        case "times":
            return _or_list(_TIME)
        case _:
            assert_never(key.entry)


def _request(name: str, request: Request) -> Schema:
    """An [[assays]] table, from the specification of the assay."""
    shapes: dict[str, Schema] = {"name": {"const": name}}
    for key in request.keys:
        shapes[key.name] = {**_value_of(key), "description": key.says}
        if key.entry in ("time", "times"):
            shapes["time_h"] = _one(_HOURS) if key.entry == "time" else _or_list(_HOURS)
        for old in key.was:
            shapes[old] = {**_value_of(key), "description": f"the earlier name of {key.name}", "deprecated": True}
    return _table(assays.keys_of(request), shapes, needed=["name", *(key.name for key in request.keys if key.needed)])


_ASSAY: Schema = {"oneOf": [_request(name, request) for name, request in REQUESTS.items()]}
_STUDY: dict[str, Schema] = {
    "schema_version": {"const": SCHEMA_VERSION},
    "title": _TEXT,
    "seed": _whole(0, resolve.LARGEST_SEED),
    "model": {
        **_table(
            known.MODEL_KEYS,
            {
                "circuit": _TEXT,
                "file": _TEXT,
                "digest": _TEXT,
                "reading": _TEXT,
                "targets": _map({"anyOf": [_TEXT, _SEQUENCE]}),
            },
        ),
        "oneOf": [{"required": ["circuit"]}, {"required": ["file"]}],
    },
    "cells": _map(
        _table(
            donors.CELLS,
            {"n": _whole(0, donors.MOST_CELLS), "variation": _map(_quantity(donors.VARIATION))},
            needed=["n"],
        ),
        least=1,
    ),
    "donors": _table(
        donors.DONORS,
        {
            "n": _whole(1, donors.MOST_DONORS),
            "draws": {"anyOf": [{"const": "central"}, _map({"anyOf": [_NUMBER, _DRAW]})]},
        },
    ),
    "culture": {
        **_table(culture.CULTURE, _CULTURE),
        "oneOf": [{"required": ["duration"]}, {"required": ["duration_h"]}],
    },
    "arms": _map(_ARM, pattern=f"^{arms.NAME.pattern}$", least=1),
    "readouts": _table(requests.READOUTS, _READOUTS),
    "replicates": _table(requests.REPLICATES, _REPLICATES),
    "assays": _list(_ASSAY, least=0),
    "claim": _table(
        requests.CLAIM,
        {
            "id": _TEXT,
            "holds_when": _TEXT,
            "given": _TEXT,
            "level": _quantity(requests.LEVEL),
            "share": _quantity(SHARE),
            "null": {**_table(requests.NULL, _VERBS), "minProperties": 1},
        },
        needed=requests.NEEDED_OF_CLAIM,
    ),
}

if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
