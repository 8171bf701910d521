"""What older levels and rarer corners of SBML mean, checked against the specification's own words."""

# ruff: noqa: E501  (lines of markup)

from __future__ import annotations

from pathlib import Path

import pytest

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.base.sandbox import as_utf8
from senexo.model.expression import Call, Expression, Invoke, Number, Symbol, Time
from senexo.model.loading import load, parse
from senexo.model.network import (
    AlgebraicRule,
    Compartment,
    KineticLaw,
    Network,
    Parameter,
    Reaction,
    Rule,
    Species,
    SpeciesReference,
)
from senexo.model.sbml_read import read
from senexo.model.sbml_write import to_sbml
from verify._hostile import MATHML, apply, math, parameter, parameters, rule_for_k, rules, sbml

TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'


def network(text: str) -> Network:
    return read(as_utf8(text.encode(), "UTF-8"))


def level_2(version: int, *, event: str = "", units: str = "", reactant: str = "") -> str:
    namespace = "http://www.sbml.org/sbml/level2" + (f"/version{version}" if version > 1 else "")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <sbml xmlns="{namespace}" level="2" version="{version}"><model id="m">
    <listOfUnitDefinitions>{units}
      <unitDefinition id="per_minute"><listOfUnits><unit kind="second" exponent="-1" multiplier="60"/></listOfUnits>
      </unitDefinition></listOfUnitDefinitions>
    <listOfCompartments><compartment id="c" size="2"/><compartment id="point" spatialDimensions="0"/></listOfCompartments>
    <listOfSpecies><species id="A" compartment="c" initialAmount="1"/>
      <species id="B" compartment="c" initialConcentration="3"/></listOfSpecies>
    <listOfParameters><parameter id="k" value="1" units="per_minute"/><parameter id="n" value="1" constant="false"/>
    </listOfParameters>
    <listOfReactions><reaction id="r">
      <listOfReactants><speciesReference species="A">{reactant}</speciesReference></listOfReactants>
      <listOfProducts><speciesReference species="B" stoichiometry="3"/></listOfProducts>
      <kineticLaw>{math(apply("times", "<ci>k</ci>", "<ci>A</ci>", "<ci>q</ci>"))}
        <listOfParameters><parameter id="q" value="5"/></listOfParameters></kineticLaw></reaction></listOfReactions>
    <listOfEvents><event{event}><trigger>{math(apply("gt", TIME, "<cn>1</cn>"))}</trigger>
      <delay>{math("<cn>2</cn>")}</delay><listOfEventAssignments><eventAssignment variable="n">{math("<cn>2</cn>")}
      </eventAssignment></listOfEventAssignments></event></listOfEvents></model></sbml>"""


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_level_2_defaults(version: int) -> None:
    n = network(level_2(version))
    assert [(c.id, c.size, c.spatial_dimensions, c.constant) for c in n.compartments] == [
        ("c", 2.0, 3.0, True),
        ("point", None, 0.0, True),
    ]
    a, b = n.species
    assert (a.initial_amount, a.initial_concentration, b.initial_amount, b.initial_concentration) == (1, None, None, 3)
    assert (a.has_only_substance_units, a.boundary_condition, a.constant) == (False, False, False)
    assert [(p.id, p.value, p.constant) for p in n.parameters] == [("k", 1.0, True), ("n", 1.0, False)]
    (r,) = n.reactions
    assert r.reversible
    assert [(s.species, s.stoichiometry, s.id) for s in r.reactants + r.products] == [
        ("A", 1.0, None),
        ("B", 3.0, None),
    ]
    assert r.kinetic_law is not None
    assert r.kinetic_law.local_parameters == (Parameter("q", 5.0),)
    (e,) = n.events
    assert e.id
    assert (e.trigger.initial_value, e.trigger.persistent, e.use_values_from_trigger_time) == (True, True, True)
    assert e.delay == Number(2.0)
    # Level 2 has units of its own for amount, volume and time; Level 3 says them in the model.
    assert (n.substance_units, n.time_units, n.volume_units) == ("substance", "second", "volume")
    assert {u.id for u in n.unit_definitions} >= {"substance", "volume", "per_minute"}


def test_level_2_stoichiometry_by_formula() -> None:
    """L2V4 section 4.13.2: the formula holds at every moment; in Level 3 that is an assignment rule."""
    by_formula = f"<stoichiometryMath>{math(apply('times', '<ci>n</ci>', '<cn>2</cn>'))}</stoichiometryMath>"
    n = network(level_2(4, reactant=by_formula))
    (reactant,) = n.reactions[0].reactants
    assert reactant.id is not None
    assert not reactant.constant
    assert n.rules == (Rule("assignment", reactant.id, Call("times", (Symbol("n"), Number(2.0)))),)


@pytest.mark.parametrize("version", [1, 2, 4])
def test_level_2_stoichiometry_by_a_bare_number(version: int) -> None:
    by_number = f"<stoichiometryMath>{math('<cn>2</cn>')}</stoichiometryMath>"
    n = network(level_2(version, reactant=by_number))
    assert n.reactions[0].reactants == (SpeciesReference("A", 2.0),)
    assert n.rules == ()


def test_new_ids_are_new() -> None:
    """libSBML would call the stoichiometry generatedId_0 without looking."""
    by_formula = f"<stoichiometryMath>{math('<ci>n</ci>')}</stoichiometryMath>"
    text = level_2(4, reactant=by_formula).replace('"n"', '"generatedId_0"').replace("<ci>n<", "<ci>generatedId_0<")
    n = network(text)
    assert n.rules == (Rule("assignment", "stoichiometry_1", Symbol("generatedId_0")),)


def test_level_2_delay_in_units_of_its_own() -> None:
    """L2V2 section 4.14.4: `timeUnits` are those of the delay; the model's time is seconds here, the delay minutes."""
    minute = (
        '<unitDefinition id="minute"><listOfUnits><unit kind="second" multiplier="60"/></listOfUnits></unitDefinition>'
    )
    assert network(level_2(2, event=' timeUnits="second"')).events[0].delay == Number(2.0)
    n = network(level_2(2, event=' timeUnits="minute"', units=minute))
    assert n.events[0].delay == Call("times", (Number(60.0), Number(2.0)))
    hour = minute.replace('"minute"', '"time"').replace('"60"', '"3600"')
    n = network(level_2(2, event=' timeUnits="minute"', units=minute + hour))
    assert n.events[0].delay == Call("times", (Number(60.0 / 3600.0), Number(2.0)))


