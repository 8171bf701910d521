"""The discrete stochastic model test suite at n = 10,000, fixed seed, no repetition (see `verify.dsmts`)."""

from __future__ import annotations

from pathlib import Path

from verify.dsmts import BAR, SEED, cases, scores


def test_all_cases(shared_data: Path, tmp_path: Path) -> None:
    names = []
    for case in cases(shared_data / "sbml-test-suite" / "stochastic-00001-00019.tar.xz"):
        z, y, missed = scores(case, tmp_path, seed=SEED + int(case.name), runs=10_000)
        assert missed == 0, case.name
        assert z <= BAR, case.name
        assert y <= BAR, case.name
        names.append(case.name)
    assert names == [f"{number:05d}" for number in range(1, 20)]
