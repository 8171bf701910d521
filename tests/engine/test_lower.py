"""What SBML's attributes mean, each against numbers worked out by hand from the specification.

Section numbers are those of SBML Level 3 Version 2 Core (doi 10.1515/jib-2017-0080). Species `A` has the amount 6 in
a compartment of size 2 wherever nothing else is said: its concentration is 3.
"""

from __future__ import annotations

import time
from math import cos, exp, isnan, log

import numpy as np
import pytest
from shorthand import event, formula, reaction, rules

from senexo.base.errors import InvalidModel
from senexo.engine.formula import lower as lowering
from senexo.engine.formula.evaluate import apply_assignments, evaluate, initial_values
from senexo.engine.formula.lower import lower
from senexo.engine.formula.network import Lowered
from senexo.model.expression import Call, Number, Slot, Symbol, walk
from senexo.model.network import (
    Compartment,
    FunctionDefinition,
    InitialAssignment,
    KineticLaw,
    Network,
    Parameter,
    Reaction,
    Species,
    SpeciesReference,
    Trigger,
)
from senexo.model.network import Event as SbmlEvent

CELL = Compartment("cell", 2.0)
A = Species("A", "cell", initial_amount=6.0)
B = Species("B", "cell", initial_amount=10.0)
SUBSTANCE = Species("S", "cell", initial_amount=6.0, has_only_substance_units=True)


def network(*parts: object, compartments: tuple[Compartment, ...] = (CELL,), **values: float) -> Network:
    """A network of whatever parts are given; `values` are its parameters."""

    def of(kind: type) -> tuple[object, ...]:
        return tuple(part for part in parts if isinstance(part, kind))

    return Network(
        "m",
        compartments=compartments,
        species=of(Species),
        parameters=(*of(Parameter), *(Parameter(id, value, constant=False) for id, value in values.items())),
        function_definitions=of(FunctionDefinition),
        initial_assignments=of(InitialAssignment),
        rules=tuple(rule for part in parts if isinstance(part, tuple) for rule in part),
        reactions=of(Reaction),
        events=of(SbmlEvent),
    )


def start(model: Network | Lowered, **overrides: float) -> dict[str, float]:
    """Every quantity at time 0, by id; species as amounts."""
    lowered = model if isinstance(model, Lowered) else lower(model)
    v = initial_values(lowered, {lowered.slot(id): value for id, value in overrides.items()})
    return {info.id: float(x) for info, x in zip(lowered.slots, v, strict=True)}


def slopes(model: Network, at: float = 0.0) -> dict[str, float]:
    """d/dt of every quantity that moves, with the values of time 0, by id; species as amounts."""
    lowered = lower(model)
    v = initial_values(lowered)
    apply_assignments(lowered, v, at)
    return {lowered.slots[rate.slot].id: float(evaluate(rate.math, v, at)) for rate in lowered.rates}


def assign(symbol: str, text: str | float) -> InitialAssignment:
    return InitialAssignment(symbol, formula(text))


def function(id: str, arguments: str, body: str) -> FunctionDefinition:
    return FunctionDefinition(id, tuple(arguments.split()), formula(body))


# ---- species: amounts and concentrations (sections 4.6.3, 4.6.5)


def test_a_species_in_a_formula_is_its_concentration_unless_it_has_only_substance_units() -> None:
    found = start(network(A, SUBSTANCE, rules("assignment", x="A", y="S"), x=0.0, y=0.0))
    assert (found["x"], found["y"]) == (3.0, 6.0)


def test_reactions_move_amounts_whatever_the_law_reads() -> None:
    model = network(A, SUBSTANCE, reaction("r", "5*A*S", "A", "S"))
    assert slopes(model) == {"A": -90.0, "S": 90.0}


@pytest.mark.parametrize("only_substance", [False, True])
def test_an_initial_concentration_is_multiplied_by_the_size(only_substance: bool) -> None:
    species = Species("C", "cell", initial_concentration=1.5, has_only_substance_units=only_substance)
    assert lower(network(species)).values.tolist() == [2.0, 3.0]
    assert start(network(species))["C"] == 3.0
    assert start(network(species), cell=10.0)["C"] == 15.0
    assert start(network(species, assign("cell", "4*k"), k=2.0))["C"] == 12.0


