"""Warnings of numerical libraries as cautions of a result: a fit that did not converge must not pass in silence."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from senexo.assays.result import AssayResult
    from senexo.assays.spec import Spec

OF_NUMERICS = (UserWarning, RuntimeWarning)  # and what derives from them: convergence, optimisation, linear algebra


def run_assay(spec: Spec, table: pd.DataFrame | None, **options: Any) -> AssayResult:
    """The result of the assay's function, with the warnings of numerical libraries as its cautions."""
    with recorded() as cautions:
        result: AssayResult = spec.function(table, **options)
    return replace(result, cautions=(*result.cautions, *cautions))


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The cautions of the block, filled when it ends; all other warnings are issued again.

    Python keeps one list of warning filters for all threads: use it in the main thread, around a whole call.

    >>> with recorded() as cautions:
    ...     warnings.warn("the fit did not converge")
    >>> cautions
    ['the fit did not converge']
    """
    cautions: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield cautions
    texts = [_text(one) for one in caught if issubclass(one.category, OF_NUMERICS)]
    cautions.extend(dict.fromkeys(texts))
    for one in caught:
        if not issubclass(one.category, OF_NUMERICS):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _text(caught: warnings.WarningMessage) -> str:
    """The message on one line, with the name of the library where it is not senexo's own."""
    parts = Path(caught.filename).parts
    library = parts[parts.index("site-packages") + 1] if "site-packages" in parts[:-1] else ""
    message = re.sub(r"\s+", " ", str(caught.message)).strip().rstrip(".")
    return f"{library}: {message}" if library and library != "senexo" else message
