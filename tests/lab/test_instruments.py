"""Virtual instruments: one for every assay that a study can request; what they do where an assay has no answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from senexo.assays.specs import REQUESTS, SPECS
from senexo.base.errors import Fault, InvalidInput
from senexo.lab.instruments import INSTRUMENTS, Run, _not_testable, results
from senexo.study.schema import AssayRequest, Replicates


def test_instruments_are_those_of_the_requests() -> None:
    assert set(INSTRUMENTS) == set(REQUESTS)


def test_requests_are_whole() -> None:
    """The heading uses settings that the result has; keys are named once and have a meaning."""
    for name, request in REQUESTS.items():
        spec = SPECS[name]
        settings = {option.name: option.name for option in spec.options} | {f.name: f.name for f in spec.settings}
        assert request.title.format(**settings)
        keys = [key.name for key in request.keys]
        assert len(set(keys)) == len(keys)
        assert all(key.says for key in request.keys)
        assert not {old for key in request.keys for old in key.was} & set(keys)


def _run(tables: dict[str, pd.DataFrame]) -> Run:
    return Run(tables, Replicates.model_construct(), 1, {})


def _wells(fate: str) -> dict[str, pd.DataFrame]:
    """Two donors in two arms, three plated cells each, followed for 10 h; in arm a one of them has the fate at 5 h."""
    wells = [(arm, donor) for arm in "ab" for donor in (1, 2)]
    cells = [(arm, donor, f"{arm}{donor}{i}") for arm, donor in wells for i in range(3)]
    happened = [(a, d, cell) for a, d, cell in cells if a == "a" and cell.endswith("0")]
    lineage = pd.DataFrame(
        [(a, d, 1, cell, "", 0.0, "LSC", "plated", np.nan, "alive", 1.0) for a, d, cell in cells],
        columns=[
            "arm", "donor", "replicate", "lineage", "parent", "born_h", "cell_type", "origin", "ended_h", "end",
            "weight",
        ],
    )  # fmt: skip
    fates = pd.DataFrame(
        [(a, d, 1, 5.0, "LSC", fate, cell, 1.0) for a, d, cell in happened],
        columns=["arm", "donor", "replicate", "time_h", "cell_type", "fate", "lineage", "weight"],
    )
    counts = pd.DataFrame(
        [(a, d, 1, t, "LSC", "cells", 3.0, "cells") for a, d in wells for t in (0.0, 10.0)],
        columns=["arm", "donor", "replicate", "time_h", "cell_type", "quantity", "value", "unit"],
    )
    return {"lineage": lineage, "fates": fates, "counts": counts}


def test_a_fate_that_happened_to_no_cell_has_incidence_0() -> None:
    """Before, a run without a death ended with an error after all its wells were simulated."""
    request = AssayRequest(
        name="fates", options={"compare": [("a", "b")], "cause": ["death", "division"], "time_h": 10.0}
    )
    (result,) = results(request, _run(_wells("division")))
    incidence = result.tables["fractions"].set_index(["arm", "fate"])["incidence"]
    assert incidence.to_dict() == pytest.approx(
        {("a", "death"): 0.0, ("a", "division"): 1 / 3, ("b", "death"): 0.0, ("b", "division"): 0.0}
    )


def test_a_refusal_of_an_assay_is_a_finding_and_no_error() -> None:
    request = AssayRequest(name="fates", options={"compare": [("a", "nowhere")], "time_h": 10.0})
    (result,) = results(request, _run(_wells("division")))
    (finding,) = result.findings
    assert finding.verdict == "not testable"
    assert "'nowhere'" in finding.sentence
    assert REQUESTS["fates"].title.format(**result.settings) == "Fates of cells"


def test_every_refusal_has_the_heading_of_its_request() -> None:
    for name in REQUESTS:
        request = AssayRequest(name=name, options={"target": "miR-34c-5p"} if name == "qpcr" else {})
        result = _not_testable(request, request.options, InvalidInput([Fault("t", "x", "y")]))
        assert REQUESTS[name].title.format(**result.settings)
        assert "t: found x, expected y" in result.sentence