def test_an_initial_amount_does_not_follow_the_size() -> None:
    assert start(network(A, assign("cell", 5)))["A"] == 6.0
    assert start(network(A), cell=5.0)["A"] == 6.0


def test_points_hold_amounts_only() -> None:
    point = Compartment("cell", None, spatial_dimensions=0.0)
    model = network(
        A, Species("C", "cell", initial_concentration=4.0), rules("assignment", x="A + C"), compartments=(point,), x=0.0
    )
    found = start(model)
    assert (found["x"], found["C"]) == (10.0, 4.0)


def test_what_the_model_does_not_tell_is_nan() -> None:
    found = start(network(Species("C", "cell"), Parameter("p"), rules("assignment", x="C + p"), x=1.0))
    assert isnan(found["C"])
    assert isnan(found["p"])
    assert isnan(found["x"])
    unsized = network(Species("C", "cell", initial_concentration=1.0), compartments=(Compartment("cell"),))
    assert isnan(start(unsized)["C"])
    assert start(unsized, cell=3.0)["C"] == 3.0


@pytest.mark.parametrize("fixed", [{"boundary_condition": True}, {"constant": True}])
def test_boundary_and_constant_species_are_read_and_not_moved(fixed: dict[str, bool]) -> None:
    model = network(Species("A", "cell", initial_amount=6.0, **fixed), B, reaction("r", "A", "A", "B"))
    assert slopes(model) == {"B": 3.0}
    assert [slot for slot, _ in lower(model).reactions[0].reactants] == [lower(model).slot("A")]


def test_a_boundary_species_follows_its_rate_rule_and_not_the_reaction() -> None:
    model = network(
        Species("A", "cell", initial_amount=6.0, boundary_condition=True),
        B,
        reaction("r", "A", "A", "B"),
        rules("rate", A="0.5"),
    )
    assert slopes(model) == {"A": 1.0, "B": 3.0}  # 0.5 per time as a concentration in a size of 2


# ---- conversion factors (section 4.11.7)


@pytest.mark.parametrize(
    ("own", "of_model", "expected"), [(None, None, 1.0), (None, "g", 7.0), ("f", None, 5.0), ("f", "g", 5.0)]
)
def test_conversion_factors(own: str | None, of_model: str | None, expected: float) -> None:
    species = Species("A", "cell", initial_amount=6.0, conversion_factor=own)
    model = network(species, B, reaction("r", "2", "3*B", "4*A"), f=5.0, g=7.0)
    model = Network(
        **{name: getattr(model, name) for name in ("id", "compartments", "species", "parameters", "reactions")},
        conversion_factor=of_model,
    )
    assert slopes(model) == {"A": 2.0 * 4.0 * expected, "B": -2.0 * 3.0 * (7.0 if of_model else 1.0)}


def test_a_conversion_factor_is_for_reactions_and_not_for_rate_rules() -> None:
    species = Species("S", "cell", initial_amount=6.0, has_only_substance_units=True, conversion_factor="f")
    assert slopes(network(species, rules("rate", S="3"), f=5.0)) == {"S": 3.0}


# ---- compartments that change (sections 4.5, 4.9.3)


def test_a_growing_compartment_dilutes_but_moves_no_molecule() -> None:
    model = network(A, B, reaction("r", "A", "A", "B"), rules("rate", cell="0.25"))
    assert slopes(model) == {"cell": 0.25, "A": -3.0, "B": 3.0}


def test_a_rate_rule_for_a_concentration_in_a_growing_compartment() -> None:
    # d(cV)/dt = V dc/dt + c dV/dt = 2 * 4 + 3 * 0.25
    assert slopes(network(A, rules("rate", A="4", cell="0.25")))["A"] == 8.75
    ruled = network(A, rules("rate", A="4"), rules("assignment", cell="2 + 0.25*time"))
    assert slopes(ruled)["A"] == 8.75


