"""Bench statistics: the same code on measured and on simulated tables.

>>> import pandas as pd
>>> from senexo.assays import senescence
>>> counts = pd.DataFrame({"arm": ["mock", "mimic"], "donor": "a", "n_positive": [4, 52], "n_total": 200})
>>> senescence(counts).table["share"].to_list()
[0.02, 0.26]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from senexo.assays.specs import SPECS

if TYPE_CHECKING:
    from senexo.assays._balance.assay import balance as balance
    from senexo.assays._colonies.assay import colonies as colonies
    from senexo.assays._dilution.assay import dilution as dilution
    from senexo.assays._expression.assay import expression as expression
    from senexo.assays._fates.assay import fates as fates
    from senexo.assays._particles.assay import particles as particles
    from senexo.assays._power.assay import power as power
    from senexo.assays._qpcr.assay import qpcr as qpcr
    from senexo.assays._response.assay import response as response
    from senexo.assays._senescence.assay import senescence as senescence
    from senexo.assays._survival.assay import survival as survival

__all__ = [*SPECS]


def __getattr__(name: str) -> Any:
    if name not in SPECS:
        raise AttributeError(f"module 'senexo.assays' has no attribute {name!r}")
    return SPECS[name].function  # its module is imported on first use


def __dir__() -> list[str]:
    return sorted(__all__)
