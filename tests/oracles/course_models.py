"""The models of courses/: Antimony texts of our own, what is recorded of each, and the closed forms that are known.

`make_courses.py` writes them as SBML and computes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log

import antimony
import libsbml
import numpy as np
from numpy.typing import NDArray
from scipy.special import factorial

Floats = NDArray[np.float64]
Closed = Mapping[str, Callable[[Floats], Floats | float]]
Edit = Callable[[libsbml.SBMLDocument], None]


@dataclass(frozen=True)
class Course:
    """One model: `text` in Antimony, written as SBML `level`.`version`; what is recorded and what is known of it.

    amounts, concentrations: species recorded as such; others: compartments, parameters and stoichiometries.
    closed: variable -> its course, exactly. without: program -> why it does not judge this model.
    """

    name: str
    about: str
    text: str
    end: float
    level: tuple[int, int] = (3, 2)
    amounts: tuple[str, ...] = ()
    concentrations: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    closed: Closed = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    edit: Edit | None = None
    points: int = 41
    functions: str = ""

    @property
    def times(self) -> Floats:
        return np.linspace(0.0, self.end, self.points)

    @property
    def variables(self) -> tuple[str, ...]:
        return (*self.amounts, *self.concentrations, *self.others)

    def sbml(self) -> str:
        antimony.clearPreviousLoads()
        if antimony.loadAntimonyString(f"{self.functions}\nmodel {self.name}()\n{self.text}\nend\n") < 0:
            raise ValueError(f"{self.name}: {antimony.getLastError()}")
        document = libsbml.readSBMLFromString(antimony.getSBMLString(self.name))
        if not document.setLevelAndVersion(*self.level, False):
            raise ValueError(f"{self.name}: {document.getErrorLog().toString()}")
        if self.edit is not None:
            self.edit(document)
        again = libsbml.readSBMLFromString(libsbml.writeSBMLToString(document))
        again.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
        again.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
        again.checkConsistency()
        log = again.getErrorLog()
        if log.getNumFailsWithSeverity(libsbml.LIBSBML_SEV_ERROR):
            raise ValueError(f"{self.name}: {log.toString()}")
        again.getModel().unsetAnnotation()
        return libsbml.writeSBMLToString(again)


def steps(t: Floats, *pieces: tuple[float, float]) -> Floats:
    """The value of the last piece (from, value) whose moment has come."""
    found = np.zeros_like(t)
    for begin, value in pieces:
        found = np.where(t >= begin, value, found)
    return found


def doses(t: Floats, moments: list[float], size: float, rate: float) -> Floats:
    """Doses of one size that decay at one rate."""
    return sum(
        (np.where(t >= m, size * np.exp(-rate * np.clip(t - m, 0, None)), 0.0) for m in moments), np.zeros_like(t)
    )


def _conversion_factors(document: libsbml.SBMLDocument) -> None:
    """The model's factor for S, a factor of its own for P."""
    model = document.getModel()
    model.setConversionFactor("whole")
    model.getSpecies("P").setConversionFactor("own")


def _stoichiometry_math(document: libsbml.SBMLDocument) -> None:
    """Level 2: the product's stoichiometry is the formula n + 1."""
    product = document.getModel().getReaction(0).getProduct(0)
    product.createStoichiometryMath().setMath(libsbml.parseL3Formula("n + 1"))


def _stoichiometry_rule(document: libsbml.SBMLDocument) -> None:
    """Level 3: the product's stoichiometry is a variable with a rule."""
    product = document.getModel().getReaction(0).getProduct(0)
    product.setId("stoich")
    product.setConstant(False)
    rule = document.getModel().createAssignmentRule()
    rule.setVariable("stoich")
    rule.setMath(libsbml.parseL3Formula("1 + n / 2"))


def _shadowing_parameter(document: libsbml.SBMLDocument) -> None:
    """A local k = 2 in the first reaction, beside the global k = 0.1 which the second one reads."""
    local = document.getModel().getReaction(0).getKineticLaw().createParameter()
    local.setId("k")
    local.setValue(2.0)


