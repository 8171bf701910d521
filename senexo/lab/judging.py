"""The assays a study asks for, on the tables of its run, and its claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from senexo.assays._qpcr.assay import qpcr
from senexo.assays._senescence.assay import senescence
from senexo.assays.result import AssayResult
from senexo.lab import donors
from senexo.lab.claim import null, verdict
from senexo.lab.coupled import assayed
from senexo.study.assays import COUPLED

if TYPE_CHECKING:
    from senexo.lab.claim.verdict import Verdict
    from senexo.lab.coupled.community import Community
    from senexo.lab.lone.culture import Culture
    from senexo.lab.lone.dish import Get
    from senexo.study.schema import Study


def judge(
    study: Study, tables: Mapping[str, pd.DataFrame], families: Mapping[str, Sequence[str]] | None = None
) -> list[AssayResult]:
    """The requested assays; what is asked of stained cells is asked of arrested ones too, where the model has them.

    families: of coupled cells, what each type is called and what becomes of it without a division.
    """
    how = study.replicates
    results: list[AssayResult] = []
    for request in study.assays:
        if request.name == "qpcr":
            # of a well without signal it is known that it held less than a copy, not that it lies beyond the last cycle
            limit = min(how.ct_cutoff, how.ct_one_copy + 3.0 * how.ct_sd)
            options: dict[str, Any] = {"cutoff": limit, "efficiency": how.efficiency, **request.options}
            results.append(qpcr(tables["qpcr"], **options))
        elif request.name != "senescence":
            results.append(assayed.judge(request.name, request.options, tables, families or {}, study.seed))
        else:
            results.append(senescence(tables["senescence"], **request.options))
            if "arrest" in tables:
                label = "arrested cells (off for 72 h, or committed)"
                options = {"readout": "arrested", "label": label, **request.options}
                results.append(senescence(tables["arrest"], **options))
    return results


def claim(culture: Culture | Community, get: Get) -> Verdict | None:
    """The study's claim judged from the stored units of both its worlds; None for a study without one."""
    study = culture.study
    if study.claim is None:
        return None
    compared = null.compared(study.claim)
    seen = null.read(culture, null.asked(study.claim), get)
    cut = null.read(culture, compared, get, world=null.WORLD)
    numbers = range(1, study.donors.n + 1)
    parameters = pd.DataFrame([donors.donor_values(study.donors.draws, study.seed, number) for number in numbers])
    return verdict.judge(study.claim, seen, cut, parameters, seed=study.seed)


def tables(results: Sequence[AssayResult], claim: Verdict | None) -> dict[str, pd.DataFrame]:
    """Every result's tables that hold anything, named assay_<what was read>_<table>_<number of the result>.

    And a claim's own.
    """
    own = claim.tables if claim else {}
    return own | {
        f"assay_{result.settings.get('readout', result.assay)}_{name}_{number}": table
        for number, result in enumerate(results, start=1)
        for name, table in result.tables.items()
        if len(table)
    }


def found(results: Sequence[AssayResult], claim: Verdict | None) -> dict[str, Any]:
    """findings.json: findings, EC50s and fitted curves each in one list, and every assay's method, settings, notes.

    A claim comes first among the findings, and whole as `claim`. What is not of one read-out is known by its assay and
    the number of the request.
    """
    whole = [result.to_dict() for result in results]
    for number, one in enumerate(whole, start=1):
        if one["assay"] in COUPLED:
            one.pop("curves", None)  # of incidence, in the tables; here those of responses to a dose are meant
            for finding in one["findings"]:
                finding["id"] = f"{one['assay']} {number}:{finding['id']}"
    joined: dict[str, Any] = {
        key: [row for one in whole for row in one.get(key, [])] for key in ("findings", "ec50", "curves")
    }
    if claim:
        joined = {**joined, "findings": [claim.finding(), *joined["findings"]], "claim": claim.to_dict()}
    return {**joined, "assays": [{key: one[key] for key in ("assay", "method", "settings", "notes")} for one in whole]}
