"""A sample of leukaemia: the numbers that a donor draws for its mice, and what follows from them for a graft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from senexo.base.streams import generator
from senexo.engine.host.kinetics import Kinetics, kinetics
from senexo.lab import donors

if TYPE_CHECKING:
    from senexo.study.schema import Mouse

PER_DAY = 1.0 / 24.0
OF_MICE = "mouse "  # begins the names of a mouse's numbers where those of the circuit stand beside them


@dataclass(frozen=True, slots=True)
class Sample:
    """A donor's leukaemia in mice.

    Attributes
    ----------
    values
        The numbers of the mouse that this donor drew, as `study/mouse.csv` names them.
    rates
        Of undisturbed growth, per hour.
    stem_share
        Stem cells over all cells that are injected, homed or not.
    engrafts
        Whether its stem cells can engraft at all.
    """

    values: Mapping[str, float]
    rates: Kinetics
    stem_share: float
    engrafts: bool


def sample(mouse: Mouse, seed: int, donor: int) -> Sample:
    """The sample of a donor: the same in all arms, whichever other donors and arms there are."""
    renamed = {OF_MICE + name: draw for name, draw in mouse.draws.items()}
    drawn = donors.donor_values(renamed, seed, donor)
    values = {name.removeprefix(OF_MICE): value for name, value in drawn.items()}
    share = stem_share(values)
    rates = kinetics(
        division=values["division"] * PER_DAY, growth=values["growth"] * PER_DAY, resting=values["resting"],
        wake=values["wake"] * PER_DAY, stem_share=share, transit_division=values["transit_division"] * PER_DAY,
        loss=values["blast_loss"] * PER_DAY, egress=values["egress"] * PER_DAY,
        blood_loss=values["blood_loss"] * PER_DAY, stemness=values["stemness"],
    )  # fmt: skip
    engrafts = bool(generator(seed, "mouse", donor, "engrafts").random() >= values["no_engraftment"])
    return Sample(values, rates, share, engrafts)


def stem_share(values: Mapping[str, float]) -> float:
    """The true share of stem cells behind a frequency of initiating cells that a transplantation assay has found.

    An injected stem cell is counted by the assay if it homes (`seeding_of_assay`) and its line does not die out by
    chance (1 - q, q = ((1 - p) / p)^2 the extinction of one stem cell whose daughters stay stem cells with the
    probability p). Both are divided out here once; in a mouse of the study both happen again, once.
    """
    p = 0.5 * (1.0 + values["growth"] / ((1.0 - values["resting"]) * values["division"]))
    q = ((1.0 - p) / p) ** 2 if p < 1.0 else 0.0
    return float(min(0.5, values["lic_frequency"] / (values["seeding_of_assay"] * (1.0 - q))))


def homed_means(own: Sample, living: float, growing: float, senescent: float, escaped: float) -> np.ndarray:
    """Mean numbers of cells in marrow after an injection of `living` cells, in the order of the compartments.

    growing, senescent, escaped: of the stem cells, the shares of those that live. Stem cells home with the probability
    `seeding`, once; blasts are injected in the composition of balanced growth. All home alike.
    """
    rates, seeding = own.rates, own.values["seeding"]
    stem = living * seeding * own.stem_share * own.engrafts
    parts = rates.composition
    blasts = living * seeding * (1.0 - own.stem_share) * parts[2:] / parts[2:].sum()
    active, resting = parts[0], parts[1]
    return np.array([
        stem * growing * active, stem * growing * resting, stem * senescent, stem * escaped * active,
        stem * escaped * resting, *blasts,
    ])  # fmt: skip
