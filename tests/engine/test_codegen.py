"""Generated source gives the bits of the table machine, and contains no text of a model."""

from __future__ import annotations

import io
import math
import os
import re
import stat
import tokenize
from pathlib import Path

import numpy as np
import pytest

from senexo.engine.formula import codegen
from senexo.engine.formula.bytecode import Assembler
from senexo.engine.formula.codegen import compile_function, source, statements
from senexo.engine.formula.evaluate import evaluate
from senexo.engine.formula.kernels import cache_folder
from senexo.engine.formula.machine import run
from senexo.model.expression import OPERATORS, Call, Expression, Invoke, Number, Slot, Symbol, Time

X, Y, Z = Slot(0), Slot(1), Slot(2)
POINTS = np.random.default_rng(2).uniform(0.05, 0.95, (40, 3))


def call(operator: str, *arguments: Expression) -> Call:
    return Call(operator, arguments)


# operator applied to (x, y, z) in (0, 1) -> its value in plain Python
MEANING = {
    "plus": (call("plus", X, Y, Z), lambda x, y, z: (x + y) + z),
    "times": (call("times", X, Y, Z), lambda x, y, z: (x * y) * z),
    "minus": (call("minus", X, call("minus", Y)), lambda x, y, z: x + y),
    "divide": (call("divide", X, Y), lambda x, y, z: x / y),
    "power": (call("power", X, Y), lambda x, y, z: x**y),
    "root": (call("root", Number(3.0), X), lambda x, y, z: x ** (1 / 3)),
    "log": (call("log", Number(10.0), X), lambda x, y, z: math.log10(x)),
    "exp": (call("exp", X), lambda x, y, z: math.exp(x)),
    "ln": (call("ln", X), lambda x, y, z: math.log(x)),
    "abs": (call("abs", call("minus", X, Y)), lambda x, y, z: abs(x - y)),
    "floor": (call("floor", call("minus", X)), lambda x, y, z: -1.0),
    "ceiling": (call("ceiling", X), lambda x, y, z: 1.0),
    "factorial": (call("factorial", X), lambda x, y, z: math.gamma(x + 1)),
    "sin": (call("sin", X), lambda x, y, z: math.sin(x)),
    "cos": (call("cos", X), lambda x, y, z: math.cos(x)),
    "tan": (call("tan", X), lambda x, y, z: math.tan(x)),
    "sec": (call("sec", X), lambda x, y, z: 1 / math.cos(x)),
    "csc": (call("csc", X), lambda x, y, z: 1 / math.sin(x)),
    "cot": (call("cot", X), lambda x, y, z: 1 / math.tan(x)),
    "sinh": (call("sinh", X), lambda x, y, z: math.sinh(x)),
    "cosh": (call("cosh", X), lambda x, y, z: math.cosh(x)),
    "tanh": (call("tanh", X), lambda x, y, z: math.tanh(x)),
    "sech": (call("sech", X), lambda x, y, z: 1 / math.cosh(x)),
    "csch": (call("csch", X), lambda x, y, z: 1 / math.sinh(x)),
    "coth": (call("coth", X), lambda x, y, z: 1 / math.tanh(x)),
    "arcsin": (call("arcsin", X), lambda x, y, z: math.asin(x)),
    "arccos": (call("arccos", X), lambda x, y, z: math.acos(x)),
    "arctan": (call("arctan", X), lambda x, y, z: math.atan(x)),
    "arcsec": (call("arcsec", call("divide", Number(1.0), X)), lambda x, y, z: math.acos(x)),
    "arccsc": (call("arccsc", call("divide", Number(1.0), X)), lambda x, y, z: math.asin(x)),
    "arccot": (call("arccot", X), lambda x, y, z: math.pi / 2 - math.atan(x)),
    "arcsinh": (call("arcsinh", X), lambda x, y, z: math.asinh(x)),
    "arccosh": (call("arccosh", call("plus", X, Number(1.0))), lambda x, y, z: math.acosh(x + 1)),
    "arctanh": (call("arctanh", X), lambda x, y, z: math.atanh(x)),
    "arcsech": (call("arcsech", X), lambda x, y, z: math.acosh(1 / x)),
    "arccsch": (call("arccsch", X), lambda x, y, z: math.asinh(1 / x)),
    "arccoth": (call("arccoth", call("divide", Number(1.0), X)), lambda x, y, z: math.atanh(x)),
    "min": (call("min", X, Y, Z), lambda x, y, z: min(x, y, z)),
    "max": (call("max", X, Y, Z), lambda x, y, z: max(x, y, z)),
    "rem": (call("rem", X, Y), lambda x, y, z: math.fmod(x, y)),
    "quotient": (call("quotient", X, Y), lambda x, y, z: float(math.trunc(x / y))),
    "eq": (call("eq", X, X, Y), lambda x, y, z: 0.0),
    "neq": (call("neq", X, Y), lambda x, y, z: 1.0),
    "gt": (call("gt", X, Y, Z), lambda x, y, z: float(x > y > z)),
    "lt": (call("lt", X, Y, Z), lambda x, y, z: float(x < y < z)),
    "geq": (call("geq", X, X, Y), lambda x, y, z: float(x >= y)),
    "leq": (call("leq", X, Y, Y), lambda x, y, z: float(x <= y)),
    "and": (call("and", call("lt", X, Y), Z), lambda x, y, z: float(x < y)),
    "or": (call("or", call("lt", X, Y), call("lt", Y, Z)), lambda x, y, z: float(x < y or y < z)),
    "xor": (
        call("xor", call("lt", X, Y), call("lt", Y, Z), call("lt", X, Z)),
        lambda x, y, z: float((x < y) ^ (y < z) ^ (x < z)),
    ),
    "not": (call("not", call("lt", X, Y)), lambda x, y, z: float(x >= y)),
    "implies": (call("implies", call("lt", X, Y), call("lt", X, Z)), lambda x, y, z: float(x >= y or x < z)),
    "piecewise": (
        call("piecewise", X, call("lt", X, Y), Y, call("lt", Y, Z), Z),
        lambda x, y, z: x if x < y else (y if y < z else z),
    ),
    "true": (call("piecewise", X, call("true"), Y), lambda x, y, z: x),
    "false": (call("piecewise", X, call("false"), Y), lambda x, y, z: y),
    "pi": (call("pi"), lambda x, y, z: math.pi),
    "exponentiale": (call("exponentiale"), lambda x, y, z: math.e),
    "avogadro": (call("avogadro"), lambda x, y, z: 6.02214179e23),
    "time": (call("times", Time(), X), lambda x, y, z: 7.0 * x),
    "lone and": (call("plus", call("and", X), call("or", Number(0.0)), call("and"), call("or")), lambda x, y, z: 2.0),
    "no other": (call("piecewise", X, call("lt", X, Number(0.0))), lambda x, y, z: math.nan),
    **{
        f"power {n}": (call("power", X, Number(float(n))), lambda x, y, z, n=n: x**n)
        for n in (-16, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 11, 16, 17)
    },
}


