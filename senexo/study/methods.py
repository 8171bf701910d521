"""The methods by which cells that share a medium can be simulated: one row each.

A study names its method; messages, the JSON Schema and the defaults are read from here. What runs a method stands in
`senexo.lab.methods`, and a test holds the two tables together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

MethodName = Literal["hybrid", "split", "exact", "mean_field"]


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """What a study needs to know of a method.

    Attributes
    ----------
    follows
        "cells": every cell by itself; "means": numbers of cells and mean molecules per type.
    windowed
        Whether pools are held constant during windows of `culture.window`, so that there is a splitting error to check.
    """

    follows: Literal["cells", "means"]
    windowed: bool


METHODS: dict[MethodName, MethodInfo] = {
    "hybrid": MethodInfo("cells", windowed=True),
    "split": MethodInfo("cells", windowed=True),
    "exact": MethodInfo("cells", windowed=False),
    "mean_field": MethodInfo("means", windowed=False),
}
NAMES: tuple[MethodName, ...] = get_args(MethodName)
DEFAULT: MethodName = "hybrid"
