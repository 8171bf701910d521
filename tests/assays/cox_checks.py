"""A result of `survival` against R's coxph, cox.zph and concordance, for the tests that have such answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from senexo.assays.result import AssayResult

Z = 1.959963984540054


def level(rna: str) -> str:
    return f"log2({rna} + 1)"


def check_model(result: AssayResult, model: str, theirs: dict[str, Any], *, measured: bool = True) -> None:
    """Coefficients in R's order, likelihoods, concordance; p-values where the level was measured."""
    rows = result.tables["cox"][result.tables["cox"]["model"] == model]
    assert rows["coefficient"].to_list() == pytest.approx(theirs["coef"], rel=1e-6)
    assert rows["std_error"].to_list() == pytest.approx(theirs["se"], rel=1e-6)
    assert rows["hazard_ratio"].to_list() == pytest.approx(np.exp(theirs["coef"]).tolist(), rel=1e-6)
    low = np.exp(np.array(theirs["coef"]) - Z * np.array(theirs["se"]))
    assert rows["low"].to_list() == pytest.approx(low.tolist(), rel=1e-6)
    p = [x if measured or i else math.nan for i, x in enumerate(theirs["p"])]
    assert rows["p_value"].to_list() == pytest.approx(p, rel=1e-6, nan_ok=True)
    [fit] = result.tables["models"].query("model == @model").to_dict("records")
    assert [fit["null_log_likelihood"], fit["log_likelihood"]] == pytest.approx(theirs["loglik"], rel=1e-9)
    assert [fit["n"], fit["n_events"]] == [theirs["n"][0], theirs["events"][0]]
    share = [theirs["concordance"][0], theirs["concordance_se"][0]]
    assert [fit["concordance"], fit["concordance_error"]] == pytest.approx(share, rel=1e-6)
    checks = result.tables["proportional"].query("model == @model")
    assert checks["chi_square"].to_list() == pytest.approx(theirs["zph"], rel=1e-6)
