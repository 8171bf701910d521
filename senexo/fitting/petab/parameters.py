"""The parameter table of PEtab: bounds, scales, nominal values, priors."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, isnan, log, nan
from pathlib import Path
from typing import cast

from senexo.base.errors import Fault
from senexo.fitting.petab.sheet import Row, Sheet, identifiers, number, read_sheet
from senexo.fitting.priors import mass
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

_NEEDED_2 = ("parameterId", "estimate")
_KNOWN_2 = (*_NEEDED_2, "parameterName", "lowerBound", "upperBound", "nominalValue", "priorDistribution",
            "priorParameters")  # fmt: skip
_PRIORS_2: dict[str, PriorKind] = {
    "uniform": "uniform", "normal": "normal", "laplace": "laplace", "log-normal": "log-normal",
    "log-laplace": "log-laplace", "log-uniform": "log-uniform", "cauchy": "cauchy", "chisquare": "chisquare",
    "exponential": "exponential", "gamma": "gamma", "rayleigh": "rayleigh",
}  # fmt: skip
_ONE_NUMBER = ("chisquare", "exponential", "rayleigh")
_WIDE = 100.0  # ratio of bounds from which on a positive parameter is searched on a logarithmic scale


def read_parameters(path: Path, faults: list[Fault]) -> tuple[tuple[Parameter, ...], dict[str, str]]:
    """The parameters, and where each stands, for messages."""
    sheet = read_sheet(path, faults, needed=_NEEDED, known=_KNOWN)
    if not set(_NEEDED) <= set(sheet.columns):
        return (), {}
    found = {id: (_parameter(sheet, id, row), row) for id, row in identifiers(sheet, "parameterId")}
    return tuple(one for one, _ in found.values()), {id: row.at("parameterId") for id, (_, row) in found.items()}


def read_parameters_2(path: Path, faults: list[Fault]) -> tuple[tuple[Parameter, ...], dict[str, str]]:
    """The same of version 2. Positive parameters with wide bounds are searched on a logarithmic scale."""
    sheet = read_sheet(path, faults, needed=_NEEDED_2, known=_KNOWN_2)
    if not set(_NEEDED_2) <= set(sheet.columns):
        return (), {}
    found = {id: (_parameter_2(sheet, id, row), row) for id, row in identifiers(sheet, "parameterId")}
    parameters = [one for one, _ in found.values()]
    if any(one.prior is not None for one in parameters):
        parameters = [_uniform(one) if one.estimated and one.prior is None else one for one in parameters]
    return tuple(parameters), {id: row.at("parameterId") for id, (_, row) in found.items()}


def _uniform(parameter: Parameter) -> Parameter:
    if not isfinite(parameter.upper - parameter.lower):
        return parameter
    return replace(parameter, prior=Prior("uniform", parameter.lower, parameter.upper))


def _parameter_2(sheet: Sheet, id: str, row: Row) -> Parameter:
    estimated = row.raw("estimate") in ("true", "True")
    if row.raw("estimate") not in ("true", "false", "True", "False"):
        sheet.fault(row, "estimate", "true (estimated) or false (fixed at nominalValue)")
    nominal = number(row, "nominalValue") if row.text("nominalValue") or not estimated else None
    if not estimated:
        return Parameter(id, "lin", -inf, inf, nominal, False, name=row.text("parameterName") or None)
    lower, upper = (_bound(sheet, row, name) for name in ("lowerBound", "upperBound"))
    if not lower < upper:
        sheet.fault(row, "upperBound", f"a bound above lowerBound ({lower:g})")
        lower, upper = 1e-3, 1e3
    prior = _prior_2(sheet, row, lower, upper)
    if prior is None and not isfinite(upper - lower):
        sheet.fault(row, "upperBound" if isfinite(lower) else "lowerBound", "a finite bound, or a prior")
    scale: Scale = "log10" if lower > 0.0 and upper >= _WIDE * lower else "lin"
    if nominal is not None and scale != "lin" and nominal <= 0.0:
        nominal = None  # outside its bounds
    start = prior if not isfinite(upper - lower) else None
    return Parameter(id, scale, lower, upper, nominal, True, prior, start, row.text("parameterName") or None)


def _bound(sheet: Sheet, row: Row, column: str) -> float:
    try:
        value = float(row.raw(column))
    except ValueError:
        value = nan
    if isnan(value):
        sheet.fault(row, column, "a bound")
        return 1e-3 if column == "lowerBound" else 1e3
    return value


def _prior_2(sheet: Sheet, row: Row, lower: float, upper: float) -> Prior | None:
    kind, numbers = row.text("priorDistribution"), row.text("priorParameters")
    if not kind:
        if numbers:
            sheet.fault(row, "priorDistribution", f"one of {', '.join(_PRIORS_2)}")
        return None
    if kind not in _PRIORS_2:
        sheet.fault(row, "priorDistribution", f"one of {', '.join(_PRIORS_2)}")
        return None
    count = 1 if kind in _ONE_NUMBER else 2
    try:
        values = [float(text) for text in numbers.split(";")]
    except ValueError:
        values = []
    if len(values) != count:
        sheet.fault(row, "priorParameters", "one number" if count == 1 else "two numbers separated by ;")
        return None
    law = _PRIORS_2[kind]
    between = kind in ("uniform", "log-uniform")
    wrong = not values[0] < values[1] if between else not (values[-1] > 0.0 and (kind != "gamma" or values[0] > 0.0))
    if wrong or (kind == "log-uniform" and values[0] <= 0.0):
        expected = "a lower bound and a higher one" if between else "a width (scale, shape) above 0"
        sheet.fault(row, "priorParameters", expected)
        return None
    prior = Prior(law, values[0], values[-1] if count == 2 else 1.0)
    share = mass(prior, lower, upper)
    if not share > 0.0:
        sheet.fault(row, "priorParameters", f"a prior with some weight between the bounds {lower:g} and {upper:g}")
        return None
    return replace(prior, log_mass=log(share))


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
