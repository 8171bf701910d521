"""The table machine against the numpy walk and a plain-Python evaluation of the same formulas.

Where IEEE arithmetic fixes a result (arithmetic, roots, comparisons, rounding) machine and walk must agree to the
last bit. Exponentials, circular functions and general powers come from two libraries: a few last places are allowed.
"""

from __future__ import annotations

import itertools
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import formulas as twin
from senexo.engine.formula.bytecode import NUMBERS, Assembler
from senexo.engine.formula.evaluate import OPERATIONS, evaluate
from senexo.engine.formula.graph import Graph
from senexo.engine.formula.machine import run
from senexo.model.expression import OPERATORS, Call, Expression, Number, Slot, Time

FIXED = (
    "plus", "minus", "times", "divide", "abs", "floor", "ceiling", "min", "max", "rem", "quotient",
    "eq", "neq", "gt", "lt", "geq", "leq", "and", "or", "xor", "not", "implies", "piecewise",
    "true", "false", "pi", "exponentiale", "avogadro",
)  # fmt: skip
FREE = tuple(name for name in OPERATORS if name not in (*FIXED, "rateOf", "delay"))
LAST_PLACES = 8  # in a reciprocal or a quotient of two functions, errors add up

SPECIAL = (
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.5, 3.0, 7.0, 170.0, 171.0, 1e-300, -1e300, 5e-324, 1.7976931348623157e308,
    2.0**53, inf, -inf, nan,
)  # fmt: skip


def computed(formulas: list[Expression], v: np.ndarray, time: float = 0.0) -> np.ndarray:
    """By the machine, for each row of v: [rows, formulas]."""
    assembler = Assembler(v.shape[1])
    first = assembler.cells(len(formulas))
    span = assembler.program([(first + k, formula) for k, formula in enumerate(formulas)])
    tables = assembler.finish()
    found = np.empty((len(v), len(formulas)))
    for row, out in zip(v, found, strict=True):
        memory = tables.memory.copy()
        memory[: v.shape[1]], memory[tables.time] = row, time
        run(tables.code, *span, memory)
        out[:] = memory[first : first + len(formulas)]
    return found


def bits(values: object) -> list[bytes]:
    """Bits, every not-a-number alike."""
    array = np.array(values, dtype=np.float64)
    array[np.isnan(array)] = nan
    return [x.tobytes() for x in array.ravel()]


def applied(name: str) -> Call:
    fewest, most = OPERATORS[name]
    n = 3 if most is None else most
    return Call(name, (Slot(0), Slot(1), Slot(2))[: max(n, fewest)])


GRID = np.array(list(itertools.product(SPECIAL, SPECIAL, (0.0, 1.0, -2.5, nan))))
RANDOM = np.random.default_rng(3).normal(0.0, 3.0, (2000, 3))


@pytest.mark.parametrize("name", FIXED)
def test_same_bits_as_the_numpy_walk(name: str) -> None:
    for v in (GRID, RANDOM):
        assert bits(computed([applied(name)], v)) == bits(evaluate(applied(name), v, 0.0))


@pytest.mark.parametrize("exponent", [*range(-16, 17)])
def test_whole_powers_have_the_same_bits(exponent: int) -> None:
    power = Call("power", (Slot(0), Number(float(exponent))))
    assert bits(computed([power], RANDOM)) == bits(evaluate(power, RANDOM, 0.0))


def test_square_roots_have_the_same_bits() -> None:
    root = Call("root", (Number(2.0), Slot(0)))
    assert bits(computed([root], GRID)) == bits(evaluate(root, GRID, 0.0))


@pytest.mark.parametrize("name", FREE)
def test_the_two_libraries_agree(name: str) -> None:
    formula = applied(name)
    for v in (GRID, RANDOM):
        found, expected = computed([formula], v)[:, 0], np.asarray(evaluate(formula, v, 0.0))
        same = (found == expected) | (np.isnan(found) & np.isnan(expected))
        with np.errstate(all="ignore"):
            close = np.abs(found - expected) <= LAST_PLACES * np.spacing(np.abs(expected))
        assert np.all(same | close), (v[~(same | close)][:3], found[~(same | close)][:3])


def test_the_machine_has_every_operation_of_the_walk() -> None:
    assert {*OPERATIONS} - {"select", "true", "false"} <= {*NUMBERS}


# ---- random formulas


LEAVES = st.one_of(
    st.sampled_from([Slot(0), Slot(1), Slot(2), Time(), Call("pi"), Call("true"), Call("false")]),
    st.floats(-100.0, 100.0).map(Number),
    st.sampled_from([0.0, -0.0, 1.0, 1e300, 1e-300]).map(Number),
)