def test_level_1_is_refused() -> None:
    text = '<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2">'
    model = '<model name="m"><listOfCompartments><compartment name="c"/></listOfCompartments></model></sbml>'
    with pytest.raises(InvalidModel, match="Level 1 is not read"):
        network(text + model)


@pytest.mark.parametrize(
    "body",
    [
        "<notes>no namespace</notes>",
        "<annotation><a/></annotation>",
        "<listOfSpecies/>",
        '<listOfParameters><parameter id="k" constant="true" metaid="9" sboTerm="none"/></listOfParameters>',
        '<listOfParameters><parameter id="k" constant="true" units="nowhere"/></listOfParameters>',
    ],
)
def test_breaches_that_touch_no_number_are_forgiven(body: str) -> None:
    assert len(network(sbml(body)).parameters) == body.count("<parameter ")
    assert network(sbml(body).replace("level3/version2", "level3/version1").replace('version="2"', 'version="1"'))


def formula(content: str) -> Expression | None:
    return network(rule_for_k(content)).rules[0].math


A = Symbol("a")


@pytest.mark.parametrize(
    ("content", "tree"),
    [
        (apply("max", "<ci>a</ci>", "<cn>1</cn>", "<cn>2</cn>"), Call("max", (A, Number(1.0), Number(2.0)))),
        (apply("rem", "<ci>a</ci>", "<cn>3</cn>"), Call("rem", (A, Number(3.0)))),
        (apply("quotient", "<ci>a</ci>", "<cn>3</cn>"), Call("quotient", (A, Number(3.0)))),
        (apply("log", "<ci>a</ci>"), Call("log", (Number(10.0), A))),
        (apply("root", "<degree><cn>3</cn></degree>", "<ci>a</ci>"), Call("root", (Number(3.0), A))),
        (apply("root", "<ci>a</ci>"), Call("root", (Number(2.0), A))),
        (apply("plus"), Call("plus")),
        (apply("plus", *["<ci>a</ci>"] * 4), Call("plus", (A,) * 4)),
        (apply("plus", "<ci>a</ci>", apply("plus", "<ci>a</ci>", "<ci>a</ci>")), Call("plus", (A, Call("plus", (A, A))))),
        (TIME, Time()),
        ("<piecewise><piece><cn>1</cn><true/></piece><otherwise><ci>a</ci></otherwise></piecewise>",
         Call("piecewise", (Number(1.0), Call("true"), A))),
        ('<cn type="e-notation">6.02214179<sep/>23</cn>', Number(6.02214179e23)),
        ('<cn type="e-notation">4.35<sep/>-3</cn>', Number(4.35e-3)),  # 4.35 * 10**-3 would be another float
        ('<cn type="rational">1<sep/>3</cn>', Number(1 / 3)),
        ("<notanumber/>", Number(float("nan"))),
        ("<exponentiale/>", Call("exponentiale")),
        (f"<semantics>{apply('sin', '<ci>a</ci>')}</semantics>", Call("sin", (A,))),
        ('<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/avogadro">N</csymbol>', Call("avogadro")),
        ('<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf">r</csymbol>'
         "<ci>a</ci></apply>", Call("rateOf", (A,))),
    ],
)  # fmt: skip
def test_formula(content: str, tree: Expression) -> None:
    assert formula(content) == tree


