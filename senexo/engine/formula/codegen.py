"""Lowered expressions as Python source for numba: own names and number literals only.

Every character of the source comes from this file, from `repr` of a float, or from the names the calling
kernel chose for its slots; nothing of a model's own text is ever part of it. `compile_function` is the only
place in senexo where source text is executed.

The meaning of every operator, and the order of every operation, is that of `senexo.engine.formula.graph`.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numba
import numpy as np

from senexo.engine.formula import arithmetic, kernels
from senexo.engine.formula.graph import Graph, Node
from senexo.engine.formula.kernels import cache_folder, kernel
from senexo.model.expression import Expression

_BINARY = {"plus": "+", "minus": "-", "times": "*", "divide": "/", "eq": "==", "neq": "!=", "lt": "<", "leq": "<="}
_FUNCTIONS = {
    "exp": "math.exp", "ln": "math.log", "abs": "abs", "floor": "np.floor", "ceiling": "np.ceil",
    "factorial": "factorial", "sin": "math.sin", "cos": "math.cos", "tan": "math.tan", "sinh": "math.sinh",
    "cosh": "math.cosh", "tanh": "math.tanh", "arcsin": "math.asin", "arccos": "math.acos", "arctan": "math.atan",
    "arcsinh": "math.asinh", "arccosh": "math.acosh", "arctanh": "math.atanh", "sqrt": "math.sqrt",
    "power": "math.pow", "rem": "remainder", "quotient": "quotient",
}  # fmt: skip
_DEEPEST = 24  # nesting of one printed line; the parser of Python gives up near 200


def statements(
    expressions: Sequence[Expression],
    name_of_slot: Callable[[int], str],
    *,
    time: str = "time",
    prefix: str = "x",
) -> tuple[list[str], list[str]]:
    """Source lines that compute shared subexpressions, and one source expression per formula.

    The lines assign temporaries `prefix0`, `prefix1`, ... and are to stand, in order, before any of the
    returned expressions. A formula that is a truth value is returned as the number 1.0 or 0.0.

    expressions: lowered formulas (no Symbol, no Invoke); name_of_slot: an identifier or an indexing such as
    "v[3]" made by the caller from a slot number; time: the caller's name for the current time.

    >>> from senexo.model.expression import Call, Number, Slot
    >>> cube = Call("power", (Slot(0), Number(3.0)))
    >>> statements([cube, Call("plus", (cube, Slot(1)))], lambda i: f"v{i}")
    (['x0 = v0 * (v0 * v0)'], ['x0', '(x0 + v1)'])
    """
    graph = Graph()
    roots = [graph.add(expression) for expression in expressions]
    return print_nodes(graph, roots, name_of_slot, time=time, prefix=prefix)


def source(expression: Expression, name_of_slot: Callable[[int], str], *, time: str = "time") -> str:
    """One formula as one source expression, without temporaries; for short formulas.

    >>> from senexo.model.expression import Call, Number, Slot
    >>> source(Call("divide", (Number(1.0), Slot(2))), lambda i: f"v{i}")
    '(1.0 / v2)'
    """
    graph = Graph()
    root = graph.add(expression)
    return _Printer(graph, name_of_slot, time).value(root)


def print_nodes(
    graph: Graph,
    roots: Sequence[Node],
    name_of_slot: Callable[[int], str],
    *,
    time: str = "time",
    prefix: str = "x",
    ready: Mapping[Node, str] | None = None,
    functions: Mapping[str, str] | None = None,
) -> tuple[list[str], list[str]]:
    """`statements` for formulas that already are nodes of a graph.

    ready: nodes whose values the caller has under a name; functions: operators spelled otherwise than with `math`.
    """
    printer = _Printer(graph, name_of_slot, time, ready, functions)
    nodes = graph.reachable(roots, printer.names)
    uses = dict.fromkeys(nodes, 0)
    for node in [*(a for n in nodes if n not in printer.names for a in graph.arguments(n)), *roots]:
        uses[node] += 1
    depth: dict[Node, int] = {}
    lines: list[str] = []
    for node in nodes:
        arguments = graph.arguments(node)
        if not arguments or node in printer.names:
            continue
        depth[node] = 1 + max(depth.get(argument, 0) for argument in arguments)
        if uses[node] > 1 or depth[node] > _DEEPEST:
            name = f"{prefix}{len(lines)}"
            lines.append(f"{name} = {_bare(printer.text(node))}")
            printer.names[node] = name
            depth[node] = 0
    return lines, [printer.value(root) for root in roots]


class _Printer:
    """Prints nodes; a node that has got a name is printed as that name."""

    def __init__(
        self,
        graph: Graph,
        name_of_slot: Callable[[int], str],
        time: str,
        ready: Mapping[Node, str] | None = None,
        functions: Mapping[str, str] | None = None,
    ) -> None:
        self.graph, self.name_of_slot, self.time = graph, name_of_slot, time
        self.names = dict(ready or {})
        self.functions = {**_FUNCTIONS, **(functions or {})}

    def value(self, node: Node) -> str:
        text = self.text(node)
        return f"(1.0 if {text} else 0.0)" if self.graph.is_truth(node) else text

    def condition(self, node: Node) -> str:
        text = self.text(node)
        return text if self.graph.is_truth(node) else f"({text} != 0.0)"

    def text(self, node: Node) -> str:
        if node in self.names:
            return self.names[node]
        key, arguments = self.graph.keys[node], self.graph.arguments(node)
        operator = self.graph.operator(node)
        if operator == "number":
            return _literal(float(key[2]))
        if operator == "slot":
            return self.name_of_slot(int(key[1]))
        if operator == "time":
            return self.time
        if operator in ("true", "false"):
            return operator.capitalize()
        if operator in ("and", "or"):
            return f"({self.condition(arguments[0])} {operator} {self.condition(arguments[1])})"
        if operator == "xor":
            return f"({self.condition(arguments[0])} != {self.condition(arguments[1])})"
        if operator == "not":
            return f"(not {self.condition(arguments[0])})"
        if operator == "select":
            chosen, other = self.value(arguments[1]), self.value(arguments[2])
            return f"({chosen} if {self.condition(arguments[0])} else {other})"
        values = [self.value(argument) for argument in arguments]
        if operator == "negate":
            return f"(-{values[0]})"
        if operator in ("min", "max"):
            a, b = values
            return f"({a} if {a} {'<' if operator == 'min' else '>'} {b} else {b})"
        if operator in _BINARY:
            return f"({values[0]} {_BINARY[operator]} {values[1]})"
        return f"{self.functions[operator]}({', '.join(values)})"


def _literal(value: float) -> str:
    if math.isnan(value):
        return "math.nan"
    if math.isinf(value):
        return "math.inf" if value > 0 else "(-math.inf)"
    return repr(value) if math.copysign(1.0, value) > 0 else f"({value!r})"


def _bare(text: str) -> str:
    """The same source without a pair of parentheses around the whole of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


