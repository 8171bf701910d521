"""Long checks against theory and other tools: `python -m verify` runs them all and writes docs/verification.md.

Every module here whose name has no leading underscore is one check: its `main()` yields `Check` rows. A row holds what
was measured, the bar that was written down before running, and the verdict.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Literal

Relation = Literal["<=", "<", ">=", ">", "=="]
Verdict = Literal["pass", "fail", "not run", "no bar"]
_HOLDS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "==": operator.eq}


@dataclass(frozen=True, slots=True)
class Check:
    """One row: `figure` is what was measured, `bar` the threshold; a pass needs `figure relation bar` to hold.

    A check may ask for more than its bar shows (enough events seen, no fixed row missed), so a figure within its bar
    can still fail; a figure beyond its bar that is called a pass is an error of the check itself.

    Raises
    ------
    ValueError
        If `passed` is true although `figure relation bar` does not hold.
    """

    name: str
    figure: float
    bar: float
    passed: bool
    detail: str = ""
    relation: Relation = "<="
    kind: Literal["judged", "stated", "not run"] = "judged"

    def __post_init__(self) -> None:
        if self.kind == "judged" and self.passed and not _HOLDS[self.relation](self.figure, self.bar):
            raise ValueError(f"{self.name}: called a pass, but {self.figure!r} {self.relation} {self.bar!r} is false")

    @property
    def verdict(self) -> Verdict:
        if self.kind == "not run":
            return "not run"
        if self.kind == "stated":
            return "no bar"
        return "pass" if self.passed else "fail"


def stated(name: str, figure: float, detail: str = "") -> Check:
    """A figure that is reported without a bar: it can neither pass nor fail."""
    return Check(name, figure, float("nan"), True, detail, kind="stated")


def not_run(name: str, reason: str) -> Check:
    """A check whose input or program is not here. It counts as a failure of the whole run."""
    return Check(name, float("nan"), float("nan"), False, reason, kind="not run")