def test_implication() -> None:
    both = f"<piecewise><piece><cn>1</cn>{apply('implies', '<true/>', '<false/>')}</piece></piecewise>"
    assert formula(both) == Call("piecewise", (Number(1.0), Call("implies", (Call("true"), Call("false")))))


def test_a_function() -> None:
    n = network(
        sbml(
            "<listOfFunctionDefinitions><functionDefinition id='f'>"
            + math("<lambda><bvar><ci>x</ci></bvar><bvar><ci>y</ci></bvar><ci>y</ci></lambda>")
            + "</functionDefinition><functionDefinition id='empty'/></listOfFunctionDefinitions>"
            + parameters(parameter("k"))
            + rules(("k", "<apply><ci>f</ci><cn>1</cn><cn>2</cn></apply>"))
        )
    )
    assert [(f.id, f.arguments, f.body) for f in n.function_definitions] == [
        ("f", ("x", "y"), Symbol("y")),
        ("empty", (), None),
    ]
    assert n.rules[0].math == Invoke("f", (Number(1.0), Number(2.0)))


def test_mathematics_may_be_missing_in_l3v2() -> None:
    n = network(
        sbml(
            parameters(parameter("k"))
            + '<listOfInitialAssignments><initialAssignment symbol="k"/></listOfInitialAssignments>'
            + '<listOfReactions><reaction id="r" reversible="false"><kineticLaw/></reaction></listOfReactions>'
            + '<listOfEvents><event useValuesFromTriggerTime="true"/><event id="event_1" useValuesFromTriggerTime="true">'
            + '<trigger initialValue="false" persistent="false"/><delay/><priority/></event></listOfEvents>'
        )
    )
    assert n.initial_assignments[0].math is None
    assert n.reactions[0].kinetic_law is not None
    assert n.reactions[0].kinetic_law.math is None
    assert [e.id for e in n.events] == ["event_2", "event_1"]
    assert (n.events[1].trigger.initial_value, n.events[1].trigger.persistent) == (False, False)


