"""The grammar that claims and computed columns share: against Python's own arithmetic, and its bounds."""

from __future__ import annotations

import operator
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.base.infix import (
    NEGATE,
    Comparison,
    Condition,
    ExpressionError,
    Function,
    Grammar,
    Number,
    Operation,
    comparisons,
    evaluate,
    operands,
    parse_condition,
    parse_expression,
)

_NUMBER, _LETTER = re.compile(r"[0-9]+(\.[0-9]+)?"), re.compile(r"\[([a-z])\]")
VALUES = {"x": 3.0, "y": -2.0}
OPERATIONS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, NEGATE: operator.neg, "twice": lambda x: 2 * x,
}  # fmt: skip


def read_operand(text: str, at: int) -> tuple[Number | Function | tuple[str], int]:
    """Operands of the language of these tests: numbers, letters in square brackets, and the function twice."""
    if number := _NUMBER.match(text, at):
        return Number(float(number.group())), number.end()
    if letter := _LETTER.match(text, at):
        return (letter.group(1),), letter.end()
    if text.startswith("twice", at):
        return Function("twice"), at + 5
    raise ExpressionError(text, at, "a letter")


GRAMMAR = Grammar(read_operand, "an operand", max_tokens=4000, max_depth=20)


def number(text: str) -> float:
    return evaluate(
        parse_expression(text, GRAMMAR),
        lambda leaf: leaf.value if isinstance(leaf, Number) else VALUES[leaf[0]],
        lambda operation, parts: OPERATIONS[operation.operator](*parts),
    )


def truth(condition: Condition[tuple[str]]) -> bool:
    if isinstance(condition, Comparison):
        left, right = (
            evaluate(
                side,
                lambda leaf: leaf.value if isinstance(leaf, Number) else VALUES[leaf[0]],
                lambda operation, parts: OPERATIONS[operation.operator](*parts),
            )
            for side in (condition.left, condition.right)
        )
        signs = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
        return bool(signs[condition.sign](left, right))
    return (all if condition.word == "and" else any)(map(truth, condition.parts))


sums = st.recursive(
    st.sampled_from(["[x]", "[y]", "0", "1", "2.5"]),
    lambda part: (
        st.tuples(part, st.sampled_from([" + ", "-", " * "]), part).map("".join)
        | part.map(lambda text: f"({text})")
        | part.map(lambda text: f"-{text}")
        | part.map(lambda text: f"twice({text})")
    ),
    max_leaves=8,
)
conditions = st.recursive(
    st.tuples(sums, st.sampled_from([">", " >= ", "<", " <= "]), sums).map("".join),
    lambda part: (
        st.tuples(part, st.sampled_from([" and ", " or "]), part).map("".join) | part.map(lambda text: f"({text})")
    ),
    max_leaves=5,
)
NAMES = {"twice": lambda x: 2 * x, **VALUES}


@settings(max_examples=200, deadline=None)
@given(sums)
def test_sums_have_the_values_that_python_gives_them(text: str) -> None:
    assert number(text) == eval(text.replace("[", "(").replace("]", ")"), dict(NAMES))  # noqa: S307


@settings(max_examples=200, deadline=None)
@given(conditions)
def test_conditions_have_the_truth_that_python_gives_them(text: str) -> None:
    assert truth(parse_condition(text, GRAMMAR)) is eval(text.replace("[", "(").replace("]", ")"), dict(NAMES))  # noqa: S307


def test_a_long_sum_is_read_and_computed_without_recursion() -> None:
    assert number("1" + "-[x]" * 1900) == 1 - 3.0 * 1900
    assert operands(parse_expression("1" + "-[x]" * 1900, GRAMMAR)) == [("x",)]


def test_operations_hold_their_parts_as_written() -> None:
    tree = parse_expression("1 +  twice( [x] -  1 ) * (2+3)", GRAMMAR)
    assert isinstance(tree, Operation)
    assert tree.texts == ("1", "twice( [x] -  1 ) * (2+3)")
    assert tree.parts[1].texts == ("twice( [x] -  1 )", "(2+3)")


def test_comparisons_come_from_left_to_right_as_written() -> None:
    found = comparisons(parse_condition("[y]  > 1 or ([x] + 1 < 2 and 3 >= [x])", GRAMMAR))
    assert [one.text for one in found] == ["[y] > 1", "[x] + 1 < 2", "3 >= [x]"]


@pytest.mark.parametrize(
    ("text", "at", "found", "expected"),
    [
        ("", 0, "", "an operand"),
        ("1 + ", 4, "", "an operand"),
        ("1 + )", 4, ")", "a letter"),
        ("1 2", 2, "2", "an operator (+ - * /) or the end"),
        ("(1", 2, "", 'an operator (+ - * /) or ")"'),
        ("1 + what-ever", 4, "what-ever", "a letter"),
        ("twice 1", 6, "1", '"("'),
        ("(" * 21 + "1", 20, "(", "at most 20 brackets and signs within each other"),
        ("-" * 21 + "1", 21, "1", "at most 20 brackets and signs within each other"),
        ("1" + "+1" * 2000, 4000, "1", "at most 4000 names, numbers and signs"),
        ("1 > 2", 2, ">", "an operator (+ - * /) or the end"),
    ],
)
def test_an_error_has_its_character(text: str, at: int, found: str, expected: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text, GRAMMAR)
    assert (caught.value.at, caught.value.found, caught.value.expected) == (at, found, expected)


def test_reading_goes_on_behind_an_error() -> None:
    """A language that notes faults within its operands sees all of them, whatever else is wrong with the text."""
    seen: list[int] = []

    def noted(text: str, at: int) -> tuple[Number | Function | tuple[str], int]:
        value, end = read_operand(text, at)
        seen.append(at)
        return value, end

    with pytest.raises(ExpressionError):
        parse_expression("1 ? [x] * ? + [y]", Grammar(noted, "an operand", max_tokens=50, max_depth=5))
    assert seen == [0, 4, 14]
