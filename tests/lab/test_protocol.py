"""Timelines: every grid time once, every action in its place, and nothing that depends on a name."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from senexo.base.errors import InvalidInput
from senexo.engine.formula.lower import lower
from senexo.lab.protocol import act, check, occurrences, stretches
from senexo.model.expression import Symbol
from senexo.model.network import Network, Parameter, Rule
from senexo.study.read import read_study
from senexo.study.schema import Action, Arm

TINY = Path(__file__).parents[1] / "circuits" / "tiny.toml"
GRID = np.arange(0.0, 25.0, 6.0)


def action(time_h: float | None = None, target: str = "k", operation: str = "add", value: float = 1.0) -> Action:
    return Action(time_h=time_h, target=target, operation=operation, value=value, verb="dose", of="x")  # type: ignore[arg-type]


def arm(*schedule: Action, family: str = "a", genotype: tuple[Action, ...] = ()) -> Arm:
    return Arm(family=family, dose_label="", summary="", genotype=genotype, schedule=schedule)


@pytest.mark.parametrize("hours", [[], [0.0], [0.0, 0.0, 12.0], [3.0, 12.0, 12.5], [23.9], [24.0], [24.0, 99.0]])
def test_every_grid_time_but_the_first_is_kept_once(hours: list[float]) -> None:
    parts = stretches(GRID, [action(time) for time in hours])
    kept = np.concatenate([part.times[part.kept] for part in parts])
    np.testing.assert_array_equal(kept, GRID[1:])
    for before, after in itertools.pairwise(parts):
        assert before.times[-1] == after.times[0]
    done = [(part.times[0], len(part.actions)) for part in parts if part.actions]
    assert done == [(time, hours.count(time)) for time in sorted(set(hours)) if time < 24.0]


def test_actions_act_in_their_order_and_on_every_cell() -> None:
    v = np.array([[1.0, 10.0], [2.0, 20.0]])
    slot = {"k": 0, "x": 1}
    act(v, [action(target="x"), action(target="x", operation="multiply", value=2.0)], slot)
    act(v, [action(operation="set", value=5.0)], slot)
    np.testing.assert_array_equal(v, [[5.0, 22.0], [5.0, 42.0]])


def test_actions_that_would_be_lost_are_refused_all_at_once() -> None:
    rule = Rule("assignment", "ruled", Symbol("k"))
    parameters = (Parameter("k", 1.0), Parameter("ruled", constant=False))
    network = lower(Network("m", parameters=parameters, rules=(rule,)))
    arms = {"one": arm(action(0.0, "ruled")), "two": arm(genotype=(action(None, "nothing"),)), "good": arm(action(1.0))}
    study = read_study(TINY).model_copy(update={"arms": arms})
    with pytest.raises(InvalidInput) as refusal:
        check(study, network, ())
    assert [fault.where for fault in refusal.value.faults] == ["arms.one", "arms.two", "assays"]


def test_wells_are_keyed_by_what_is_effects() -> None:
    dose = action(0.0, value=30.0)
    arms = {"a": arm(dose), "b": arm(dose, family="other"), "c": arm(action(1.0, value=30.0)), "d": arm()}
    keys = occurrences(arms)
    assert keys[0][0] == keys[1][0]
    assert [key[1] for key in keys] == [0, 1, 0, 0]
    assert len({key[0] for key in keys}) == 3
    renamed = occurrences({f"new {name}": value for name, value in arms.items()})
    assert renamed == keys
    relabelled = arm(dose.model_copy(update={"verb": "express", "of": "y"}))
    assert occurrences({"a": relabelled})[0] == keys[0]