def test_functions_of_l3v2_lent_to_l3v1() -> None:
    text = rule_for_k(apply("min", "<ci>a</ci>", "<cn>2</cn>")).replace("level3/version2/core", "level3/version1/core")
    lent = 'version="1" xmlns:e="http://www.sbml.org/sbml/level3/version1/l3v2extendedmath/version1" e:required="true"'
    n = network(text.replace('version="2"', lent))
    assert n.rules[0].math == Call("min", (A, Number(2.0)))


FBC = ' xmlns:fbc="http://www.sbml.org/sbml/level3/version1/fbc/version2" fbc:required="false"'
OBJECTIVE = (
    '<fbc:listOfObjectives fbc:activeObjective="o"><fbc:objective fbc:id="o" fbc:type="maximize"><fbc:listOfFluxObjectives>'
    '<fbc:fluxObjective fbc:reaction="r" fbc:coefficient="1"/></fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives>'
)


@pytest.mark.parametrize("objective", ["", OBJECTIVE])
def test_a_package_that_optimises(objective: str) -> None:
    reaction = '<listOfReactions><reaction id="r" reversible="false"/></listOfReactions>'
    text = sbml(reaction + objective, attributes=FBC).replace('id="m"', 'id="m" fbc:strict="false"')
    text = text.replace("level3/version2/core", "level3/version1/core").replace('version="2"', 'version="1"')
    text = text.replace('reversible="false"', 'reversible="false" fast="false"')
    if not objective:
        assert network(text).reactions[0].id == "r"
    else:
        with pytest.raises(UnsupportedFeature) as caught:
            network(text)
        assert caught.value.feature == "package fbc"


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        (sbml('<qual:listOfQualitativeSpecies/>', attributes=
              ' xmlns:qual="http://www.sbml.org/sbml/level3/version1/qual/version1" qual:required="true"'), "package qual"),
        (sbml('<multi:listOfSpeciesTypes/>', attributes=
              ' xmlns:multi="http://www.sbml.org/sbml/level3/version1/multi/version1" multi:required="true"'), "package multi"),
        (sbml('<arrays:listOfDimensions/>', attributes=
              ' xmlns:arrays="http://www.sbml.org/sbml/level3/version1/arrays/version1" arrays:required="true"'), "package arrays"),
        (sbml('<spatial:geometry/>', attributes=
              ' xmlns:spatial="http://www.sbml.org/sbml/level3/version1/spatial/version1" spatial:required="true"'), "package spatial"),
    ],
)  # fmt: skip
def test_refused_by_name(text: str, feature: str, tmp_path: Path) -> None:
    path = tmp_path / "m.xml"
    path.write_text(text)
    with pytest.raises(UnsupportedFeature, match=r"is not supported: .*m\.xml") as caught:
        load(path)
    assert caught.value.feature == feature


def test_what_older_levels_call_fast_and_algebraic() -> None:
    n = network(level_2(4).replace('id="r"', 'id="r" fast="true"'))
    assert [reaction.fast for reaction in n.reactions] == [True]
    text = to_sbml(n)
    assert 'fast="true"' in text
    assert "level3/version1" in text
    n = network(sbml(f"<listOfRules><algebraicRule>{math('<cn>0</cn>')}</algebraicRule></listOfRules>"))
    assert n.algebraic_rules == (AlgebraicRule(Number(0.0)),)


def test_a_fast_reaction_beside_functions_of_version_2_is_written_with_the_package_that_lends_them() -> None:
    law = KineticLaw(Call("max", (Symbol("A"), Number(0.0))))
    n = Network(
        "m",
        compartments=(Compartment("c", 1.0),),
        species=(Species("A", "c", 1.0),),
        reactions=(Reaction("r", (SpeciesReference("A"),), kinetic_law=law, fast=True),),
    )
    assert "l3v2extendedmath" in to_sbml(n)
    assert network(to_sbml(n)) == n


