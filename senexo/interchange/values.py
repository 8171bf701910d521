"""Formulas of SED-ML over numbers and over arrays of results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.engine.formula.evaluate import evaluate
from senexo.interchange.document import Formula, math_of
from senexo.model.expression import Expression, Invoke, Slot, Symbol, Time, rewrite, walk

Floats = NDArray[np.float64]
MOST_VALUES = 50_000_000  # of all tasks of a document, of all its data generators, and of one formula's arrays
MOST_WORK = 2_000_000_000  # operations of one formula

_AGGREGATES: dict[str, Callable[[Floats], Any]] = {
    "min": np.nanmin, "max": np.nanmax, "sum": np.nansum, "product": np.nanprod,
}  # fmt: skip
# KiSAO's aggregation functions; those "ignoring NaN" and those that do not
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "KISAO:0000825": np.nanmean, "KISAO:0000826": lambda a, axis: np.nanstd(a, axis=axis, ddof=1),
    "KISAO:0000828": np.nanmax, "KISAO:0000829": np.nanmin, "KISAO:0000830": np.max, "KISAO:0000840": np.min,
    "KISAO:0000841": np.mean, "KISAO:0000842": lambda a, axis: np.std(a, axis=axis, ddof=1),
    "KISAO:0000844": np.nansum, "KISAO:0000845": np.sum, "KISAO:0000846": np.nanprod, "KISAO:0000847": np.prod,
    "KISAO:0000856": np.nanmedian, "KISAO:0000857": np.median,
    "KISAO:0000858": lambda a, axis: np.nanvar(a, axis=axis, ddof=1),
    "KISAO:0000859": lambda a, axis: np.var(a, axis=axis, ddof=1),
}  # fmt: skip


def number_of(formula: Formula, values: Mapping[str, float], where: str) -> float:
    """The number that a formula has for the values of its variables."""
    found = array_of(formula, {id: np.asarray(value, dtype=np.float64) for id, value in values.items()}, where)
    return float(np.asarray(found).reshape(-1)[0])


def array_of(formula: Formula, values: Mapping[str, Floats], where: str) -> Floats:
    """The array that a formula has for arrays of its variables.

    Arrays of fewer dimensions, and shorter ones, are extended by nan at their end: a variable of a plain task beside
    one of a repeated task has the same values in each repetition.
    """
    given = {**{id: np.asarray(value) for id, value in formula.constants.items()}, **values}
    math = math_of(formula)
    unknown = sorted({node.id for node in walk(math) if isinstance(node, Symbol)} - given.keys())
    if unknown or any(isinstance(node, Time) for node in walk(math)):
        raise InvalidModel(f"{where}: the formula names {', '.join(unknown) or 'time'}, which is none of its variables")
    arrays = dict(zip(given, padded(list(given.values())), strict=True))
    names = list(arrays)

    def slots(node: Expression) -> Expression:
        if isinstance(node, Symbol):
            return Slot(names.index(node.id))
        if isinstance(node, Invoke):
            if not isinstance(node.arguments[0], Slot):
                raise UnsupportedFeature(f"{node.function} of a formula", f"{where}; of a variable only")
            of = names[node.arguments[0].index]
            names.append(f"{node.function} of {of}")
            with np.errstate(all="ignore"):
                arrays[names[-1]] = np.full_like(arrays[of], _AGGREGATES[node.function](arrays[of]))
            return Slot(len(names) - 1)
        return node

    tree = rewrite(math, slots)
    work = sum(1 for _ in walk(tree)) * max((array.size for array in arrays.values()), default=1)
    if work > MOST_WORK:
        raise InvalidModel(f"{where}: a formula of this length over so many values ({work:,} operations)")
    stacked = (
        np.stack([np.asarray(arrays[name], dtype=np.float64) for name in names], axis=-1) if names else np.empty(0)
    )
    return np.asarray(evaluate(tree, stacked, 0.0), dtype=np.float64)


def padded(arrays: Sequence[Floats]) -> list[Floats]:
    """Arrays of one shape: dimensions are added before, where all repetitions have the same; nan fills the ends."""
    if not arrays:
        return []
    n = max(array.ndim for array in arrays)
    shapes = [(1,) * (n - array.ndim) + array.shape for array in arrays]
    whole = tuple(max(shape[k] for shape in shapes) for k in range(n))
    if (size := len(arrays) * prod(whole)) > MOST_VALUES:
        raise InvalidModel(f"results of {size:,} values side by side, at most {MOST_VALUES:,}")
    return [_filled(array.reshape(shape), whole) for array, shape in zip(arrays, shapes, strict=True)]


def _filled(array: Floats, shape: tuple[int, ...]) -> Floats:
    repeats = [shape[k] if array.shape[k] == 1 else 1 for k in range(len(shape))]
    array = np.tile(array, repeats) if array.ndim else array
    if array.shape == shape:
        return np.asarray(array, dtype=np.float64)
    found = np.full(shape, np.nan)
    found[tuple(slice(0, k) for k in array.shape)] = array
    return found


def stacked(parts: Sequence[Floats]) -> Floats:
    """Results side by side in a new first dimension, shorter ones filled up with nan."""
    return np.stack(padded([np.atleast_1d(part) for part in parts]))


def reduced(values: Floats, term: str, axes: Sequence[int] | None, where: str) -> Floats:
    """Values reduced along axes (None: all) by one of KiSAO's aggregation functions."""
    key = term.replace("_", ":").rpartition("#")[2]
    function = REDUCTIONS.get(key)
    if function is None:
        raise UnsupportedFeature(f"the aggregation {term}", where)
    with np.errstate(all="ignore"):
        return np.asarray(function(values, axis=None if axes is None else tuple(axes)), dtype=np.float64)
