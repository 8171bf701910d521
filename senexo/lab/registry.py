"""Which experiment a study is: one line per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from senexo.lab.claim import null

if TYPE_CHECKING:
    from senexo.lab.experiment import Experiment
    from senexo.model.loading import Model
    from senexo.study.schema import Study

Make = Callable[["Study", "Model"], "Experiment"]


def _coupled(study: Study, model: Model) -> Experiment:
    from senexo.lab.coupled.experiment import CoupledCells

    assert model.circuit is not None
    return CoupledCells(study, model.circuit)


def _independent(study: Study, model: Model) -> Experiment:
    from senexo.lab.lone.experiment import IndependentCells

    return IndependentCells(study, model.network, model.circuit)


# name -> (whether a study of this model is one, how it is made); the first that fits is taken
KINDS: Mapping[str, tuple[Callable[[Study, Model], bool], Make]] = {
    "cells that share a medium": (lambda study, model: bool(model.circuit and model.circuit.pools), _coupled),
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