def test_copasis_function_for_a_rate_of_change() -> None:
    """COPASI writes rateOf as a function without a value, which an annotation explains."""
    note = '<annotation><symbols xmlns="http://sbml.org/annotations/symbols" definition="http://en.wikipedia.org/wiki/Derivative"/></annotation>'
    body = f'<math xmlns="{MATHML}"><lambda><bvar><ci>a</ci></bvar><notanumber/></lambda></math>'
    function = f'<listOfFunctionDefinitions><functionDefinition id="rate">{note}{body}</functionDefinition></listOfFunctionDefinitions>'
    free = '<listOfParameters><parameter id="x" value="1" constant="false"/><parameter id="y" constant="false"/></listOfParameters>'
    both = (f'<listOfRules><rateRule variable="x">{math("<cn>3</cn>")}</rateRule>'
            f'<assignmentRule variable="y">{math("<apply><ci>rate</ci><ci>x</ci></apply>")}</assignmentRule></listOfRules>')  # fmt: skip
    n = network(sbml(function + free + both))
    assert n.function_definitions == ()
    assert n.rules[1].math == Call("rateOf", (Symbol("x"),))


def test_antimony_and_its_sbml_are_one_model() -> None:
    text = """
    function hill(x, K)
      x^2/(K^2 + x^2)
    end
    model *toy()
      compartment c = 2;
      species $S in c, P in c;
      S = 10; P = 0; k = 3;
      make: S => P; k*hill(S, 4)*c;
      total := S + P;
      at 2 after (time > 5), priority = 1, persistent = false: k = k/2;
    end
    """
    n = parse(text.encode(), source="toy.ant")
    assert n.id == "toy"
    assert {s.id: (s.boundary_condition, s.initial_concentration) for s in n.species} == {
        "S": (True, 10),
        "P": (False, 0),
    }
    assert n.reactions[0].kinetic_law is not None
    law = Call("times", (Symbol("k"), Invoke("hill", (Symbol("S"), Number(4.0))), Symbol("c")))
    assert n.reactions[0].kinetic_law.math == law
    (event,) = n.events
    assert (event.delay, event.priority, event.trigger.persistent) == (Number(2.0), Number(1.0), False)


def test_antimony_errors_keep_their_line() -> None:
    with pytest.raises(InvalidModel, match=r"m\.ant: .*line 3"):
        parse(b"model m()\n k = 1;\n ]]\nend", source="m.ant")


def test_loading_tells_where_a_model_came_from(tmp_path: Path) -> None:
    path = tmp_path / "m.sbml"
    path.write_text(sbml(parameters(parameter("k"))))
    model = load(path)
    assert model.source == str(path)
    assert len(model.digest) == 64
    assert repr(model).startswith(f"Model m from {path}: 0 compartments, 0 species, 1 parameters")
    assert model.circuit is None
    assert MATHML not in model.to_sbml()


def test_a_local_name_makes_no_circle() -> None:
    """The law's own k hides the parameter k, which is set to the reaction's rate (L3V2 section 4.11.6)."""
    law = math("<ci>k</ci>") + '<listOfLocalParameters><localParameter id="k" value="2"/></listOfLocalParameters>'
    reaction = f'<reaction id="r" reversible="false"><kineticLaw>{law}</kineticLaw></reaction>'
    body = parameters(parameter("k")) + rules(("k", "<ci>r</ci>"))
    assert network(sbml(f"{body}<listOfReactions>{reaction}</listOfReactions>")).rules[0].math == Symbol("r")
    with pytest.raises(InvalidModel, match=r"circular definition: (k -> r -> k|r -> k -> r)"):
        network(sbml(f"{body}<listOfReactions>{reaction}</listOfReactions>").replace('"k" value="2"', '"j" value="2"'))


# ---- packages that only draw, or that nothing uses

