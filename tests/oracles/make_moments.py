"""Makes moments/: stochastic models of our own with exact means and standard deviations.

    python tests/oracles/make_moments.py

Moments come from closed forms or from the master equation (master.py); where both are there, they have to agree to
1e-8. The master equation is stated apart from the model's text. senexo takes no part in it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import antimony
import libsbml
import numpy as np
import scipy
from master import Floats, Master

FOLDER = Path(__file__).with_name("moments")
AGREE = 1e-8
Pair = tuple[Floats, Floats]
Closed = Callable[[Floats], Pair]


@dataclass(frozen=True)
class Process:
    """`text` in Antimony; closed: variable -> mean and standard deviation at all times; species: of the master
    equation, in the order of its axes; derived: variable -> (factor, species, added), linear in a species of either."""

    name: str
    about: str
    text: str
    end: float
    closed: Mapping[str, Closed] = field(default_factory=dict)
    master: Master | None = None
    species: tuple[str, ...] = ()
    derived: Mapping[str, tuple[float, str, float]] = field(default_factory=dict)
    amounts: tuple[str, ...] = ()
    points: int = 26

    @property
    def times(self) -> Floats:
        return np.linspace(0.0, self.end, self.points)

    def sbml(self) -> str:
        antimony.clearPreviousLoads()
        if antimony.loadAntimonyString(f"model {self.name}()\n{self.text}\nend\n") < 0:
            raise ValueError(f"{self.name}: {antimony.getLastError()}")
        document = libsbml.readSBMLFromString(antimony.getSBMLString(self.name))
        document.setLevelAndVersion(3, 2, False)
        return libsbml.writeSBMLToString(document)

    def moments(self) -> dict[str, Pair]:
        known = {
            name: tuple(np.broadcast_to(x, self.times.shape) for x in of(self.times))
            for name, of in self.closed.items()
        }
        if self.master is not None:
            means, deviations = self.master.moments(self.times)
            for name, *pair in zip(self.species, means, deviations, strict=True):
                for exact, found in zip(known.get(name, ()), pair, strict=False):
                    np.testing.assert_allclose(found, exact, rtol=AGREE, atol=AGREE, err_msg=f"{self.name}: {name}")
                known.setdefault(name, tuple(pair))
        return known | {name: (f * known[x][0] + a, abs(f) * known[x][1]) for name, (f, x, a) in self.derived.items()}


def poisson(mean: Callable[[Floats], Floats]) -> Closed:
    return lambda t: (mean(t), np.sqrt(mean(t)))


def decay(t: Floats, rate: float) -> Floats:
    return np.exp(-rate * np.clip(t, 0.0, None))


def immigration_death(start: float, make: float, lose: float) -> Closed:
    """Binomial survivors of the start and a Poisson number of those that came since."""

    def of(t: Floats) -> Pair:
        q = decay(t, lose)
        new = make / lose * (1.0 - q)
        return start * q + new, np.sqrt(start * q * (1.0 - q) + new)

    return of


def birth_death(start: float, birth: float, death: float) -> Closed:
    def of(t: Floats) -> Pair:
        g = np.exp((birth - death) * t)
        spread = 2.0 * birth * t if birth == death else (birth + death) / (birth - death) * g * (g - 1.0)
        return start * g, np.sqrt(start * spread)

    return of


def batches(make: float, size: int, lose: float) -> Closed:
    def of(t: Floats) -> Pair:
        q = decay(t, lose)
        variance = make * (size / lose * (1 - q) + size * (size - 1) / (2 * lose) * (1 - q * q))
        return make * size / lose * (1 - q), np.sqrt(variance)

    return of


def reset(before: Closed, after: Closed, moment: float) -> Closed:
    def of(t: Floats) -> Pair:
        return tuple(
            np.where(t < moment, b, a) for b, a in zip(before(t), after(np.clip(t - moment, 0, None)), strict=True)
        )  # type: ignore[return-value]

    return of


def given(moments: tuple[float, ...], size: int, lose: float) -> Closed:
    """Doses of a fixed number, of which each molecule survives apart from the others."""

    def of(t: Floats) -> Pair:
        left = [np.where(t >= m, decay(t - m, lose), 0.0) for m in moments]
        return size * sum(left), np.sqrt(size * sum(q * (1 - q) for q in left))

    return of


def sum_of(*parts: Closed) -> Closed:
    """Independent parts of one count."""

    def of(t: Floats) -> Pair:
        found = [part(t) for part in parts]
        return sum(m for m, _ in found), np.sqrt(sum(s * s for _, s in found))  # type: ignore[return-value]

    return of


def under_tide(t: Floats) -> Floats:
    """x' = 8 (1 + sin(0.5 t)) - 0.4 x from 0."""
    a, w, m = 8.0, 0.5, 0.4
    return a / m * (1 - np.exp(-m * t)) + a / (m * m + w * w) * (
        m * np.sin(w * t) - w * np.cos(w * t) + w * np.exp(-m * t)
    )


