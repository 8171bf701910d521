"""Bench statistics: the same code on measured and on simulated tables.

>>> import pandas as pd
>>> from senexo.assays import senescence
>>> counts = pd.DataFrame({"arm": ["mock", "mimic"], "donor": "a", "n_positive": [4, 52], "n_total": 200})
>>> senescence(counts).table["share"].to_list()
[0.02, 0.26]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from senexo.assays.cell_fates import fates as fates
    from senexo.assays.clinical_response import response as response
    from senexo.assays.colony_counts import colonies as colonies
    from senexo.assays.limiting_dilution import dilution as dilution
    from senexo.assays.pcr import qpcr as qpcr
    from senexo.assays.rna import expression as expression
    from senexo.assays.sample_size import power as power
    from senexo.assays.staining import senescence as senescence
    from senexo.assays.time_to_event import survival as survival
    from senexo.assays.tracking import particles as particles
    from senexo.assays.transfer import balance as balance

# assay -> the module that holds it, imported on first use; a module of the same name would hide its function
HOMES = {
    "survival": "senexo.assays.time_to_event",
    "dilution": "senexo.assays.limiting_dilution",
    "senescence": "senexo.assays.staining",
    "qpcr": "senexo.assays.pcr",
    "expression": "senexo.assays.rna",
    "particles": "senexo.assays.tracking",
    "response": "senexo.assays.clinical_response",
    "power": "senexo.assays.sample_size",
    "fates": "senexo.assays.cell_fates",
    "colonies": "senexo.assays.colony_counts",
    "balance": "senexo.assays.transfer",
}

__all__ = [*HOMES]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'senexo.assays' has no attribute {name!r}")
    return getattr(importlib.import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