@pytest.fixture(scope="module")
def generated() -> np.ndarray:
    """Every formula of MEANING at every point, by one generated function."""
    lines, results = statements([formula for formula, _ in MEANING.values()], lambda slot: f"v[{slot}]")
    body = [*lines, *(f"out[{i}] = {text}" for i, text in enumerate(results))]
    kernel = compile_function("def kernel(v, time, out):\n" + "".join(f"    {line}\n" for line in body), {})
    out = np.empty((len(POINTS), len(MEANING)))
    for v, row in zip(POINTS, out, strict=True):
        kernel(v, 7.0, row)
    return out


def test_every_operator_is_covered():
    assert {*OPERATORS} - {"rateOf", "delay"} <= {*MEANING}


@pytest.mark.parametrize("name", MEANING)
def test_operator_means_what_sbml_says(name, generated):
    expected = [MEANING[name][1](*(float(x) for x in point)) for point in POINTS]
    np.testing.assert_allclose(generated[:, list(MEANING).index(name)], expected, rtol=2e-15, atol=1e-300)


def test_generated_code_and_table_machine_agree_to_the_last_bit(generated):
    assembler = Assembler(3)
    cells = assembler.cells(len(MEANING))
    span = assembler.program([(cells + i, formula) for i, (formula, _) in enumerate(MEANING.values())])
    tables = assembler.finish()
    for point, expected in zip(POINTS, generated, strict=True):
        memory = tables.memory.copy()
        memory[:3], memory[tables.time] = point, 7.0
        run(tables.code, *span, memory)
        assert memory[cells : cells + len(MEANING)].tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", MEANING)
