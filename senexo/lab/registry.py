"""Which experiment a study is: one line per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from senexo.lab.claim import null
from senexo.study.methods import DEFAULT, METHODS

if TYPE_CHECKING:
    from senexo.lab.experiment import Experiment
    from senexo.model.loading import Model
    from senexo.study.schema import Study

Fits = Callable[["Study", "Model"], bool]
Make = Callable[["Study", "Model"], "Experiment"]


def _independent(study: Study, model: Model) -> Experiment:
    from senexo.lab.lone.experiment import IndependentCells

    return IndependentCells(study, model.network, model.circuit)


def _coupled(study: Study, model: Model) -> Experiment:
    from senexo.lab.coupled.design import WellDesign
    from senexo.lab.coupled.experiment import CoupledCells
    from senexo.lab.coupled.methods import cell_method
    from senexo.lab.coupled.wells import SingleCellWells

    assert model.circuit is not None
    design = WellDesign.of(study, model.circuit)
    return CoupledCells(design, SingleCellWells(design, cell_method(design)))


def _mean_field(study: Study, model: Model) -> Experiment:
    from senexo.lab.coupled.design import WellDesign
    from senexo.lab.coupled.experiment import CoupledCells
    from senexo.lab.mean_field.wells import MeanFieldWells

    assert model.circuit is not None
    design = WellDesign.of(study, model.circuit)
    return CoupledCells(design, MeanFieldWells(design))


def _mice(study: Study, model: Model) -> Experiment:
    from senexo.lab.mouse.experiment import MouseExperiment

    return MouseExperiment(study, model.network, model.circuit)


def _patients(study: Study, model: Model) -> Experiment:
    from senexo.lab.cohort.experiment import CohortExperiment

    return CohortExperiment(study, model.network, model.circuit)


def _shares_medium(study: Study, model: Model) -> bool:
    return bool(model.circuit and model.circuit.pools)


def _by_means(study: Study, model: Model) -> bool:
    return _shares_medium(study, model) and METHODS[study.culture.method or DEFAULT].follows == "means"


# name -> (whether a study of this model is one, how it is made); the first that fits is taken
KINDS: Mapping[str, tuple[Fits, Make]] = {
    "leukaemia in mice": (lambda study, model: study.mouse is not None, _mice),
    "patients": (lambda study, model: study.cohort is not None, _patients),
    "cells that share a medium, in the mean": (_by_means, _mean_field),
    "cells that share a medium": (_shares_medium, _coupled),
    "independent cells": (lambda study, model: True, _independent),
}


def experiment_of(study: Study) -> Experiment:
    """The experiment that a resolved study describes, not yet compiled.

    Raises
    ------
    InvalidInput
        For a study that its model does not fit: an action on what the model lacks, a claim that reads it.
    UnsupportedFeature
        For a model that this kind of experiment cannot simulate.
    """
    from senexo.model.loading import load

    model = load(study.model.circuit or study.model.file or "")
    made = next(make(study, model) for fits, make in KINDS.values() if fits(study, model))
    null.check(made)
    return made