def indented(lines: Iterable[str], by: int) -> Iterator[str]:
    """Source lines moved to the right."""
    return (" " * by + line for line in lines)


_compiled: dict[str, Callable[..., Any]] = {}
_compiling = Lock()


def compile_function(source: str, names: Mapping[str, object], *, entry: str = "kernel") -> Callable[..., Any]:
    """Numba dispatcher of the function `entry` in our own generated source.

    All top-level functions of `source` are compiled (nopython, nogil, numpy's error model: a division by zero
    is an infinity, never an exception) and may call each other; `names` adds the dispatchers and constants
    they use, beside `math`, `np` and the helpers of `senexo.engine.formula.arithmetic`. The same source and names
    give the same dispatcher within a process, and machine code kept in the user's cache folder between processes
    (see `kernels.cache_folder`); what is executed is always the text passed in, never text read from the cache.

    >>> double = compile_function("def kernel(x):\\n    return 2.0 * x\\n", {})
    >>> double(4.0)
    8.0
    """
    digest = _digest(source, names)
    with _compiling:
        if digest not in _compiled:
            _compiled[digest] = _execute(source, names, entry, digest)
        return _compiled[digest]


def _execute(source: str, names: Mapping[str, object], entry: str, digest: str) -> Callable[..., Any]:
    # A module of its own per source: numba forms symbol names from it, and kernels loaded from the cache
    # must not share them.
    module = types.ModuleType(f"senexo_generated_{digest[:32]}")
    path = _cached_source(source, digest)
    namespace = module.__dict__
    namespace.update(
        {"math": math, "np": np, **{name: getattr(arithmetic, name) for name in arithmetic.HELPERS}, **names}
    )
    sys.modules[module.__name__] = module
    exec(compile(source, str(path or f"<{module.__name__}>"), "exec"), namespace)  # noqa: S102
    decorate = kernel()
    for name in re.findall(r"^def (\w+)\(", source, re.MULTILINE):
        namespace[name] = decorate(namespace[name])
    return namespace[entry]


def _digest(source: str, names: Mapping[str, object]) -> str:
    """Of everything the machine code depends on: the source, the constants, and the files of the helpers."""
    content = hashlib.sha256()
    files = {str(arithmetic.__file__), str(kernels.__file__)}
    named = [f"{name}={_identity(names[name])}" for name in sorted(names)]
    for part in (source, numba.__version__, sys.version, *named):
        content.update(part.encode() + b"\0")
    for value in names.values():
        module = sys.modules.get(getattr(value, "__module__", None) or "")
        if getattr(module, "__file__", None):
            files.add(str(module.__file__))  # type: ignore[union-attr]
    for file in sorted(files):
        content.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return content.hexdigest()


def _identity(value: object) -> str:
    return f"{value.__module__}.{getattr(value, '__qualname__', '')}" if callable(value) else repr(value)


def _cached_source(source: str, digest: str) -> Path | None:
    """A file holding exactly `source`, beside which numba keeps the machine code; None without a cache."""
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / f"kernel_{digest[:32]}.py"
    try:
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            partial = path.with_suffix(f".{os.getpid()}.partial")
            partial.write_text(source, encoding="utf-8")
            os.replace(partial, path)
        (folder / "__pycache__").mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return path
