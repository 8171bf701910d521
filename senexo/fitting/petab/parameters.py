"""The parameter table of PEtab v1: bounds, scales, nominal values, priors."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import cast

from senexo.base.errors import Fault
from senexo.fitting.petab.sheet import Row, Sheet, identifiers, number, read_sheet
from senexo.fitting.problem import SCALES, Parameter, Prior, PriorKind, Scale

_NEEDED = ("parameterId", "parameterScale", "lowerBound", "upperBound", "estimate")
_KNOWN = (*_NEEDED, "parameterName", "nominalValue", "initializationPriorType", "initializationPriorParameters",
          "objectivePriorType", "objectivePriorParameters")  # fmt: skip
_PRIORS: dict[str, tuple[PriorKind, bool]] = {
    "uniform": ("uniform", False), "normal": ("normal", False), "laplace": ("laplace", False),
    "logNormal": ("log-normal", False), "logLaplace": ("log-laplace", False),
    "parameterScaleUniform": ("uniform", True), "parameterScaleNormal": ("normal", True),
    "parameterScaleLaplace": ("laplace", True),
}  # fmt: skip


def read_parameters(path: Path, faults: list[Fault]) -> tuple[tuple[Parameter, ...], dict[str, str]]:
    """The parameters, and where each stands, for messages."""
    sheet = read_sheet(path, faults, needed=_NEEDED, known=_KNOWN)
    if not set(_NEEDED) <= set(sheet.columns):
        return (), {}
    found = {id: (_parameter(sheet, id, row), row) for id, row in identifiers(sheet, "parameterId")}
    return tuple(one for one, _ in found.values()), {id: row.at("parameterId") for id, (_, row) in found.items()}


def _parameter(sheet: Sheet, id: str, row: Row) -> Parameter:
    scale: Scale = "lin"
    if row.raw("parameterScale") in SCALES:
        scale = cast("Scale", row.raw("parameterScale"))
    else:
        sheet.fault(row, "parameterScale", f"one of {', '.join(SCALES)}")
    estimated = row.raw("estimate") in ("1", "1.0")
    if row.raw("estimate") not in ("0", "1", "0.0", "1.0"):
        sheet.fault(row, "estimate", "1 (estimated) or 0 (fixed at nominalValue)")
    lower, upper = _bounds(sheet, row, scale) if estimated else (-inf, inf)
    nominal = number(row, "nominalValue") if row.text("nominalValue") or not estimated else None
    prior = _prior(sheet, row, "objectivePrior") if estimated else None
    start = _prior(sheet, row, "initializationPrior") if estimated else None
    if estimated and nominal is not None and scale != "lin" and nominal <= 0.0:
        sheet.fault(row, "nominalValue", f"a number above 0 for the scale {scale}")
    return Parameter(id, scale, lower, upper, nominal, estimated, prior, start, row.text("parameterName") or None)


def _bounds(sheet: Sheet, row: Row, scale: Scale) -> tuple[float, float]:
    lower, upper = (number(row, name, "a finite bound") for name in ("lowerBound", "upperBound"))
    if lower is None or upper is None:
        return 1e-3, 1e3
    if scale != "lin" and lower <= 0.0:
        sheet.fault(row, "lowerBound", f"a bound above 0 for the scale {scale}")
        return 1e-3, 1e3
    if lower >= upper:
        sheet.fault(row, "upperBound", f"a bound above lowerBound ({lower:g})")
        return 1e-3, 1e3
    return lower, upper


def _prior(sheet: Sheet, row: Row, which: str) -> Prior | None:
    kind, numbers = row.text(f"{which}Type"), row.text(f"{which}Parameters")
    if not kind and not numbers:
        return None
    if kind and kind not in _PRIORS:
        sheet.fault(row, f"{which}Type", f"one of {', '.join(_PRIORS)}")
        return None
    kind = kind or "parameterScaleUniform"
    if not numbers:
        if kind in ("uniform", "parameterScaleUniform"):
            return None  # the bounds
        sheet.fault(row, f"{which}Parameters", "two numbers separated by ;")
        return None
    try:
        first, second = (float(text) for text in numbers.split(";"))
    except ValueError:
        sheet.fault(row, f"{which}Parameters", "two numbers separated by ;")
        return None
    law, on_scale = _PRIORS[kind]
    if law == "uniform" and not first < second:
        sheet.fault(row, f"{which}Parameters", "a lower bound and a higher one")
        return None
    if law != "uniform" and not second > 0.0:
        sheet.fault(row, f"{which}Parameters", "a location, and a width above 0")
        return None
    return Prior(law, first, second, on_scale)
