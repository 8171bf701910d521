"""Laws of errors: minus log-likelihood of measurements, its derivatives by the prediction and by the width.

normal
    m = y + Normal(0, width); on the scales log and log10 the error is that of the (natural, decimal) logarithm, so that
    m is log-normal, with the density of m itself (the Jacobian 1/m, or 1/(m ln 10), is in the likelihood).
laplace
    The same with Laplace(0, width).

As PEtab 1 defines them (doi 10.1371/journal.pcbi.1008646, supporting text S1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from senexo.fitting.problem import Distribution, Scale

Floats = NDArray[np.float64]
_LN10 = float(np.log(10.0))


@dataclass(frozen=True, slots=True)
class Terms:
    """For each measurement: minus log-likelihood, derivatives by prediction and width, expected second derivatives.

    `residual`: difference of measurement and prediction on the scale of the error, in widths. Values are nan where a
    prediction or a width has no likelihood (a width of 0, a prediction that is not above 0 on a logarithmic scale).
    """

    value: Floats
    by_y: Floats
    by_width: Floats
    yy: Floats
    ww: Floats
    residual: Floats


def terms(scale: Scale, distribution: Distribution, m: Floats, y: Floats, width: Floats) -> Terms:
    """The terms of measurements m with predictions y [n] and widths [n]."""
    with np.errstate(all="ignore"):
        width = np.where(width > 0.0, width, np.nan)
        match scale:
            case "lin":
                measured, z, slope, jacobian = m, y, np.ones_like(y), np.zeros_like(m)
            case "log" | "log10":
                unit = 1.0 if scale == "log" else _LN10
                positive = np.where(y > 0.0, y, np.nan)
                measured, z = np.log(m) / unit, np.log(positive) / unit
                slope, jacobian = 1.0 / (positive * unit), np.log(m * unit)
            case _:
                assert_never(scale)
        u = (measured - z) / width
        match distribution:
            case "normal":
                value = jacobian + 0.5 * np.log(2.0 * np.pi) + np.log(width) + 0.5 * u * u
                by_z, by_width = -u / width, (1.0 - u * u) / width
                zz, ww = 1.0 / width**2, 2.0 / width**2
            case "laplace":
                value = jacobian + np.log(2.0 * width) + np.abs(u)
                by_z, by_width = -np.sign(u) / width, (1.0 - np.abs(u)) / width
                zz, ww = 1.0 / width**2, 1.0 / width**2
            case _:
                assert_never(distribution)
        return Terms(value, by_z * slope, by_width, zz * slope * slope, ww, u)