def test_a_rate_rule_for_an_amount_does_not_ask_for_the_size() -> None:
    assert slopes(network(SUBSTANCE, rules("rate", S="4", cell="0.25")))["S"] == 4.0


def test_an_assignment_rule_fixes_the_concentration_while_the_size_changes() -> None:
    lowered = lower(network(A, rules("assignment", A="3 + time", cell="2 + time")))
    v = initial_values(lowered)
    apply_assignments(lowered, v, 4.0)
    assert v[lowered.slot("A")] == (3.0 + 4.0) * (2.0 + 4.0)


def test_an_event_on_a_concentration_is_multiplied_by_the_size() -> None:
    lowered = lower(network(A, event("time > 1", A="5")))
    (assigned,) = lowered.events[0].assignments
    assert evaluate(assigned.math, initial_values(lowered), 1.0) == 10.0
    assert assigned.size == -1


def test_where_the_size_may_change_the_multiplication_waits_for_the_event() -> None:
    lowered = lower(network(A, event("time > 1", A="5", cell="3")))
    (assigned,) = (item for item in lowered.events[0].assignments if item.slot == lowered.slot("A"))
    assert evaluate(assigned.math, initial_values(lowered), 1.0) == 5.0
    assert assigned.size == lowered.slot("cell")


# ---- local parameters (section 4.11.5)


def test_local_parameters_shadow_whatever_has_their_name() -> None:
    model = network(
        A,
        B,
        reaction("r", "k*A + cell", "A", k=2.0, cell=100.0),
        reaction("q", "k*B", "B", k=5.0),
        rules("assignment", x="k"),
        k=1000.0,
        x=0.0,
    )
    assert slopes(model) == {"A": -(2.0 * 3.0 + 100.0), "B": -(5.0 * 5.0)}
    found = start(model)
    assert (found["x"], found["r.k"], found["q.k"], found["k"]) == (1000.0, 2.0, 5.0, 1000.0)


def test_a_local_parameter_shadows_a_species_and_does_not_move() -> None:
    assert slopes(network(A, reaction("r", "A + rateOf(A)", "A", A=2.0))) == {"A": -2.0}


def test_a_local_parameter_can_be_set_from_outside() -> None:
    lowered = lower(network(A, reaction("r", "k", "A", k=2.0)))
    v = initial_values(lowered, {lowered.slot("r.k"): 9.0})
    assert evaluate(lowered.reactions[0].rate, v, 0.0) == 9.0


# ---- initial assignments (section 4.8)


def test_initial_assignments_are_put_in_order_of_need() -> None:
    model = network(assign("a", "b + 1"), assign("b", "c*2"), assign("c", "7"), a=0.0, b=0.0, c=0.0)
    found = start(model)
    assert (found["a"], found["b"], found["c"]) == (15.0, 14.0, 7.0)


def test_initial_assignments_and_assignment_rules_feed_each_other() -> None:
    model = network(
        assign("a", "r + 1"), rules("assignment", r="b*10", s="a + r"), assign("b", "3"), a=0.0, b=0.0, r=0.0, s=0.0
    )
    found = start(model)
    assert (found["b"], found["r"], found["a"], found["s"]) == (3.0, 30.0, 31.0, 61.0)


def test_an_initial_assignment_to_a_species_means_its_concentration() -> None:
    found = start(network(A, SUBSTANCE, assign("A", 5), assign("S", 5), assign("cell", 4)))
    assert (found["A"], found["S"]) == (20.0, 5.0)


def test_an_initial_assignment_without_a_formula_leaves_the_value() -> None:
    assert start(network(A, InitialAssignment("A", None)))["A"] == 6.0


def test_a_value_from_outside_beats_the_initial_assignment_and_feeds_the_others() -> None:
    found = start(network(assign("a", "b + 1"), assign("b", "5"), a=0.0, b=0.0), b=100.0)
    assert (found["a"], found["b"]) == (101.0, 100.0)