def test_generated_code_and_the_numpy_walk_agree(name, generated):
    found = evaluate(MEANING[name][0], POINTS, 7.0)
    expected = generated[:, list(MEANING).index(name)]
    np.testing.assert_allclose(np.broadcast_to(found, expected.shape), expected, rtol=2e-15, atol=1e-300)


@pytest.mark.parametrize(
    ("exponent", "text"),
    [
        (2, "(v0 * v0)"),
        (3, "(v0 * (v0 * v0))"),
        (4, "((v0 * v0) * (v0 * v0))"),
        (5, "(v0 * ((v0 * v0) * (v0 * v0)))"),
        (-2, "(1.0 / (v0 * v0))"),
    ],
)
def test_whole_powers_are_multiplications_in_a_fixed_order(exponent, text):
    assert source(call("power", X, Number(float(exponent))), lambda slot: f"v{slot}") == text


def test_nothing_but_own_names_and_numbers_is_printed():
    lines, results = statements([formula for formula, _ in MEANING.values()], lambda slot: f"v{slot}")
    tokens = tokenize.generate_tokens(io.StringIO("\n".join([*lines, *results])).readline)
    names = {token.string for token in tokens if token.type == tokenize.NAME}
    own = {"if", "else", "and", "or", "not", "True", "False", "math", "np", "abs", "time", "nan"}
    functions = {part for name in codegen._FUNCTIONS.values() for part in name.split(".")}
    assert {name for name in names if not re.fullmatch(r"[vx]\d+", name)} <= own | functions


@pytest.mark.parametrize("foreign", [Symbol("__import__('os')"), Invoke("f", (X,)), call("rateOf", Symbol("x"))])
def test_foreign_names_are_refused(foreign):
    with pytest.raises(TypeError):
        source(call("plus", X, foreign), lambda slot: f"v{slot}")


def test_long_and_deep_formulas_can_be_parsed():
    nested: Expression = X
    for _ in range(400):
        nested = call("exp", call("minus", nested))
    lines, results = statements([nested, Call("plus", (X, Y) * 3000)], lambda slot: f"v{slot}")
    compile("\n".join([*lines, *results]), "generated", "exec")


def test_machine_code_is_kept_privately_and_never_trusted_as_source(tmp_path, monkeypatch):
    monkeypatch.setenv("SENEXO_CACHE", str(tmp_path / "cache"))
    text = "def kernel(x):\n    return x + 0.125\n"
    assert compile_function(text, {})(1.0) == 1.125
    (kept,) = (tmp_path / "cache").glob("kernel_*.py")
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert list((kept.parent / "__pycache__").glob("*.nbc"))
    kept.write_text("raise SystemExit('planted')\n")
    codegen._compiled.clear()
    assert compile_function(text, {})(1.0) == 1.125
    assert kept.read_text() == text


@pytest.mark.parametrize("case", ["off", "writable by others", "a file is in the way"])
def test_without_a_safe_folder_nothing_is_kept(case, tmp_path, monkeypatch):
    folder: Path = tmp_path / "cache"
    if case == "writable by others":
        folder.mkdir()
        os.chmod(folder, 0o777)
    elif case == "a file is in the way":
        folder.write_text("")
    monkeypatch.setenv("SENEXO_CACHE", "off" if case == "off" else str(folder))
    assert cache_folder() is None
    assert compile_function(f"def kernel(x):\n    return x + {len(case)}.0\n", {})(1.0) == 1.0 + len(case)


def test_constants_are_part_of_what_is_compiled():
    text = "def kernel(x):\n    return x * factor\n"
    assert compile_function(text, {"factor": 2.0})(3.0) == 6.0
    assert compile_function(text, {"factor": np.uint64(3)})(3.0) == 9.0
    assert compile_function(text, {"factor": np.uint64(4)})(3.0) == 12.0
