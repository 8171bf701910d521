"""The specifications of all assays by name. A new assay has a line here and one in `senexo/assays/__init__.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from senexo.assays._balance.spec import SPEC as BALANCE
from senexo.assays._colonies.spec import SPEC as COLONIES
from senexo.assays._dilution.spec import SPEC as DILUTION
from senexo.assays._expression.spec import SPEC as EXPRESSION
from senexo.assays._fates.spec import SPEC as FATES
from senexo.assays._particles.spec import SPEC as PARTICLES
from senexo.assays._power.spec import SPEC as POWER
from senexo.assays._qpcr.spec import SPEC as QPCR
from senexo.assays._response.spec import SPEC as RESPONSE
from senexo.assays._senescence.spec import SPEC as SENESCENCE
from senexo.assays._survival.spec import SPEC as SURVIVAL
from senexo.assays.spec import Request, Spec

if TYPE_CHECKING:
    import pandas as pd

_ALL = (
    SURVIVAL, DILUTION, SENESCENCE, QPCR, EXPRESSION, PARTICLES, FATES, COLONIES, BALANCE, RESPONSE, POWER
)  # fmt: skip
SPECS: dict[str, Spec] = {spec.name: spec for spec in _ALL}
REQUESTS: dict[str, Request] = {spec.name: spec.request for spec in _ALL if spec.request is not None}


def example(name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A small made-up table of an assay and the options that read it.

    >>> from senexo.assays import colonies
    >>> table, options = example("colonies")
    >>> colonies(table, **options).findings[0].verdict
    'large'
    """
    return SPECS[name].example_table(), dict(SPECS[name].example)
