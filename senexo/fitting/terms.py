"""The likelihood of single measurements with its derivatives, as all laws of errors give it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Terms:
    """For each measurement: minus log-likelihood, derivatives by prediction and width, expected second derivatives.

    `residual`: difference of measurement and prediction on the scale of the error, in widths; of counts in standard
    deviations. Values are nan where a prediction or a width has no likelihood (a width of 0, a prediction that is not
    above 0 on a logarithmic scale). Where an expected second derivative has no closed form, the square of the first
    stands in its place.
    """

    value: Floats
    by_y: Floats
    by_width: Floats
    yy: Floats
    ww: Floats
    residual: Floats
