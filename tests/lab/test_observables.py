"""Every observable, of all cells and of a type, by every method and in every place, against a count by hand.

The wells are of a small circuit whose switch is turned off at 6 h: cells divide before, then rest, commit or die. They
are read every hour, and what a claim reads, or where a condition ends a well, is compared with what these read-outs of
single cells (or of types, by mean_field) say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senexo.base.errors import InvalidInput
from senexo.lab.claim import null
from senexo.lab.experiment import Experiment, World
from senexo.lab.observables import WellSummary, evaluate, lacks
from senexo.lab.registry import experiment_of
from senexo.study.methods import METHODS, NAMES
from senexo.study.observables import Observable, Quantity
from senexo.study.resolve import resolve

CIRCUIT = str(Path(__file__).parent.parent / "circuits" / "switch")
HOURS, OFF_FROM = 92, 6
SENESCENT, THRESHOLD, READOUTS = 2, 5.0, ("S", "Y")
# what is observed -> as a function of the whole well by hand, see `By`
ASKED = {
    "cells()": lambda by, t: by.cells(t, [0, 1, 2]),
    "cells(A)": lambda by, t: by.cells(t, [0, 1, 2]),
    "cells(A_G0)": lambda by, t: by.cells(t, [1]),
    "alive()": lambda by, t: by.cells(t, [0, 1, 2]) / by.cells(0, [0, 1, 2]),
    "alive(A_G0)": lambda by, t: by.cells(t, [1]) / by.cells(0, [1]),
    "alive(A)": lambda by, t: by.cells(t, [0, 1, 2]) / by.cells(0, [0, 1, 2]),
    "senescence()": lambda by, t: by.share(t, [0, 1, 2], by.senescent),
    "senescence(A)": lambda by, t: by.share(t, [0, 1, 2], by.senescent),
    "senescence(A_G0)": lambda by, t: by.share(t, [1], by.senescent),
    "arrested()": lambda by, t: by.share(t, [0, 1, 2], by.arrested),
    "arrested(A)": lambda by, t: by.share(t, [0, 1, 2], by.arrested),
    "arrested(A_G0)": lambda by, t: by.share(t, [1], by.arrested),
    "mean(S)": lambda by, t: by.mean(t, [0, 1, 2], 0),
    "mean(S, A)": lambda by, t: by.mean(t, [0], 0),
    "mean(Y, A_G0)": lambda by, t: by.mean(t, [1], 1),
}  # fmt: skip


def experiment(method: str, *, claim: str | None = None, given: str | None = None, **culture: Any) -> Experiment:
    raw: dict[str, Any] = {
        "title": "a switch", "seed": 3, "model": {"circuit": CIRCUIT}, "cells": {"A": {"n": 12}, "A_G0": {"n": 3}},
        "donors": {"n": 1}, "culture": {"duration": f"{HOURS} h", "method": method, **culture},
        "arms": {"a": {"actions": [{"target": "on", "operation": "set", "value": 0, "at": f"{OFF_FROM} h"}]}},
        "readouts": {"times": [f"{hour} h" for hour in range(HOURS + 1)], "grid": "1 h"},
    }  # fmt: skip
    if METHODS[method].windowed:  # type: ignore[index]
        raw["culture"]["window_check_wells"] = 0
    if claim:
        raw["claim"] = {"id": "C", "holds_when": claim, "null": {"set": {"kS": 20}}}
        raw["claim"] |= {"given": given} if given else {}
    return experiment_of(resolve(raw))


class By:
    """The well at every hour from the arrays of a unit: rows of cells, or of types by mean_field."""

    def __init__(self, arrays: Any, *, single: bool) -> None:
        self.single, self.rows = single, []
        if single:
            ends = np.cumsum(arrays["rows"])
            for end, n in zip(ends, arrays["rows"], strict=True):
                part = {name: arrays[name][end - n : end] for name in ("type", "key", "weight", "values")}
                self.rows.append([
                    (int(kind), tuple(key), float(weight), values[WATCHED])
                    for kind, key, weight, values in zip(*part.values(), strict=True)
                ])  # fmt: skip
        else:
            for numbers, means in zip(arrays["numbers"], arrays["of_types"], strict=True):
                self.rows.append([(k, k, n, means[k]) for k, n in enumerate(numbers) if n > 0])

    def cells(self, t: int, kinds: list[int]) -> float:
        return sum(weight for kind, _, weight, _ in self.rows[t] if kind in kinds)

    def share(self, t: int, kinds: list[int], true: Callable[[int, Any], bool]) -> float:
        there = [(weight, true(t, row)) for row in self.rows[t] for kind, _, weight, _ in [row] if kind in kinds]
        total = sum(weight for weight, _ in there)
        return sum(weight for weight, yes in there if yes) / total if there else np.nan

    def senescent(self, t: int, row: Any) -> bool:
        return bool(row[0] == SENESCENT)

    def arrested(self, t: int, row: Any) -> bool:
        """Senescent, or there and off at each of the hours t - 72 to t."""
        return self.senescent(t, row) or (t >= 72 and all(self._off(h, row[1]) for h in range(t - 72, t + 1)))

    def _off(self, t: int, key: Any) -> bool:
        return any(row[1] == key and row[3][1] < THRESHOLD for row in self.rows[t])

    def mean(self, t: int, kinds: list[int], column: int) -> float:
        there = [(weight, values[column]) for kind, _, weight, values in self.rows[t] if kind in kinds]
        return sum(w * x for w, x in there) / sum(w for w, _ in there) if there else np.nan


def columns() -> list[int]:
    made = experiment("hybrid")
    return [made.networks[0].slot(id) for id in READOUTS]


WATCHED = columns()


@cache
def read(method: str) -> tuple[Experiment, Any, By]:
    """A well that nothing ends, its arrays, and what they say by hand."""
    made = experiment(method)
    made.compile()
    arrays = made.simulate_unit(made.units()[0], lambda: False)
    return made, arrays, By(arrays, single=METHODS[method].follows == "cells")  # type: ignore[index]


def observable(text: str, hour: float) -> Observable:
    name, words = text.rstrip(")").split("(")
    parts = [word for word in words.split(", ") if word]
    readout = parts.pop(0) if name == "mean" else None
    return Observable(Quantity(name), "a", hour, readout, parts[0] if parts else None)


def test_every_quantity_is_asked_of_all_cells_and_of_a_type() -> None:
    seen = {(observable(text, 0.0).quantity, observable(text, 0.0).cell_type is None) for text in ASKED}
    assert seen == {(quantity, whole) for quantity in Quantity if not quantity.of_hosts for whole in (True, False)}


@pytest.mark.parametrize("text", ASKED)
@pytest.mark.parametrize("method", NAMES)
def test_a_claim_reads_what_the_well_shows(method: str, text: str) -> None:
    """At every hour; nan where there is no cell to show it."""
    made, arrays, by = read(method)
    found = [made.value(observable(text, float(t)), made.units()[0], arrays) for t in range(HOURS + 1)]
    expected = [ASKED[text](by, t) for t in range(HOURS + 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    if text != "senescence(A_G0)":  # none is
        assert len({round(x, 6) for x in expected if np.isfinite(x)}) > 1


@pytest.mark.parametrize("text", ASKED)
@pytest.mark.parametrize("method", NAMES)
def test_a_well_ends_at_the_first_hour_at_which_its_condition_holds(method: str, text: str) -> None:
    """Its threshold lies between the extreme so far and a value that lies beyond it, as late as there is one."""
    _, _, by = read(method)
    series = np.array([ASKED[text](by, t) for t in range(HOURS + 1)])
    condition, hour = late_record(text, series)
    made = experiment(method, stop_when=condition)
    made.compile()
    arrays = made.simulate_unit(made.units()[0], lambda: False)
    assert arrays["ended"].tobytes().decode() == (f"stop_when became true at {hour} h" if hour else "")
    assert list(arrays["at"]) == list(range((hour or HOURS) + 1))  # the state in which a well ended is its last


def late_record(text: str, series: np.ndarray) -> tuple[str, int | None]:
    """A condition and the hour at which it becomes true first; one that never does where the series does not move."""
    for sign, values in ((">", series), ("<", -series)):
        best = np.fmax.accumulate(values)
        records = [t for t in range(2, len(values)) if values[t] > best[t - 1] + 1e-6]
        if records:
            hour = records[-1]
            limit = (best[hour - 1] + values[hour]) / 2 * (1 if sign == ">" else -1)
            return f"{text} {sign} {limit:.12g}", hour
    return f"{text} > {np.nanmax(series) + 0.5:g}", None


@pytest.mark.parametrize("method", NAMES)
def test_given_and_null_read_with_the_same_evaluator(method: str) -> None:
    """All observables of a claim, of its `given` and of its null, at three hours, by `null.read`."""
    hours = (6, 80, 92)
    texts = [f"{text[:-1].replace('(', '(a, ', 1)}" for text in ASKED]
    told = []
    for text in ASKED:
        name, words = text.rstrip(")").split("(")
        parts = [word for word in words.split(", ") if word]
        first = [parts.pop(0)] if name == "mean" else []
        told += [f"{name}({', '.join([*first, 'a', *parts, f'{hour} h'])})" for hour in hours]
    assert len(told) == 3 * len(texts)
    claim, given = " + ".join(told[::2]) + " > 0", " + ".join(told[1::2]) + " > 0"
    made = experiment(method, claim=claim, given=given)
    made.compile()
    assert made.study.claim is not None
    wanted = null.read_by(made.study.claim)
    assert {(one.quantity, one.cell_type, one.readout, one.time_h) for one in wanted} == {
        (one.quantity, one.cell_type, one.readout, one.time_h)
        for text in ASKED for hour in hours for one in [observable(text, float(hour))]
    }  # fmt: skip
    (unit,) = [unit for unit in made.units() if unit.world is World.STUDY]
    single = METHODS[method].follows == "cells"  # type: ignore[index]
    for world in (World.STUDY, World.NULL):
        own = replace(unit, world=world)
        arrays = {own.chunk: made.simulate_unit(own, lambda: False)}
        by = By(arrays[own.chunk], single=single)
        found = null.read(made, wanted, arrays.__getitem__, world=world)
        for one in wanted:
            inside = ", ".join(word for word in (one.readout, one.cell_type) if word)
            expected = ASKED[f"{one.quantity.value}({inside})"](by, int(one.time_h))
            np.testing.assert_allclose(found[one], [expected], rtol=1e-9, atol=1e-9)
    assert by.mean(80, [0, 1, 2], 0) > 1.5 * read(method)[2].mean(80, [0, 1, 2], 0)  # twice as much S is made


@pytest.mark.parametrize("method", [name for name in NAMES if METHODS[name].follows == "cells"])
def test_half_dead_is_half_dead(method: str) -> None:
    """The case in which single cells never stopped and mean_field stopped a living well after an hour."""
    given = {"duration": "20 h", "stop_when": "alive() < 50 %"}
    alive, dying = (half_dead(method, kill, given) for kill in (False, True))
    assert alive == ""
    assert dying.startswith("stop_when became true at ")


def test_half_dead_is_half_dead_by_mean_field() -> None:
    """By 0.3 an hour after 6 h, from a well that changed by little before: 50 % after ln(2)/0.303 = 2.3 h or so."""
    given = {"duration": "20 h", "stop_when": "alive() < 50 %"}
    assert half_dead("mean_field", False, given) == ""
    assert half_dead("mean_field", True, given) in ("stop_when became true at 9 h", "stop_when became true at 10 h")


def half_dead(method: str, kill: bool, culture: dict[str, Any]) -> str:
    """Why a well ended in which, from 6 h on, every cell dies by 0.3 an hour (or none more than by 0.003)."""
    death = {"target": "more_death", "operation": "set", "value": 0.3, "at": "6 h"}
    made = experiment_of(resolve({
        "title": "dying", "seed": 3, "model": {"circuit": CIRCUIT}, "cells": {"A": {"n": 30}}, "donors": {"n": 1},
        "culture": {"method": method, **culture}, "arms": {"a": {"actions": [death]} if kill else {}},
        "readouts": {"times": ["0 h", "20 h"], "grid": "5 h"},
    }))  # fmt: skip
    made.compile()
    arrays = made.simulate_unit(made.units()[0], lambda: False)
    return arrays["ended"].tobytes().decode()


def test_cells_that_stand_for_others_count_by_their_weight() -> None:
    """At most 10 of 60 plated cells are simulated, and a well that has all its cells is alive."""
    culture = {"duration": "20 h", "most_cells": 10, "rare_cells": 4}
    assert half_dead("split", False, {**culture, "stop_when": "alive() < 95 % or cells() < 28"}) == ""


def test_what_a_model_cannot_show_is_refused_in_a_condition(tmp_path: Path) -> None:
    """By name, for each quantity: here there is neither a switch nor a commitment."""
    for file in Path(CIRCUIT).iterdir():
        text = file.read_text().replace('[arrest]\nid = "Y"\nbelow = 5\n', "").replace('"commitment"', '"turning"')
        (tmp_path / file.name).write_text(text)
    raw = {
        "title": "t", "model": {"circuit": str(tmp_path)}, "cells": {"A": {"n": 3}}, "arms": {"a": {}},
        "culture": {"duration": "5 h", "stop_when": "arrested() > 0.5 or senescence(A) > 0.5 or alive() < 0.5"},
        "readouts": {"times": ["0 h", "5 h"]},
    }  # fmt: skip
    with pytest.raises(InvalidInput) as refusal:
        experiment_of(resolve(raw))
    told = [str(fault) for fault in refusal.value.faults]
    assert len(told) == 2
    assert "arrested(...), expected a model with a switch that arrests" in told[0]
    assert "senescence(...), expected a model with the fate commitment" in told[1]


def test_every_quantity_has_a_verdict_on_what_it_takes() -> None:
    for quantity in Quantity:
        assert (lacks(quantity, {"commitment"}, object()) is None) == (not quantity.of_hosts)
    of_cells = {quantity for quantity in Quantity if not quantity.of_hosts}
    assert {q for q in of_cells if lacks(q, (), None)} == {Quantity.SENESCENCE, Quantity.ARRESTED}


def test_an_empty_well_shows_numbers_and_no_shares() -> None:
    nothing = np.zeros(1)
    well = WellSummary(("A",), nothing, np.array([4.0]), nothing, nothing, np.zeros((1, 1)), ("x",))
    shown = {q: evaluate(Observable(q, "a", 0.0, "x"), well, {"A": ("A",)}) for q in Quantity if not q.of_hosts}
    assert shown[Quantity.CELLS] == shown[Quantity.ALIVE] == 0.0
    assert all(np.isnan(shown[q]) for q in (Quantity.SENESCENCE, Quantity.ARRESTED, Quantity.MEAN))
    never = replace(well, plated=nothing)
    assert np.isnan(evaluate(Observable(Quantity.ALIVE, "a", 0.0), never, {"A": ("A",)}))


def test_the_case_that_failed_runs_to_its_end(tmp_path: Path) -> None:
    """`alive() < 50 %` on the shipped circuit: none of these wells loses half its cells in a day."""
    raw = tomllib.loads((Path(__file__).parent / "data" / "stop-when.toml").read_text())
    made = experiment_of(resolve(raw))
    arrays = made.simulate_unit(made.units()[0], lambda: False)
    assert arrays["ended"].tobytes() == b""
    assert np.isfinite(arrays["numbers"]).all()
