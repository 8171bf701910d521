"""The errors a user may meet. Each says where, what was found, what is allowed and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one place of the user's input."""

    where: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}, expected {self.expected}"


class SenexoError(Exception):
    """Base of every error senexo raises on purpose; the command line prints it and exits with status 2."""


class UnsupportedFeature(SenexoError):
    """A model or request uses something senexo does not do; the text names it.

    `feature` is the short stable name (for example ``"algebraic rule"``) that reports and tests compare.
    """

    def __init__(self, feature: str, detail: str = "") -> None:
        self.feature = feature
        self.detail = detail
        super().__init__(f"{feature} is not supported" + (f": {detail}" if detail else ""))


class InvalidModel(SenexoError):
    """A model file cannot be read, or what it says is not a valid model."""


class SimulationError(SenexoError):
    """A simulation could not be carried to its end (step size vanished, a law went negative, ...)."""


class InvalidInput(SenexoError):
    """User input with one or more faults, all of them listed at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class StoreError(SenexoError):
    """Results cannot be written, read back or trusted (full disk, read-only folder, flipped bit)."""