def test_initial_assignments_may_read_reactions_and_time() -> None:
    model = network(A, reaction("r", "2*A", "A"), assign("k", "r + time"), k=0.0)
    assert start(model)["k"] == 6.0


# ---- stoichiometries (sections 4.11.3, 4.11.7)


def sided(reactants: tuple[SpeciesReference, ...], products: tuple[SpeciesReference, ...], law: str) -> Reaction:
    return Reaction("r", reactants, products, kinetic_law=KineticLaw(formula(law)))


def test_what_is_on_both_sides_or_named_twice_counts_as_the_sum() -> None:
    model = network(A, B, reaction("r", "1", "A A 2*B", "A 5*B"))
    assert slopes(model) == {"A": -1.0, "B": 3.0}
    assert slopes(network(A, B, reaction("r", "1", "A", "A B"))) == {"B": 1.0}


def test_a_stoichiometry_without_a_number_is_one() -> None:
    assert slopes(network(A, sided((), (SpeciesReference("A", None),), "4"))) == {"A": 4.0}


def test_a_stoichiometry_with_a_name_is_a_quantity() -> None:
    model = network(A, sided((), (SpeciesReference("A", 3.0, "n"),), "4"), rules("assignment", x="10*n"), x=0.0)
    assert slopes(model) == {"A": 12.0}
    assert start(model)["x"] == 30.0
    assert lower(model).reactions[0].changes[0].coefficient == Number(3.0)  # a number, so that exact runs can have it


@pytest.mark.parametrize(
    "what",
    [
        rules("assignment", n="2 + time"),
        rules("rate", n="1"),
        assign("n", "2"),
        event("time > 1", n="5"),
    ],
    ids=["assignment rule", "rate rule", "initial assignment", "event"],
)
def test_a_stoichiometry_that_something_sets_is_read_while_running(what: object) -> None:
    lowered = lower(network(A, sided((), (SpeciesReference("A", 2.0, "n", constant=False),), "4"), what))
    v = initial_values(lowered)
    rate = next(rate.math for rate in lowered.rates if rate.slot == lowered.slot("A"))
    assert evaluate(rate, v, 0.0) == 8.0
    v[lowered.slot("n")] = 7.0
    assert evaluate(rate, v, 0.0) == 28.0


def test_a_reaction_without_a_law_does_nothing() -> None:
    model = network(
        A, reaction("r", None, "A"), Reaction("q", (SpeciesReference("A"),)), rules("assignment", x="r+q"), x=1.0
    )
    assert slopes(model) == {"A": 0.0}
    assert start(model)["x"] == 0.0


# ---- function definitions (section 4.3)


def test_functions_are_written_in_place_and_their_arguments_shadow_everything() -> None:
    model = network(
        function("f", "k x", "k - 2*x"),
        function("g", "x", "f(x, f(1, x))*time"),
        rules("assignment", y="g(k)", z="f(1, 3)"),
        k=10.0,
        x=500.0,
        y=0.0,
        z=0.0,
    )
    lowered = lower(model)
    v = initial_values(lowered)
    apply_assignments(lowered, v, 2.0)
    # f(1, 10) = 1 - 20 = -19; f(10, -19) = 10 + 38 = 48; times the time
    assert v[lowered.slot("y")] == 96.0
    assert v[lowered.slot("z")] == -5.0


def test_a_function_without_a_body_is_not_a_number() -> None:
    assert isnan(start(network(FunctionDefinition("f", ("x",), None), rules("assignment", y="f(2)"), y=0.0))["y"])


def test_rate_of_an_argument_of_a_function() -> None:
    model = network(
        A, function("f", "x", "x + 1"), reaction("r", "4", "", "A"), rules("assignment", y="f(rateOf(A))"), y=0.0
    )
    assert start(model)["y"] == 3.0  # 4 per time into a size of 2


# ---- rates in formulas: reactions by name and rateOf (sections 3.4.3, 3.4.6)


