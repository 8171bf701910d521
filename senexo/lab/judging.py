"""The assays that a study requests, on the tables of its run, and its claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from senexo.assays.result import AssayResult, Finding
from senexo.lab import donors, instruments
from senexo.lab.claim import null, reach, verdict
from senexo.lab.experiment import World

if TYPE_CHECKING:
    from senexo.lab.claim.verdict import Verdict
    from senexo.lab.experiment import Experiment, Get
    from senexo.study.schema import Study

DOSE_RESPONSES = ("ec50", "curves")  # tables of the senescence assay that findings.json holds


@dataclass(frozen=True, slots=True)
class Answer:
    """One assay result and the number of the study's [[assays]] table that it answers, from 1.

    A request for senescence has two answers where the model has an arrest rule: stained cells and arrested cells.
    """

    request: int
    result: AssayResult

    @property
    def findings(self) -> list[Finding]:
        """The result's findings with their request, their ids unique in the whole run."""
        return [
            replace(finding, id=f"{self.request}:{finding.id}", request=self.request)
            for finding in self.result.findings
        ]

    @property
    def name(self) -> str:
        """What was read: the read-out of a senescence assay, else the assay."""
        return str(self.result.settings.get("readout", self.result.assay))


def judge(
    study: Study, tables: Mapping[str, pd.DataFrame], families: Mapping[str, Sequence[str]] | None = None
) -> list[Answer]:
    """Every requested assay on the tables of a run, in the order of the study.

    families: of coupled cells, each type -> its names, with those of its cells that changed without a division.
    """
    run = instruments.Run(tables, study.replicates, study.seed, families or {})
    return [
        Answer(number, result)
        for number, request in enumerate(study.assays, start=1)
        for result in instruments.results(request, run)
    ]


def claim(experiment: Experiment, get: Get) -> Verdict | None:
    """The study's claim judged from the stored units of both its worlds; None for a study without one."""
    study = experiment.study
    if study.claim is None:
        return None
    compared = null.compared(study.claim)
    seen = null.read(experiment, null.read_by(study.claim), get)
    cut = null.read(experiment, compared, get, world=World.NULL)
    numbers = range(1, study.donors.n + 1)
    parameters = pd.DataFrame([donors.donor_values(study.donors.draws, study.seed, number) for number in numbers])
    acts = reach.null_acts(study, experiment.circuit, experiment.networks)
    worlds = study.donors.are_worlds
    return verdict.judge(study.claim, seen, cut, parameters, seed=study.seed, null_acts=acts, worlds=worlds)


def tables(answers: Sequence[Answer], claim: Verdict | None) -> dict[str, pd.DataFrame]:
    """Every result's tables that have rows, named assay_<what was read>_<table>_<number of the request>.

    And a claim's own.
    """
    own = claim.tables if claim else {}
    return own | {
        f"assay_{answer.name}_{name}_{answer.request}": table
        for answer in answers
        for name, table in answer.result.tables.items()
        if len(table)
    }


def found(answers: Sequence[Answer], claim: Verdict | None) -> dict[str, Any]:
    """The content of findings.json.

    `findings`, `ec50` and `curves` (fitted dose-response curves) are lists of rows, each with the number of its
    request, the last two with the time (h) of the counts too. `assays` has an entry per result with its method,
    settings, notes and the ids of its findings. A claim is the first finding, and stands whole as `claim`.
    """
    findings = [asdict(finding) for answer in answers for finding in answer.findings]
    doses = {name: _dose_responses(answers, name) for name in DOSE_RESPONSES}
    content: dict[str, Any] = {"findings": findings, **doses}
    if claim:
        content["findings"] = [claim.finding(), *findings]
        content["claim"] = claim.to_dict()
    return {**content, "assays": [_about(answer) for answer in answers]}


def _dose_responses(answers: Sequence[Answer], table: str) -> list[dict[str, Any]]:
    """The rows of a dose-response table of every senescence result that has one, with their request and time."""
    return [
        {"request": answer.request, "time_h": answer.result.settings["time_h"], **row}
        for answer in answers
        if answer.result.assay == "senescence" and table in answer.result.tables
        for row in answer.result.to_dict()[table]
    ]


def _about(answer: Answer) -> dict[str, Any]:
    whole = answer.result.to_dict()
    return {
        "request": answer.request,
        **{key: whole[key] for key in ("assay", "method", "settings", "notes", "cautions")},
        "findings": [finding.id for finding in answer.findings],
    }