LAYOUT = "http://www.sbml.org/sbml/level3/version1/layout/version1"
DRAWN = {
    "a drawing with faults": sbml(
        '<layout:listOfLayouts><layout:layout layout:id="c" layout:none="3"/></layout:listOfLayouts>'
        '<listOfParameters><parameter id="k" value="2" constant="true"/></listOfParameters>',
        attributes=f' xmlns:layout="{LAYOUT}" layout:required="false"',
    ),
    "one declared as changing the mathematics, and unused": sbml(
        parameters(parameter("k", 2)),
        attributes=' xmlns:d="http://www.sbml.org/sbml/level3/version1/distrib/version1" d:required="true"',
    ),
    "one that nothing knows, and unused": sbml(
        parameters(parameter("k", 2)),
        attributes=' xmlns:q="http://www.sbml.org/sbml/level3/version1/quux/version1" q:required="true"',
    ),
    "in Level 2": (
        '<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4" '
        'xmlns:layout="http://projects.eml.org/bcb/sbml/level2" layout:required="false"><model id="m">'
        '<listOfParameters><parameter id="k" value="2"/></listOfParameters>'
        '<layout:listOfLayouts><layout:layout id="l"/></layout:listOfLayouts></model></sbml>'
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_what_only_draws_or_is_not_used_is_left_out(name: str) -> None:
    n = network(DRAWN[name])
    assert [(p.id, p.value) for p in n.parameters] == [("k", 2.0)]


def test_lines_stay_where_they_are_when_drawings_are_left_out(tmp_path: Path) -> None:
    drawing = '<layout:listOfLayouts>\n<layout:layout\nlayout:id="c"/>\n</layout:listOfLayouts>\n'
    twice = parameters("\n", parameter("k"), "\n", parameter("k"))
    text = sbml(drawing + twice, attributes=f' xmlns:layout="{LAYOUT}" layout:required="false"')
    path = tmp_path / "m.xml"
    path.write_text(text)
    line = text[: text.rindex('id="k"')].count("\n") + 1
    with pytest.raises(InvalidModel, match=f"line {line}: "):
        load(path)


# ---- numbers and functions that are none


@pytest.mark.parametrize("number", ["0x10", "0X1p3", "1e", "1,5", "infinity", "nan", "1_000", "", "--1"])
def test_what_is_no_number_in_xml_schema(number: str) -> None:
    with pytest.raises(InvalidModel, match=r"line \d+: (value|Attribute|.*number)"):
        network(sbml(f'<listOfParameters><parameter id="k" value="{number}" constant="true"/></listOfParameters>'))
    with pytest.raises(InvalidModel):
        network(rule_for_k(f"<cn> {number} </cn>"))


@pytest.mark.parametrize(("number", "value"), [(" 16 ", 16.0), ("+.5", 0.5), ("5.", 5.0), ("1E-3", 1e-3)])
def test_what_is_a_number_in_xml_schema(number: str, value: float) -> None:
    n = network(sbml(f'<listOfParameters><parameter id="k" value="{number}" constant="true"/></listOfParameters>'))
    assert n.parameters[0].value == value


def test_a_local_parameter_used_as_a_function() -> None:
    """Level 2 Version 1; libSBML accepts it."""
    law = f'<math xmlns="{MATHML}"><apply><ci>f</ci><ci>S</ci></apply></math>'
    text = (
        '<sbml xmlns="http://www.sbml.org/sbml/level2" level="2" version="1"><model id="m">'
        '<listOfCompartments><compartment id="c"/></listOfCompartments><listOfSpecies>'
        '<species id="S" compartment="c" initialAmount="1"/></listOfSpecies><listOfReactions><reaction id="r">'
        f'<listOfReactants><speciesReference species="S"/></listOfReactants><kineticLaw>{law}'
        '<listOfParameters><parameter id="f" value="2"/></listOfParameters></kineticLaw></reaction></listOfReactions>'
        "</model></sbml>"
    )
    with pytest.raises(InvalidModel, match="reaction r: f is used as a function"):
        network(text)