def test_a_reaction_in_a_formula_is_its_rate() -> None:
    model = network(
        A, B, reaction("r", "2*A", "A"), reaction("q", "r + 1", "", "B"), rules("assignment", x="r*q"), x=0.0
    )
    assert start(model)["x"] == 6.0 * 7.0
    assert slopes(model) == {"A": -6.0, "B": 7.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rateOf(A)", (-3.0 - 3.0 * 0.5) / 2.0),  # (dA/dt - c dV/dt) / V, with law A = 3 and dV/dt = 0.5
        ("rateOf(S)", 3.0),
        ("rateOf(cell)", 0.5),
        ("rateOf(k)", 0.0),
        ("rateOf(p)", 4.0),
        ("rateOf(w)", 4.0 * cos(0.0) + 2.0 * 1.0 * 4.0),  # w = sin(4 time) + p^2, p = 1
        ("rateOf(r)", (-3.0 - 3.0 * 0.5) / 2.0),
    ],
)
def test_rate_of(text: str, expected: float) -> None:
    model = network(
        A,
        SUBSTANCE,
        reaction("r", "A", "A", "S"),
        rules("rate", cell="0.5", p="4"),
        rules("assignment", w="sin(4*time) + p**2", x=text),
        k=1.0,
        p=1.0,
        w=0.0,
        x=0.0,
    )
    assert start(model)["x"] == pytest.approx(expected, rel=1e-15)


def test_rate_of_follows_the_chain_rule_through_rules_that_read_rules() -> None:
    model = network(
        rules("rate", p="-p"), rules("assignment", u="exp(p)", w="u*time", x="rateOf(w)"), p=0.7, u=0.0, w=0.0, x=0.0
    )
    lowered = lower(model)
    v = initial_values(lowered)
    apply_assignments(lowered, v, 3.0)
    # d/dt (e^p t) = e^p + t e^p (-p)
    assert v[lowered.slot("x")] == pytest.approx(exp(0.7) * (1.0 - 3.0 * 0.7), rel=1e-14)


# ---- order of assignment rules


def test_assignment_rules_are_put_in_order_of_need() -> None:
    lowered = lower(
        network(rules("assignment", a="b + c", b="2*c", c="ln(d)", d="time + k"), k=4.0, a=0.0, b=0.0, c=0.0, d=0.0)
    )
    v = initial_values(lowered)
    apply_assignments(lowered, v, 5.0)
    assert v[lowered.slot("a")] == pytest.approx(3.0 * log(9.0), rel=1e-15)


def test_values_of_slots_say_what_may_change() -> None:
    model = network(
        A, B, reaction("r", "k", "A"), rules("assignment", a="time"), rules("rate", q="1"), event("time > 1", e="2"),
        Parameter("k", 1.0), a=0.0, q=0.0, e=0.0, still=0.0,
    )  # fmt: skip
    assert {info.id for info in lower(model).slots if info.changes} == {"A", "a", "q", "e"}


def test_events_and_assignments_without_a_formula_are_left_out() -> None:
    never = SbmlEvent("never", Trigger(None))
    half = event("time > 1", "half", k="2")
    half = SbmlEvent("half", half.trigger, (*half.assignments, type(half.assignments[0])("q", None)))
    lowered = lower(network(never, half, k=1.0, q=1.0))
    assert [item.id for item in lowered.events] == ["half"]
    assert [item.slot for item in lowered.events[0].assignments] == [lowered.slot("k")]


def test_nothing_but_slots_is_left_in_a_lowered_formula() -> None:
    model = network(A, function("f", "x", "x"), reaction("r", "f(A)", "A"), rules("rate", k="rateOf(A) + r"), k=0.0)
    names = {type(node) for rate in lower(model).rates for node in walk(rate.math)}
    assert names <= {Call, Number, Slot}


