"""What no model means is reported once, by name and time, in the result and on the command line; never in silence."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import senexo
from senexo.lab.simulation import SimulationMethod
from senexo.model.loading import parse

HEAD = "model m()\n  compartment c = 1; species x in c; x = 10; J: x => ; 0.1*x;\n"
BALL = "model ball()\n  h = 1; v = 0; h' = v; v' = -9.81;\n  bounce: at (h < 0) : v = -{}*v;\nend\n"


def run(text: str, method: SimulationMethod = "ode", runs: int = 1) -> xr.Dataset:
    network = parse(text.encode(), source="m.ant")
    return senexo.simulate(network, np.arange(6.0), method=method, runs=runs)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("q = 5; E: at (time > 2) : q = 0/0;", "q is not a number at time 3, the first output that shows it"),
        ("q = 5; E: at (time > 2) : q = 10^400;", "q is infinite at time 3, the first output that shows it (set by"),
        ("E: at (time > 2) : c = -1;", "c has a size that is not positive at time 3"),
        ("q := 10^(time*200);", "q is infinite at time 2, the first output that shows it (an assignment rule sets it)"),
        ("q := factorial(time*100);", "q is infinite at time 2"),
        ("species y in c; y = 7; K: y => ; 3;", "y is below zero at time 3"),
    ],
)  # fmt: skip
def test_each_is_reported_by_name_and_time(lines: str, said: str) -> None:
    attrs = run(f"{HEAD}  {lines}\nend\n").attrs
    assert attrs["status"] == "complete, with cautions"
    assert any(line.startswith(said) for line in attrs["cautions"].splitlines()), attrs["cautions"]
    assert len(attrs["cautions"].splitlines()) == 1
    assert ("(set by event E)" in attrs["cautions"]) == ("E:" in lines)


def test_a_sound_run_is_complete_and_says_nothing() -> None:
    for method in ("ode", "ssa"):
        attrs = run(f"{HEAD}end\n", method).attrs
        assert attrs["status"] == "complete"
        assert "cautions" not in attrs


def test_an_exact_run_names_the_run() -> None:
    attrs = run(f"{HEAD}  q := 10^(time*200);\nend\n", "ssa", 3).attrs
    assert attrs["cautions"].startswith("q is infinite at time 2 of run 0, the first output")


@pytest.mark.parametrize("elasticity", [0.3, 0.5, 0.8])
def test_a_ball_past_its_zeno_point(elasticity: float) -> None:
    """The sum of the intervals between bounces is t1 (1 + e) / (1 - e), with t1 = sqrt(2 h / g) until the first."""
    attrs = run(BALL.format(elasticity)).attrs
    (line,) = [line for line in attrs["cautions"].splitlines() if "Zeno" in line]
    point = math.sqrt(2 / 9.81) * (1 + elasticity) / (1 - elasticity)
    assert line.startswith("event bounce follows itself faster and faster")
    assert float(line.partition("until time ")[2].partition(",")[0]) == pytest.approx(point, abs=1e-4)


def test_a_ball_that_has_not_come_to_rest_is_no_zeno_point() -> None:
    """Three bounces within the run: intervals shrink, but do not vanish."""
    attrs = run(BALL.format(0.95)).attrs
    assert attrs["status"] == "complete"


def test_an_event_at_equal_intervals_is_no_zeno_point() -> None:
    text = f"{HEAD}  s = 0; s' = 1; E: at (s > 0.01) : s = 0;\nend\n"
    assert run(text).attrs["status"] == "complete"


def test_the_command_line_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from senexo.app.simulating import simulate_to

    (tmp_path / "m.ant").write_text(f"{HEAD}  q = 5; E: at (time > 2) : q = 0/0;\nend\n")
    simulate_to(tmp_path / "x.csv", str(tmp_path / "m.ant"), end=5.0, points=6, method="ode", runs=1, seed=0)
    assert capsys.readouterr().err == (
        "senexo: q is not a number at time 3, the first output that shows it (set by event E)\n"
    )
