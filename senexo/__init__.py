"""senexo: an in-silico laboratory for miRNA therapies of tumour stem cells, and its bench statistics."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0.dev0"

# name -> the module that holds it; imported on first use, so that `import senexo` stays fast
_HOMES = {
    "load": "senexo.model.loading",
    "Network": "senexo.model.network",
    "simulate": "senexo.lab.simulation",
    "fit": "senexo.fitting.fit",
    "exposure": "senexo.lab.exposure",
    "blood_counts": "senexo.lab.blood",
    "claims": "senexo.study.shipped_claims",
    "read_study": "senexo.study.read",
    "Study": "senexo.study.schema",
    "run": "senexo.workflow",
    "Results": "senexo.workflow",
    "open_results": "senexo.workflow",
    "SenexoError": "senexo.base.errors",
    "UnsupportedFeature": "senexo.base.errors",
    "InvalidModel": "senexo.base.errors",
    "InvalidInput": "senexo.base.errors",
    "SimulationError": "senexo.base.errors",
    "StoreError": "senexo.base.errors",
}

__all__ = [*_HOMES, "__version__", "assays"]


def __getattr__(name: str) -> Any:
    if name == "assays":
        return importlib.import_module("senexo.assays")
    if name not in _HOMES:
        raise AttributeError(f"module 'senexo' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