# ---- faults, each with the place it is in


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((rules("assignment", a="b", b="a"),), "circular definition: a -> b -> a"),
        ((assign("a", "b"), assign("b", "a")), "circular definition: a -> b -> a"),
        ((assign("a", "b"), rules("assignment", b="a + 1")), "circular definition: a -> b -> a"),
        ((rules("assignment", a="f(1)"), function("f", "x", "f(x)")), "circular definition: f -> f"),
        (
            (rules("assignment", a="f(1)"), function("f", "x", "g(x)"), function("g", "x", "f(x)")),
            "circular definition: f -> g -> f",
        ),
        ((A, reaction("r", "q"), reaction("q", "r")), "circular definition: .*r"),
        ((A, reaction("r", "rateOf(A)", "A")), "circular definition: .*r"),
        ((rules("assignment", a="nothing"),), "assignment rule of a: there is nothing called nothing"),
        ((reaction("r", "nothing"),), "reaction r: there is nothing called nothing"),
        ((event("nothing > 1", "e7", a="1"),), "event e7: there is nothing called nothing"),
        ((event("time > 1", "e7", nothing="1"),), "event e7: there is nothing called nothing to assign to"),
        ((rules("rate", nothing="1"),), "there is nothing called nothing to assign to"),
        ((assign("nothing", 1),), "initial assignment of nothing: there is nothing called nothing"),
        ((rules("assignment", a="f(1)"),), "assignment rule of a: there is no function f"),
        ((rules("assignment", a="f(1)"), function("f", "x y", "x")), "function f takes 2 arguments, found 1"),
        ((rules("assignment", a="f(1)"), function("f", "x", "b")), "function f: b is not an argument"),
        ((rules("assignment", a="rateOf(a + b)"),), "rateOf needs the name of a quantity"),
        ((reaction("r", "1", "nobody"),), "reaction r: there is no species nobody"),
        ((Species("C", "nowhere"),), "species C: there is no compartment nowhere"),
        ((Parameter("a"),), "the id a is given twice"),
    ],
)  # fmt: skip
def test_faults_are_named(parts: tuple[object, ...], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        lower(network(*parts, a=1.0, b=2.0))


# ---- bounds


def test_functions_that_double_and_double_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowering, "MOST_NODES", 20_000)
    doubling = [
        function("f0", "x", "x + x"),
        *(function(f"f{k}", "x", f"f{k - 1}(x) + f{k - 1}(x)") for k in range(1, 60)),
    ]
    with pytest.raises(InvalidModel, match="terms once functions are written out"):
        lower(network(*doubling, rules("assignment", y="f59(1)"), y=0.0))


def test_functions_of_functions_that_double_their_argument_are_refused_in_no_time() -> None:
    nested = "x"
    for _ in range(60):
        nested = f"f({nested})"
    begin = time.perf_counter()
    with pytest.raises(InvalidModel, match="terms once functions are written out"):
        lower(network(function("f", "x", "x + x"), rules("assignment", y=nested), x=1.0, y=0.0))
    assert time.perf_counter() - begin < 20.0


def test_formulas_nested_too_deep_are_refused() -> None:
    deep = Symbol("k")
    for _ in range(100_000):
        deep = Call("exp", (deep,))
    model = network(InitialAssignment("y", deep), k=1.0, y=0.0)
    with pytest.raises(InvalidModel, match="nested too deep"):
        lower(model)


def test_a_sum_of_many_terms_is_taken() -> None:
    long = Call("plus", tuple(Call("times", (Symbol("k"), Number(float(n)))) for n in range(20_000)))
    found = start(network(InitialAssignment("y", long), k=1.0, y=0.0))
    assert found["y"] == np.arange(20_000).sum()


def test_rates_of_rates_that_double_are_refused() -> None:
    chain = [reaction("r0", "1", "", "A0")]
    chain += [reaction(f"r{k}", f"rateOf(A{k - 1}) + rateOf(A{k - 1})", "", f"A{k}") for k in range(1, 60)]
    species = [Species(f"A{k}", "cell", initial_amount=1.0, has_only_substance_units=True) for k in range(60)]
    with pytest.raises(InvalidModel, match="terms once functions are written out"):
        lower(network(*species, *chain))
