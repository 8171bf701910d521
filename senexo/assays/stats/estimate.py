"""An estimate with its interval, the levels of all intervals and tests, and a number as text prints it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

LEVEL = 0.95  # of every interval
ALPHA = 0.05  # of every test, after Holm's correction


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval; `p_value` of the test that it is zero, nan where nothing is tested."""

    value: float
    low: float
    high: float
    p_value: float = math.nan


class NotConverged(UserWarning):
    """A fit stopped before it reached the end of its search; its numbers are those of the last step."""


def not_converged(what: str) -> None:
    """Warn that a fit of this module's caller did not converge."""
    warnings.warn(f"{what} did not converge: its numbers are those of the last step", NotConverged, stacklevel=3)


def significant(value: float | None, digits: int = 3) -> str:
    """A number to three significant digits, thousands marked, without an exponent below a million."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    if value == 0 or not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits}g}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"
