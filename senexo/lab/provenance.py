"""What a run was: what its results depend on, and what is needed to repeat them."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from senexo import __version__
from senexo.lab import tables
from senexo.study import doses

if TYPE_CHECKING:
    from senexo.lab.experiment import Experiment
    from senexo.study.schema import Study

LIBRARIES = ("numpy", "scipy", "numba", "pandas", "python-libsbml", "antimony")


def identity(study: Study) -> dict[str, str]:
    """Everything the results depend on, flat and as text: a folder is only continued by a run that has the same."""
    return {"senexo version": __version__, **dict(_flat(study.to_dict(), ""))}


def record(
    experiment: Experiment, digest: str, *, seconds: float, workers: int, cautions: Sequence[str]
) -> dict[str, Any]:
    """The content of run.json; `cautions`: what a reader must know of how cells were simulated."""
    study, founders = experiment.study, experiment.size().founders
    return {
        "version": __version__,
        "digest": digest,
        "seed": study.seed,
        "study_digest": study.digest,
        "model": study.model.circuit or study.model.file,
        "model_digest": study.model.digest,
        "prior": tables.prior(study),
        "n_arms": len(study.arms),
        "n_donors": study.donors.n,
        "n_cells": study.donors.n * sum(founders),
        "cells_per_well": dict(zip(study.arms, founders, strict=True)),
        "n_parameters": len(tables.numbers(study)),
        "n_assumed": len(tables.assumed(study)),
        "replays_cells": experiment.replays_cells,
        **_computed(seconds, workers),
        "cautions": [*cautions, *general_cautions(study), *doses.cautions(study, experiment.circuit)],
    }


def of_worlds(studies: Sequence[Study], digest: str, *, n_units: int, seconds: float, workers: int) -> dict[str, Any]:
    """The content of run.json of claims judged in named worlds; `studies`: every study in every world."""
    cautions = dict.fromkeys(caution for study in studies for caution in general_cautions(study))
    return {
        "version": __version__, "digest": digest, "seed": studies[0].seed,
        "study_digests": [study.digest for study in studies], "n_donors": studies[0].donors.n, "n_units": n_units,
        **_computed(seconds, workers), "cautions": list(cautions),
    }  # fmt: skip


def general_cautions(study: Study) -> Iterator[str]:
    """What a reader of the results must know whatever the experiment, in plain words."""
    yield from study.notices
    if study.donors.are_worlds:
        yield (
            "Donors are draws from the parameter table, not people: intervals over donors say how widely the table's"
            " ranges spread the answer, not how sure the biology is."
        )
    if study.model.targets:
        sources = "; ".join(f"{gene}: {given.source}" for gene, given in study.model.targets.items())
        yield f"Number and affinity of these genes' miRNA sites come from a sequence: {sources}."
    elif study.model.circuit:
        yield (
            "No 3'UTR sequence was given: how strong the miRNA's sites are is the parameter table's range"
            " (model.targets sets it from a sequence)."
        )
    if study.model.circuit:
        yield f"Prior: {tables.prior(study)} (model.prior; docs/circuit.md lists how the priors differ)."
    if study.model.reading:
        yield f"Affinity is read the way called '{study.model.reading}' (docs/targets.md)."
    if study.claim and study.donors.are_worlds:
        yield (
            f"The claim {study.claim.id} is judged in every draw of the parameter table, and in a null in which what it"
            " rests on is cut: the share of draws in which it is true says where in the table this circuit does it, and"
            " is no probability that cells do."
        )
    elif study.claim:
        yield (
            f"The claim {study.claim.id} is judged over donors of one set of ranges, against a null in which what it"
            " rests on is cut: that it holds says that this circuit can do it, not that cells do."
        )


def _flat(tree: Any, path: str) -> Iterator[tuple[str, str]]:
    """(dotted path, text) of every leaf; the order of arms is part of it, that of other tables is not."""
    if isinstance(tree, Mapping):
        if path == "arms":
            yield "order of arms", ", ".join(tree)
        for key, value in tree.items():
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list) and any(isinstance(item, Mapping) for item in tree):
        for index, item in enumerate(tree):
            yield from _flat(item, f"{path}[{index}]")
    else:
        yield path, str(tree)


def _computed(seconds: float, workers: int) -> dict[str, Any]:
    """How long a run took, and on what."""
    return {
        "wall_time_s": round(seconds, 1),
        "workers": workers,
        "platform": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "machine": platform.machine(),
            "cpu_features": _cpu_features(),
        },
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _cpu_features() -> str:
    import numpy as np

    found = np.show_config(mode="dicts") or {}
    return " ".join(found.get("SIMD Extensions", {}).get("found", []))
