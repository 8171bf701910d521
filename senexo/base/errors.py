"""The errors of senexo. Each message states where, what was found, what is expected and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_SHOWN = 20  # faults that one message writes out


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the user's input.

    Parameters
    ----------
    where
        File, path within a study, or row and column of a table.
    found, expected
        What stands there, and what is allowed there.
    """

    where: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}, expected {self.expected}"


class SenexoError(Exception):
    """Base of every error that senexo raises; the command line prints it and exits with status 2."""


class Notice(UserWarning):
    """What a user should know of an answer or a file, and need not act on; the command line prints it as one line."""


class UnsupportedFeature(SenexoError):
    """A model or request uses a feature that senexo does not have; the message names it.

    Parameters
    ----------
    feature
        Its short stable name, for example ``"algebraic rule"``.
    detail
        Where it occurs, or why it is refused.
    """

    def __init__(self, feature: str, detail: str = "") -> None:
        self.feature = feature
        self.detail = detail
        super().__init__(f"{feature} is not supported" + (f": {detail}" if detail else ""))


class InvalidModel(SenexoError):
    """A model file cannot be read, or is not a valid model."""


class SimulationError(SenexoError):
    """A simulation ended before its last time (step size underflow, a negative rate, ...)."""


class InvalidInput(SenexoError):
    """User input with one or more faults; the message lists the first 20 and counts the others.

    Parameters
    ----------
    faults
        The faults, in the order of the message.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        shown = self.faults if len(self.faults) <= MOST_SHOWN + 1 else self.faults[:MOST_SHOWN]
        lines = [str(fault) for fault in shown]
        if rest := len(self.faults) - len(lines):
            lines.append(f"... and {rest:,} more faults")
        super().__init__("\n".join(lines))


class StoreError(SenexoError):
    """Results cannot be written or read, or differ from what was written (full disk, read-only folder, flipped bit)."""


class LimitReached(SenexoError):
    """A limit that the user set was reached: the run ended with what had been computed, which can be continued."""