def grown(children: st.SearchStrategy[Expression], names: tuple[str, ...]) -> st.SearchStrategy[Expression]:
    def with_name(name: str) -> st.SearchStrategy[Expression]:
        fewest, most = OPERATORS[name]
        arguments = st.lists(children, min_size=fewest, max_size=4 if most is None else most)
        return arguments.map(lambda found: Call(name, tuple(found)))

    powers = st.tuples(children, st.integers(-16, 16)).map(lambda p: Call("power", (p[0], Number(float(p[1])))))
    return st.one_of(st.sampled_from(names).flatmap(with_name), powers)


def formulas(names: tuple[str, ...]) -> st.SearchStrategy[Expression]:
    return st.recursive(LEAVES, lambda children: grown(children, names), max_leaves=25)


VALUES = st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 3)
FINITE = st.tuples(*[st.floats(-1e3, 1e3)] * 3)
# What plain Python does without raising for large numbers.
PLAIN = ("plus", "minus", "times", "divide", "abs", "min", "max", "eq", "neq", "gt", "lt", "geq", "leq",
         "and", "or", "xor", "not", "implies", "piecewise")  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(formulas(FIXED), VALUES, st.floats(0.0, 1e6))
def test_random_formulas_have_the_bits_of_the_walk(formula: Expression, values: tuple[float, ...], time: float) -> None:
    v = np.array([values])
    assert bits(computed([formula], v, time)) == bits(evaluate(formula, v, time))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(formulas(PLAIN), FINITE, st.floats(0.0, 1e6))
def test_random_formulas_have_the_bits_of_plain_python(
    formula: Expression, values: tuple[float, ...], time: float
) -> None:
    assert bits(computed([formula], np.array([values]), time)) == bits(twin.value(formula, values, time))


# ---- size and depth


def test_depth_is_bounded_by_memory_alone() -> None:
    deep: Expression = Slot(0)
    for _ in range(50_000):
        deep = Call("minus", (deep,))
    v = np.array([[3.0]])
    assert computed([deep], v) == [[3.0]]
    assert evaluate(deep, v, 0.0) == [3.0]


def test_a_wide_sum_folds_from_the_left() -> None:
    numbers = np.random.default_rng(1).normal(0.0, 1e6, 20_000)
    wide = Call("plus", tuple(Call("times", (Slot(0), Number(float(x)))) for x in numbers))
    total = 0.0 + 3.0 * float(numbers[0])
    for x in numbers[1:]:
        total += 3.0 * float(x)
    assert computed([wide], np.array([[3.0]])) == [[total]]


def test_what_is_shared_is_computed_once() -> None:
    doubled: Expression = Slot(0)
    for _ in range(200):
        doubled = Call("plus", (doubled, doubled))
    assembler = Assembler(1)
    first = assembler.cells(2)
    span = assembler.program([(first, doubled), (first + 1, doubled)])
    assert span.last - span.first == 200 + 2
    assert computed([doubled], np.array([[1.0]])) == [[2.0**200]]


def test_two_rows_at_most_for_each_operation() -> None:
    formula: Expression = Slot(0)
    for k in range(100):
        formula = Call("piecewise", (formula, Call("lt", (Slot(0), Number(float(k)))), Number(-float(k))))
    assembler = Assembler(1)
    span = assembler.program([(assembler.cells(1), formula)])
    assert span.last - span.first == 100 * (2 + 1) + 1
    assert len(assembler.finish().memory) <= 1 + 1 + 1 + 200 + 200


# ---- programs


def test_each_item_is_written_before_the_next_begins() -> None:
    assembler = Assembler(2)
    span = assembler.program([(0, Call("plus", (Slot(1), Number(1.0)))), (1, Call("times", (Slot(0), Number(10.0))))])
    tables = assembler.finish()
    tables.memory[:2] = 100.0, 2.0
    run(tables.code, *span, tables.memory)
    assert tables.memory[:2].tolist() == [3.0, 30.0]


def test_known_nodes_are_read_and_not_computed() -> None:
    graph = Graph()
    switch = graph.add(Call("lt", (Slot(0), Number(5.0))))
    root = graph.add(Call("piecewise", (Number(1.0), Call("lt", (Slot(0), Number(5.0))), Number(2.0))))
    assembler = Assembler(1)
    mode, result = assembler.cells(1), assembler.cells(1)
    span = assembler.assemble(graph, [(result, root)], {switch: mode})
    tables = assembler.finish()
    tables.memory[0] = 3.0
    for held, expected in ((0.0, 2.0), (1.0, 1.0)):
        tables.memory[mode] = held
        run(tables.code, *span, tables.memory)
        assert tables.memory[result] == expected


def test_constants_keep_their_sign_and_their_last_bit() -> None:
    numbers = [0.0, -0.0, 0.1, np.nextafter(0.1, 1.0), inf, -inf, nan, 5e-324]
    found = computed([Number(float(x)) for x in numbers], np.array([[1.0]]))
    assert bits(found) == bits(numbers)