def by_day(t: Floats) -> Floats:
    """20 a time unit from 2 to 5, 1 otherwise, lost at 0.2."""
    return (
        5 * (1 - decay(t, 0.2))
        + 95 * (decay(t - 5, 0.2) * (t >= 2) - decay(t - 2, 0.2) * (t >= 2)) * (t >= 5)
        + 95 * (1 - decay(t - 2, 0.2)) * ((t >= 2) & (t < 5))
    )


PAIRS = [((-2, 1), lambda p, d: 0.001 * p * (p - 1) / 2), ((2, -1), lambda p, d: 0.01 * d)]
HILL = [((1,), lambda x: 0.6 + 12.0 * x**4 / (12.0**4 + x**4)), ((-1,), lambda x: 0.5 * x)]


def meeting(rate: float) -> list[tuple[tuple[int, ...], Callable[..., Floats]]]:
    return [((-2, 1), lambda a, b: rate * a * (a - 1)), ((0, -1), lambda a, b: 0.2 * b)]


PROCESSES = (
    Process("arrivals", "immigration and death from none", "substanceOnly species X = 0; => X; 1; X => ; 0.1*X;", 50.0,
            {"X": immigration_death(0, 1.0, 0.1)}),
    Process("arrivals_from_many", "the same from 100, its constants parameters", """
        substanceOnly species X = 100; => X; make; X => ; lose*X; make = 5; lose = 0.2;""", 40.0,
            {"X": immigration_death(100, 5.0, 0.2)}),
    Process("arrivals_by_concentration", "the same in a compartment of size 4, as a concentration", """
        compartment c = 4; species X in c = 3; => X; 0.5*c; X => ; 0.1*X*c;""", 50.0, {"n": immigration_death(12, 2.0, 0.1)},
            derived={"X": (0.25, "n", 0.0)}),
    Process("births_and_deaths", "a population that shrinks", "substanceOnly species X = 100; X => 2 X; 0.1*X; X => ; 0.11*X;",
            50.0, {"X": birth_death(100, 0.1, 0.11)}),
    Process("births", "Yule's process from 10", "substanceOnly species X = 10; X => 2 X; 0.08*X;", 40.0,
            {"X": birth_death(10, 0.08, 0.0)}),
    Process("few", "three founders, births as likely as deaths", "substanceOnly species X = 3; X => 2 X; 0.5*X; X => ; 0.5*X;",
            6.0, {"X": birth_death(3, 0.5, 0.5)}, Master((160,), (3,), [((1,), lambda x: 0.5 * x), ((-1,), lambda x: 0.5 * x)]), ("X",)),
    Process("batches", "five at a time", "substanceOnly species X = 0; => 5 X; 1; X => ; 0.2*X;", 30.0,
            {"X": batches(1.0, 5, 0.2)}),
    Process("dimers", "2 P <-> D from 100", """
        substanceOnly species P = 100, D = 0; 2 P => D; 0.001*P*(P - 1)/2; D => 2 P; 0.01*D;""", 50.0,
            master=Master((101, 51), (100, 0), PAIRS), species=("P", "D")),
    Process("dimers_by_concentration", "2 A -> B in a compartment of size 2, read as a concentration", """
        compartment c = 2; species A in c = 30; species B in c = 0; 2 A => B; 0.05*A*(A - 1/c)*c; B => ; 0.2*B*c;""", 20.0,
            master=Master((61, 31), (60, 0), meeting(0.05 / 2)), species=("a", "b"),
            derived={"A": (0.5, "a", 0.0), "B": (0.5, "b", 0.0)}),
    Process("telegraph", "a gene that is on and off, and its mRNA", """
        substanceOnly species G = 0, M = 0; => G; 0.3*(1 - G); G => ; 0.7*G; => M; 12*G; M => ; 0.5*M;""", 20.0,
            master=Master((2, 90), (0, 0), [((1, 0), lambda g, m: 0.3 * (1 - g)), ((-1, 0), lambda g, m: 0.7 * g),
                                            ((0, 1), lambda g, m: 12.0 * g), ((0, -1), lambda g, m: 0.5 * m)]),
            species=("G", "M")),
    Process("set_back", "an event at 22.5 sets the count to 50", """
        substanceOnly species X = 0; => X; 1; X => ; 0.1*X; at time >= 22.5: X = 50;""", 50.0,
            {"X": reset(immigration_death(0, 1.0, 0.1), immigration_death(50, 1.0, 0.1), 22.5)}),
    Process("doses", "20 molecules every 5, between two events of a reaction or not", """
        substanceOnly species X = 0; X => ; 0.3*X; at time >= 2.5: X = X + 20; at time >= 7.5: X = X + 20
        at time >= 12.5: X = X + 20;""", 20.0, {"X": given((2.5, 7.5, 12.5), 20, 0.3)}),
    Process("dose_after_a_delay", "an event at 4, executed 3 later", """
        substanceOnly species X = 0; => X; 2; X => ; 0.25*X; at 3 after time >= 4, fromTrigger=false: X = X + 30;""", 20.0,
            {"X": sum_of(immigration_death(0, 2.0, 0.25), given((7.0,), 30, 0.25))}),
    Process("capped", "an event sets the count to 5 in the moment in which it reaches 30", """
        substanceOnly species X = 0; => X; 3; X => ; 0.05*X; at X >= 30: X = 5;""", 40.0,
            master=Master((31,), (0,), [((1,), lambda x: 3.0 + 0 * x), ((-1,), lambda x: 0.05 * x)],
                          caught=(lambda x: x >= 30, lambda x: (0 * x + 5,))), species=("X",)),
    Process("tide", "a rate of arrival that is a sine of time", """
        substanceOnly species X = 0; => X; 8*(1 + sin(0.5*time)); X => ; 0.4*X;""", 12.0, {"X": poisson(under_tide)}, points=13),
    Process("day", "a rate of arrival that jumps with time", """
        substanceOnly species X = 0; => X; piecewise(20, time >= 2 && time < 5, 1); X => ; 0.2*X;""", 12.0,
            {"X": poisson(by_day)}, points=25),
    Process("read_by_a_rule", "a variable that is a function of the count", """
        substanceOnly species X = 40; => X; 3; X => ; 0.15*X; Y := 2*X + 1;""", 20.0, {"X": immigration_death(40, 3.0, 0.15)},
            derived={"Y": (2.0, "X", 1.0)}),
    Process("enzyme", "five molecules of an enzyme and forty of its substrate", """
        substanceOnly species E = 5, S = 40, C = 0, P = 0; E + S => C; 0.02*E*S; C => E + S; 0.1*C; C => E + P; 0.3*C;""",
            50.0, master=Master((41, 6), (40, 0), [((-1, 1), lambda s, c: 0.02 * (5 - c) * s), ((1, -1), lambda s, c: 0.1 * c),
                                                   ((0, -1), lambda s, c: 0.3 * c)]), species=("S", "C"),
            derived={"E": (-1.0, "C", 5.0)}),
    Process("titration", "a small RNA that takes its target along", """
        substanceOnly species m = 10, s = 0; => m; 4; m => ; 0.4*m; => s; 3; s => ; 0.2*s; m + s => ; 0.3*m*s;""", 15.0,
            master=Master((60, 60), (10, 0), [((1, 0), lambda m, s: 4.0 + 0 * m), ((-1, 0), lambda m, s: 0.4 * m),
                                              ((0, 1), lambda m, s: 3.0 + 0 * m), ((0, -1), lambda m, s: 0.2 * s),
                                              ((-1, -1), lambda m, s: 0.3 * m * s)]), species=("m", "s")),
    Process("switch", "a gene that drives itself, between two states", """
        substanceOnly species X = 11; => X; 0.6 + 12*X^4/(12^4 + X^4); X => ; 0.5*X;""", 60.0,
            master=Master((110,), (11,), HILL), species=("X",)),
    Process("room", "an event at 5 halves the compartment: pairs meet twice as often", """
        compartment c = 4; substanceOnly species A in c = 50, B in c = 0; 2 A => B; 0.04*A*(A - 1)/c; B => ; 0.2*B
        at time >= 5: c = 2;""", 15.0, master=Master((51, 26), (50, 0), meeting(0.04 / 4), later=[(5.0, meeting(0.04 / 2))]),
            species=("A", "B"), points=31),
    Process("three_at_once", "a reaction that needs three of a kind", """
        substanceOnly species X = 30; => X; 4; 3 X => ; 0.002*X*(X - 1)*(X - 2);""", 10.0,
            master=Master((90,), (30,), [((1,), lambda x: 4.0 + 0 * x), ((-3,), lambda x: 0.002 * x * (x - 1) * (x - 2))]),
            species=("X",)),
)  # fmt: skip


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    index: dict[str, Any] = {"made_with": {"scipy": scipy.__version__, "numpy": np.__version__}, "processes": {}}
    for process in PROCESSES:
        (FOLDER / f"{process.name}.xml").write_text(process.sbml(), encoding="utf-8")
        moments = process.moments()
        shown = [name for name in moments if f'id="{name}"' in process.sbml()]
        with (FOLDER / f"{process.name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["time", *(f"{name}-{what}" for name in shown for what in ("mean", "sd"))])
            columns = [process.times, *(x for name in shown for x in moments[name])]
            writer.writerows([f"{x:.12g}" for x in row] for row in np.column_stack(columns))
        index["processes"][process.name] = {
            "about": process.about,
            "closed_form": sorted(process.closed),
            "master_equation": process.master is not None,
        }
    (FOLDER / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
