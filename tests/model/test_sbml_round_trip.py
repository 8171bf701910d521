"""Read, write, read: an equal network, for every file of the suites and for formulas drawn at random."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import libsbml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import senexo
from senexo.base.errors import UnsupportedFeature
from senexo.base.sandbox import as_utf8
from senexo.model.expression import OPERATORS, Call, Expression, Invoke, Number, Symbol, Time
from senexo.model.loading import parse
from senexo.model.network import FunctionDefinition, Network, Parameter, Rule
from senexo.model.plain import from_plain, to_plain
from senexo.model.sbml_read import read
from senexo.model.sbml_write import to_sbml


def members(archive: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if re.fullmatch(pattern, member.name):
                stream = tar.extractfile(member)
                assert stream is not None
                yield member.name, stream.read()


def test_every_semantic_case_is_read_back_equal(shared_data: Path) -> None:
    archive = shared_data / "sbml-test-suite" / "semantic-00001-01000.tar.xz"
    seen = {name: read_or_refuse(data) for name, data in members(archive, r".*/\d{5}-sbml-l\dv\d\.xml")}
    assert len(seen) == 1000
    assert {name: outcome for name, outcome in seen.items() if outcome != "equal"} == {}


def test_what_is_written_is_valid_by_libsbml_and_simulates_to_the_same_bits(shared_data: Path) -> None:
    """Some cases of each feature of SBML core that has a form of its own in files."""
    cases = "00039|00182|00574|00661|00870|00937|00966|00983|00988|01000"
    archive = shared_data / "sbml-test-suite" / "semantic-00001-01000.tar.xz"
    files = dict(members(archive, rf".*/({cases})-sbml-l\dv\d\.xml"))
    assert len(files) == 10
    for name, data in files.items():
        first = read(as_utf8(data, "UTF-8"))
        text = to_sbml(first)
        written = libsbml.readSBMLFromString(text)
        written.checkConsistency()
        assert written.getNumErrors(libsbml.LIBSBML_SEV_ERROR) == 0, (name, written.getErrorLog().toString())
        one, two = (senexo.simulate(network, [0.0, 0.5, 2.0]) for network in (first, read(text.encode())))
        assert set(one.data_vars) == set(two.data_vars)
        for id in one.data_vars:
            assert one[id].values.tobytes() == two[id].values.tobytes(), (name, id)


def read_or_refuse(data: bytes) -> str:
    try:
        network = read(as_utf8(data, "UTF-8"))
    except UnsupportedFeature as error:
        return error.feature
    assert from_plain(to_plain(network)) == network
    return "equal" if read(to_sbml(network).encode()) == network else "changed"


def test_stochastic_cases_and_biomodels(shared_data: Path) -> None:
    archive = shared_data / "sbml-test-suite" / "stochastic-00001-00019.tar.xz"
    files = dict(members(archive, r".*-sbml-l\dv\d\.xml"))
    files |= {path.name: path.read_bytes() for path in (shared_data / "biomodels").glob("*.xml")}
    assert len(files) == 19 + 9
    assert {name for name, data in files.items() if read_or_refuse(data) != "equal"} == set()


def test_through_the_door(shared_data: Path) -> None:
    path = shared_data / "biomodels" / "BIOMD0000000287.xml"
    network = parse(path.read_bytes(), source=str(path))
    assert parse(to_sbml(network).encode(), source="written.xml") == network


ids = st.sampled_from(["k", "x", "_", "S1", "time", "pi", "lambda", "class", "None"])
# libSBML refuses numbers below the smallest normal one (strtod calls them out of range).
numbers = st.floats(allow_subnormal=False)


def calls(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def build(operator: str) -> st.SearchStrategy[Expression]:
        fewest, most = OPERATORS[operator]
        if operator == "rateOf":
            return ids.map(lambda id: Call("rateOf", (Symbol(id),)))
        count = st.integers(fewest, 4 if most is None else most)
        return count.flatmap(lambda n: st.tuples(*[children] * n)).map(lambda a: flat(Call(operator, a)))

    return st.sampled_from(sorted(OPERATORS)).flatmap(build)


def flat(call: Call) -> Call:
    """The reader's normal form: a sum whose first term is a sum of several is one sum."""
    match call:
        case Call("plus" | "times" | "and" | "or" | "xor" as operator, (Call(inner, first), *rest)):
            if inner == operator and len(first) > 1:
                return Call(operator, (*first, *rest))
    return call


formulas: st.SearchStrategy[Expression] = st.recursive(
    numbers.map(Number) | ids.map(Symbol) | st.just(Time()),
    lambda children: calls(children) | st.tuples(children, children).map(lambda a: Invoke("f", a)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(formulas, numbers.filter(lambda x: x == x))
def test_any_formula(formula: Expression, value: float) -> None:
    network = Network(
        "m",
        function_definitions=(FunctionDefinition("f", ("a", "b"), Call("plus", (Symbol("a"), Symbol("b")))),),
        parameters=(Parameter("target", value, constant=False),),
        rules=(Rule("rate", "target", formula),),
    )
    assert from_plain(to_plain(network)) == network
    # Names that stand for nothing would be refused by validation, which is not what is looked at here.
    assert unvalidated(to_sbml(network)) == network


def unvalidated(text: str) -> Network:
    import libsbml

    from senexo.model.sbml_read import _Reading

    document = libsbml.readSBMLFromString(text)
    assert document.getNumErrors(libsbml.LIBSBML_SEV_ERROR) == 0, document.getErrorLog().toString()
    return _Reading(document.getModel()).network()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "<cn>1</cn>"),
        (0.30000000000000004, "<cn>0.30000000000000004</cn>"),
        (-2.5e-5, "<cn>-0.000025</cn>"),
        (1e-7, '<cn type="e-notation">1<sep />-7</cn>'),
        (6.02214076e23, '<cn type="e-notation">6.02214076<sep />23</cn>'),
    ],
)
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    network = Network("m", parameters=(Parameter("k"),), rules=(Rule("assignment", "k", Number(value)),))
    assert text in to_sbml(network).replace(".0</cn>", "</cn>").replace("1.0<sep", "1<sep")


def test_the_deepest_formula() -> None:
    formula: Expression = Symbol("k")
    for _ in range(199):
        formula = Call("minus", (formula,))
    network = Network("m", parameters=(Parameter("k", constant=False),), rules=(Rule("rate", "k", formula),))
    assert parse(to_sbml(network).encode(), source="deep.xml") == network