def _first_order(t: Floats, k1: float, k2: float, start: float) -> Floats:
    """The middle of A -> B -> C."""
    return start * k1 / (k2 - k1) * (np.exp(-k1 * t) - np.exp(-k2 * t))


LN2 = log(2.0)

COURSES = (
    Course("chain", "A -> B -> C, first order", "A = 10; B = 0; C = 0; A -> B; 0.5*A; B -> C; 0.2*B;", 20.0,
           amounts=("A", "B", "C"), closed={
               "A": lambda t: 10 * np.exp(-0.5 * t), "B": lambda t: _first_order(t, 0.5, 0.2, 10),
               "C": lambda t: 10 - 10 * np.exp(-0.5 * t) - _first_order(t, 0.5, 0.2, 10)}),
    Course("functions", "mass action by nested function definitions, Level 2 Version 4", """
        A = 8; B = 0; A -> B; net(A, B, 0.3, 0.1);""", 15.0, (2, 4), amounts=("A", "B"), closed={
            "A": lambda t: 2 + 6 * np.exp(-0.4 * t), "B": lambda t: 6 - 6 * np.exp(-0.4 * t)},
           functions="""function first(x, k) x*k; end
                        function net(a, b, kf, kr) first(a, kf) - first(b, kr); end"""),
    Course("shadow", "a local parameter shadows a global one, Level 2 Version 1",
           "k = 0.1; A = 5; B = 5; A -> ; k*A; B -> ; k*B;", 10.0, (2, 1), amounts=("A", "B"), edit=_shadowing_parameter,
           closed={"A": lambda t: 5 * np.exp(-2 * t), "B": lambda t: 5 * np.exp(-0.1 * t)}),
    Course("dimers", "2 A -> B at k A^2, and A + C -> D of equal starts", """
        A = 4; B = 0; C = 3; D = 0; E = 3; 2 A -> B; 0.25*A^2; C + E -> D; 0.5*C*E;""", 12.0,
           amounts=("A", "B", "C", "D"), closed={
               "A": lambda t: 4 / (1 + 2 * 0.25 * 4 * t), "B": lambda t: (4 - 4 / (1 + 2 * t)) / 2,
               "C": lambda t: 3 / (1 + 1.5 * t), "D": lambda t: 3 - 3 / (1 + 1.5 * t)}),
    Course("michaelis", "an enzyme with its complex, and the quasi steady law beside it, Level 2 Version 3", """
        E = 1; S = 10; ES = 0; P = 0; s = 10; p = 0; vmax = 0.5; km = 1.75
        E + S -> ES; 2*E*S; ES -> E + S; 3*ES; ES -> E + P; 0.5*ES; s -> p; vmax*s/(km + s);""", 30.0, (2, 3),
           amounts=("E", "S", "ES", "P", "s", "p")),
    Course("robertson", "three reactions whose rates span nine decades", """
        a = 1; b = 0; c = 0; a -> b; 0.04*a; b -> c; 3e7*b^2; b -> a; 1e4*b*c;""", 400.0, amounts=("a", "b", "c")),
    Course("brusselator", "a limit cycle", """
        A = 1; X = 1.2; Y = 3; $A -> X; A; 2 X + Y -> 3 X; X^2*Y; X -> Y; 3*X; X -> ; X;""", 25.0, amounts=("X", "Y"),
           points=101),
    Course("repressors", "a ring of three genes with Hill functions as function definitions, Level 2 Version 4", """
        a = 1; b = 0.3; c = 2; top = 3
        -> a; top*hill(c, 0.7, 3); -> b; top*hill(a, 0.7, 3); -> c; top*hill(b, 0.7, 3)
        a -> ; a; b -> ; b; c -> ; c;""", 30.0, (2, 4), amounts=("a", "b", "c"), points=61,
           functions="function hill(x, k, n) 1/(1 + (x/k)^n); end"),
    Course("rules", "assignment rules that read each other, in no order, Level 2 Version 4", """
        A = 6; B = 0; rate := share*0.8; share := A/total; total := A + B; A -> B; rate;""", 8.0, (2, 4), amounts=("A", "B"),
           others=("rate", "share", "total"), closed={
               "A": lambda t: 6 * np.exp(-0.8 / 6 * t), "B": lambda t: 6 - 6 * np.exp(-0.8 / 6 * t),
               "rate": lambda t: 0.8 * np.exp(-0.8 / 6 * t), "share": lambda t: np.exp(-0.8 / 6 * t),
               "total": lambda t: 6.0 + 0 * t}),
    Course("lotka", "predator and prey by rate rules", """
        prey = 10; hunter = 5; prey' = 1.1*prey - 0.4*prey*hunter; hunter' = 0.1*prey*hunter - 0.4*hunter;""", 25.0,
           others=("prey", "hunter"), points=101),
    Course("logistic", "logistic growth by a rate rule, and its rate by rateOf", """
        x = 0.1; x' = 0.9*x*(1 - x/5); v := rateOf(x);""", 15.0, others=("x", "v"), closed={
            "x": lambda t: 5 / (1 + 49 * np.exp(-0.9 * t)),
            "v": lambda t: 0.9 * (5 / (1 + 49 * np.exp(-0.9 * t))) * (1 - 1 / (1 + 49 * np.exp(-0.9 * t)))}),
    Course("growing", "a compartment that doubles every 10, by a rate rule: dilution", f"""
        compartment cell = 2; cell' = {LN2 / 10}*cell; species A in cell = 3; species B in cell = 0
        make: -> B; 0.5*cell; lose: B -> ; 0.1*B*cell;""", 30.0, amounts=("A",), concentrations=("B",), others=("cell",),
           closed={"A": lambda t: 6.0 + 0 * t, "cell": lambda t: 2 * 2 ** (t / 10),
                   "B": lambda t: 0.5 / (0.1 + LN2 / 10) * (1 - np.exp(-(0.1 + LN2 / 10) * t))}),
    Course("growing_l2", "the same in Level 2 Version 4", f"""
        compartment cell = 2; cell' = {LN2 / 10}*cell; species A in cell = 3; species B in cell = 0
        make: -> B; 0.5*cell; lose: B -> ; 0.1*B*cell;""", 30.0, (2, 4), amounts=("B",), concentrations=("A",),
           others=("cell",),
           closed={"A": lambda t: 3 * 2 ** (-t / 10), "cell": lambda t: 2 * 2 ** (t / 10),
                   "B": lambda t: 2 * 2 ** (t / 10) * 0.5 / (0.1 + LN2 / 10) * (1 - np.exp(-(0.1 + LN2 / 10) * t))}),
    Course("swelling", "a compartment that is a function of time, by an assignment rule", """
        compartment v; v := 1 + 0.5*time; species A in v = 4; A -> ; 0.3*A*v;""", 10.0, concentrations=("A",), others=("v",),
           closed={"v": lambda t: 1 + 0.5 * t, "A": lambda t: 4 * np.exp(-0.3 * t) / (1 + 0.5 * t)}),
    Course("poured", "an event trebles the size of a compartment: amounts stay, concentrations fall", """
        compartment v = 2; species A in v = 6; species B in v = 0; A -> B; 0.2*A*v; at time >= 4: v = 3*v;""", 10.0,
           amounts=("A",), concentrations=("B",), others=("v",), closed={
               "v": lambda t: steps(t, (0, 2), (4, 6)), "A": lambda t: 12 * np.exp(-0.2 * t),
               "B": lambda t: (12 - 12 * np.exp(-0.2 * t)) / steps(t, (0, 2), (4, 6))}),
    Course("substance", "a species that is a substance in formulas, in a compartment of size 4", """
        compartment c = 4; substanceOnly species A in c = 20; species B in c = 0; A -> B; 0.25*A;""", 12.0,
           amounts=("A",), concentrations=("B",), closed={
               "A": lambda t: 20 * np.exp(-0.25 * t), "B": lambda t: (20 - 20 * np.exp(-0.25 * t)) / 4}),
    Course("transport", "between compartments of sizes 1 and 5, Level 2 Version 4", """
        compartment inside = 1, outside = 5; species X in inside = 9; species Y in outside = 0; X -> Y; 0.4*(X - Y);""",
           20.0, (2, 4), concentrations=("X", "Y"), closed={
               "X": lambda t: 1.5 + 7.5 * np.exp(-0.48 * t), "Y": lambda t: 1.5 - 1.5 * np.exp(-0.48 * t)}),
    Course("boundary", "species on the boundary: one held, one driven by a rule, one changed by events", """
        species $H = 2, $D = 1, $V = 3, A = 0, B = 0, C = 0; D' = -0.5*D; at time >= 3: V = 1
        H -> A; 0.7*H; D -> B; D; V -> C; 0.1*V;""", 8.0, amounts=("H", "D", "V", "A", "B", "C"), closed={
            "H": lambda t: 2.0 + 0 * t, "D": lambda t: np.exp(-0.5 * t), "V": lambda t: steps(t, (0, 3), (3, 1)),
            "A": lambda t: 1.4 * t, "B": lambda t: 2 - 2 * np.exp(-0.5 * t),
            "C": lambda t: np.where(t < 3, 0.3 * t, 0.9 + 0.1 * (t - 3))}),
    Course("conversion", "conversion factors: the model's and a species' own", """
        whole = 2; own = 6; S = 20; P = 0; S -> P; 0.1*S;""", 10.0, amounts=("S", "P"), edit=_conversion_factors, closed={
            "S": lambda t: 20 * np.exp(-0.2 * t), "P": lambda t: 60 * (1 - np.exp(-0.2 * t))},
           without={"COPASI": "reads no conversion factors"}),
    Course("stoichiometry_l2", "a stoichiometry that is a formula, Level 2 Version 4", """
        n = 2; A = 7; B = 0; A -> B; 0.6*A;""", 6.0, (2, 4), amounts=("A", "B"), edit=_stoichiometry_math, closed={
            "A": lambda t: 7 * np.exp(-0.6 * t), "B": lambda t: 21 - 21 * np.exp(-0.6 * t)},
           without={"COPASI": "reads a stoichiometry that is a formula as 1"}),
    Course("stoichiometry", "a stoichiometry with an assignment rule that reads time", """
        n := time; A = 5; B = 0; A -> B; 1;""", 4.0, amounts=("A", "B"), others=("stoich",), edit=_stoichiometry_rule, closed={
            "A": lambda t: 5 - t, "B": lambda t: t + t * t / 4, "stoich": lambda t: 1 + t / 2},
           without={"COPASI": "has no variable for a stoichiometry"}),
    Course("doses", "three timed doses into an elimination", """
        D = 0; D -> ; 0.35*D; at time >= 1: D = D + 10; at time >= 5: D = D + 10; at time >= 9: D = D + 10;""", 14.0,
           amounts=("D",), closed={"D": lambda t: doses(t, [1.0, 5.0, 9.0], 10.0, 0.35)}, points=57),
    Course("doses_l2", "repeated doses by an event that moves its own moment, Level 2 Version 4", """
        D = 0; next_dose = 2; D -> ; 0.35*D; at time >= next_dose: D = D + 10, next_dose = next_dose + 3;""", 13.0,
           (2, 4), amounts=("D",), others=("next_dose",), closed={
               "D": lambda t: doses(t, [2.0, 5.0, 8.0, 11.0], 10.0, 0.35),
               "next_dose": lambda t: steps(t, (0, 2), (2, 5), (5, 8), (8, 11), (11, 14))}, points=53),
    Course("delays", "a delayed event: values of the trigger, and of the execution", """
        A = 8; kept = 0; fresh = 0; A -> ; A*ln(2)
        at 1.5 after A < 4: kept = A; at 1.5 after A < 4, fromTrigger=false: fresh = A;""", 6.0, amounts=("A",),
           others=("kept", "fresh"), closed={
               "A": lambda t: 8 * 2.0**-t, "kept": lambda t: steps(t, (2.5, 4.0)), "fresh": lambda t: steps(t, (2.5, 2**0.5))},
           points=50),
    Course("delays_l2", "a delayed event in Level 2 Version 4, its delay a formula", """
        A = 9; wait = 0; seen = 0; late := 0.5 + A/9; A -> ; 0.5*A; at late after A < 4.5: seen = A;""", 8.0, (2, 4),
           amounts=("A",), others=("seen",), closed={
               "A": lambda t: 9 * np.exp(-0.5 * t), "seen": lambda t: steps(t, (2 * LN2 + 1.0, 4.5))}, points=50),
    Course("overlaps", "each triggering of one delayed event is executed, though the next comes before", """
        x = 0; x' = 1; n = 0; m = 0; at 2.5 after sin(2*pi*x) > 0.5, fromTrigger=false: n = n + 1
        at 2.5 after sin(2*pi*x) > 0.5: m = m + 1;""", 8.0, others=("n", "m"), closed={
            "n": lambda t: np.floor(np.clip(t - 2.5 - 1 / 12, -1, None)) + 1,
            "m": lambda t: steps(t, (2.5 + 1 / 12, 1), (5.5 + 1 / 12, 2))}, points=50),
    Course("withdrawn", "an event that does not persist is withdrawn when its trigger is false again", """
        x = 0; x' = 1; hit = 0; held = 0
        at 1 after x > 1 && x < 1.5, persistent=false: hit = 1; at 1 after x > 2 && x < 2.5: held = 1;""", 5.0,
           others=("hit", "held"), closed={"hit": lambda t: 0.0 * t, "held": lambda t: steps(t, (3, 1))}, points=52),
    Course("priorities", "four events of one moment, ordered by their priorities", """
        x = 0
        at time >= 1, priority=2, fromTrigger=false: x = 10*x + 2; at time >= 1, priority=9, fromTrigger=false: x = 10*x + 9
        at time >= 1, priority=-1, fromTrigger=false: x = 10*x + 1; at time >= 1, priority=5, fromTrigger=false: x = 10*x + 5;
        """, 2.0, others=("x",), closed={"x": lambda t: steps(t, (1, 9521))}),
    Course("first_moment", "a trigger that is true at the start fires there only if it was false before", """
        a = 1; b = 1; a' = -0.1*a; b' = -0.1*b; at time >= 0, t0=false: a = 5; at time >= 0: b = 7;""", 4.0,
           others=("a", "b"), closed={"a": lambda t: 5 * np.exp(-0.1 * t), "b": lambda t: np.exp(-0.1 * t)}),
    Course("cascade", "events that cause events at one moment", """
        a = 0; b = 0; c = 0; at time >= 2: a = 1; at a > 0.5: b = a + 1; at b > 1.5: c = b + 1;""", 4.0,
           others=("a", "b", "c"), closed={name: (lambda t, value=value: steps(t, (2, value))) for name, value in
                                           (("a", 1.0), ("b", 2.0), ("c", 3.0))}),
    Course("light", "a rate that is switched by time, Level 2 Version 4", """
        M = 0; -> M; piecewise(4, time >= 2 && time < 5, 0); M -> ; 0.5*M;""", 10.0, (2, 4), amounts=("M",), closed={
            "M": lambda t: 8 * (1 - np.exp(-0.5 * np.clip(np.minimum(t, 5) - 2, 0, None))) * np.exp(-0.5 * np.clip(t - 5, 0, None))}),
    Course("pieces", "three pieces, one of them by the state", """
        x = 0; x' = piecewise(1, x < 2, 0.5, x < 3, 0);""", 6.0, others=("x",), closed={
            "x": lambda t: np.where(t < 2, t, np.minimum(3.0, 2 + 0.5 * (t - 2)))}),
    Course("tide", "a right-hand side that reads time", "x = 2; x' = -x + sin(time);", 12.0, others=("x",), closed={
        "x": lambda t: 2.5 * np.exp(-t) + (np.sin(t) - np.cos(t)) / 2}),
    Course("starts", "initial assignments and rules that read each other", """
        a = b + 1; b = 2*c; c = 3; d := a + e; compartment v = c; species X in v = a; e = X; X -> ; 0.1*X*v;""", 5.0,
           concentrations=("X",), others=("a", "d", "e"), closed={
               "a": lambda t: 7.0 + 0 * t, "e": lambda t: 7.0 + 0 * t, "d": lambda t: 14.0 + 0 * t, "X": lambda t: 7 * np.exp(-0.1 * t)}),
    Course("mathematics", "functions that are seldom used", """
        p := factorial(5) + floor(-time) + ceil(time); q := log10(1 + time) + root(3, 8 + time); r := arctan(time)*sec(1)
        s := tanh(time) + arccosh(1 + time) + csc(1 + time/10); u := abs(cos(time)) + exp(-time) + sqrt(time);""", 3.0,
           others=("p", "q", "r", "s", "u"), closed={
               "p": lambda t: factorial(5) + np.floor(-t) + np.ceil(t), "q": lambda t: np.log10(1 + t) + (8 + t) ** (1 / 3),
               "r": lambda t: np.arctan(t) / np.cos(1), "s": lambda t: np.tanh(t) + np.arccosh(1 + t) + 1 / np.sin(1 + t / 10),
               "u": lambda t: np.abs(np.cos(t)) + np.exp(-t) + np.sqrt(t)}, points=31),
    Course("level_three", "what Level 3 Version 2 adds: max, min, quotient, rem, implies; and Avogadro's number", """
        p := max(time, 1, 2 - time) + min(time, 2); q := quotient(time + 0.5, 2) + rem(time + 0.5, 2)
        r := piecewise(1, implies(time > 2, time > 3), 0); moles := 1.204428358e24/avogadro;""", 4.0,
           others=("p", "q", "r", "moles"), closed={
               "p": lambda t: np.maximum(np.maximum(t, 1), 2 - t) + np.minimum(t, 2),
               "q": lambda t: (t + 0.5) // 2 + (t + 0.5) % 2, "r": lambda t: np.where((t > 2) & (t <= 3), 0.0, 1.0),
               "moles": lambda t: 2.0 + 0 * t}, points=32),
    Course("toggle", "two genes that repress each other, turned over by a pulse of 5", """
        u = 3; v = 0.2; inducer = 0
        -> u; 4/(1 + v^2.5); -> v; 4/(1 + (u/(1 + inducer))^2.5); u -> ; u; v -> ; v
        at time >= 10: inducer = 9; at time >= 15: inducer = 0;""", 40.0, amounts=("u", "v"), others=("inducer",), points=81),
    Course("titration", "a small RNA and its target, with a dose of the small RNA", """
        compartment cell = 0.5; species m in cell = 2, s in cell = 1, d in cell = 0; p = 4; p' = 3*m - 0.2*p
        -> m; 1.2*cell; m -> ; 0.3*m*cell; -> s; 0.4*cell; s -> ; 0.1*s*cell
        m + s -> d; 2*m*s*cell; d -> s; 0.8*d*cell; at time >= 12: s = s + 6;""", 48.0, amounts=("m", "s"),
           concentrations=("d",), others=("p",), points=97),
    Course("damage", "a feedback of p53 and Mdm2 with a pulse of damage that is repaired, Level 2 Version 4", """
        p53 = 0.1; mdm2 = 0.1; message = 0.1; hurt = 0
        -> p53; 0.5 + hurt; p53 -> ; 1.5*mdm2*p53/(p53 + 0.05*(1 + hurt)); -> message; 0.4*p53^4/(0.3 + p53^4)
        message -> ; 0.3*message; -> mdm2; 0.6*message; mdm2 -> ; 0.25*mdm2; hurt -> ; 0.08*hurt; at time >= 20: hurt = 2;""",
           90.0, (2, 4), amounts=("p53", "mdm2", "message", "hurt"), points=91),
)  # fmt: skip
