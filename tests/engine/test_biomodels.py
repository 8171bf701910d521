"""The published models agree with libRoadRunner and with the published curve; `verify.biomodels` has the whole list."""

from __future__ import annotations

from pathlib import Path

import pytest

from verify import biomodels
from verify.biomodels import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.number))
def test_agrees_with_libroadrunner(shared_data: Path, case: Case) -> None:
    assert case.file.is_relative_to(shared_data)
    check = biomodels.compared(case)
    assert check.passed, check


def test_agrees_with_the_published_curve(shared_data: Path) -> None:
    assert biomodels.PUBLISHED.is_relative_to(shared_data)
    check = biomodels.published()
    assert check.passed, check
