"""A sample of the SBML semantic test suite; `python -m verify semantic` runs all 1,000 cases.

Every twentieth case; the four in which events of equal priority are executed in random order (the suite's own alarm
rates are 1e-6 to 2e-5 per run, and the seed is fixed); and those that bring in every tag of the cases 00001-01000,
nearly every pair of tags that occurs there, and a fast reaction. The tags also say which cases may be refused.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from verify.semantic import ARCHIVE, Verdict, cases, judge

EVERY_TWENTIETH = range(5, 1001, 20)
BY_LOT = (952, 964, 965, 966)
FOR_THEIR_TAGS = (
    6, 103, 130, 156, 258, 327, 388, 422, 489, 521, 580, 595, 598, 742, 870, 900, 926, 936, 957, 958, 992, 1000,
)  # fmt: skip
SAMPLE = [f"{number:05d}" for number in sorted({*EVERY_TWENTIETH, *BY_LOT, *FOR_THEIR_TAGS})]

TAGS = """
0D-Compartment AlgebraicRule Amount AssignedConstantStoichiometry AssignedVariableStoichiometry AssignmentRule
BoundaryCondition CSymbolAvogadro CSymbolDelay CSymbolTime Compartment Concentration ConstantSpecies ConversionFactors
DefaultValue EventIsNotPersistent EventIsPersistent EventNoDelay EventPriority EventT0Firing
EventUsesAssignmentTimeValues EventUsesTriggerTimeValues EventWithDelay FastReaction FunctionDefinition
HasOnlySubstanceUnits InitialAssignment InitialValueReassigned LocalParameters MultiCompartment NonConstantCompartment
NonConstantParameter NonUnityCompartment NonUnityStoichiometry Parameter RandomEventExecution RateRule Reaction
ReversibleReaction Species SpeciesReferenceInMath StoichiometryMath UncommonMathML
"""


@pytest.fixture(scope="module")
def judged(shared_data: Path) -> dict[str, tuple[frozenset[str], Verdict]]:
    """Tags and verdict of every case of the sample."""
    assert ARCHIVE.is_relative_to(shared_data)
    return {case.name: (case.tags, judge(case)) for case in cases(ARCHIVE, set(SAMPLE))}


@pytest.mark.parametrize("name", SAMPLE)
def test_case(name: str, judged: dict[str, tuple[frozenset[str], Verdict]]) -> None:
    verdict = judged[name][1]
    assert verdict.outcome == "passed", verdict.detail


def test_every_tag_is_met(judged: dict[str, tuple[frozenset[str], Verdict]]) -> None:
    assert frozenset().union(*(tags for tags, _ in judged.values())) == frozenset(TAGS.split())
    assert len(judged) == len(SAMPLE)
