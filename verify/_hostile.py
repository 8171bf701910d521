"""Hostile files, each with the expected outcome. Used by the tests and by `verify.hostile`."""

# ruff: noqa: E501  (lines of markup)

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

MATHML = "http://www.w3.org/1998/Math/MathML"
CORE = "http://www.sbml.org/sbml/level3/version2/core"

# What a careless program might run, open, or print as markup.
HOSTILE_IDS = (
    "__import__('os').system('touch owned')",
    "a;import os",
    "eval(compile('1','x','exec'))",
    "x y",
    "1abc",
    "a-b",
    "a.b",
    "a[0]",
    "lambda: 0",
    "../../etc/passwd",
    "%s%s%n",
    "${HOME}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "k&#10;import os",
    "μ",
    "ａ",
    "a\u200bb",
    "k&#0;",
    "'; DROP TABLE ledger; --",
    "x" * 10 + "\\u0061",
)


@dataclass(frozen=True)
class Case:
    """`refused`: loading or lowering raises a senexo error. `accepted`: both succeed. `slow`: takes over 5 s."""

    name: str
    file: str
    data: bytes
    outcome: Literal["refused", "accepted"] = "refused"
    slow: bool = False


def sbml(body: str, *, attributes: str = "", prolog: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    """An L3V2 file around the body of its model."""
    return f'{prolog}<sbml xmlns="{CORE}" level="3" version="2"{attributes}><model id="m">{body}</model></sbml>'


def parameter(id: str = "k", value: str = "1", constant: str = "false") -> str:
    return f'<parameter id="{id}" value="{value}" constant="{constant}"/>'


def parameters(*items: str) -> str:
    return f"<listOfParameters>{''.join(items)}</listOfParameters>"


def math(content: str) -> str:
    return f'<math xmlns="{MATHML}">{content}</math>'


def rules(*pairs: tuple[str, str], kind: str = "assignmentRule") -> str:
    inside = "".join(f'<{kind} variable="{id}">{math(content)}</{kind}>' for id, content in pairs)
    return f"<listOfRules>{inside}</listOfRules>"


def rule_for_k(content: str) -> str:
    """A model whose one parameter is set by the formula."""
    return sbml(parameters(parameter("k"), parameter("a")) + rules(("k", content)))


def apply(operator: str, *arguments: str) -> str:
    return f"<apply><{operator}/>{''.join(arguments)}</apply>"


def nested(depth: int) -> str:
    return "<apply><minus/>" * depth + "<ci>a</ci>" + "</apply>" * depth


def doubling_functions(n: int) -> str:
    """f_i(x) = f_(i-1)(x) + f_(i-1)(x): short to write, 2^n terms when written out."""
    bodies = [("f0", "<ci>x</ci>")]
    for i in range(1, n + 1):
        inner = f"<apply><ci>f{i - 1}</ci><ci>x</ci></apply>"
        bodies.append((f"f{i}", apply("plus", inner, inner)))
    written = "".join(_function(id, f"<lambda><bvar><ci>x</ci></bvar>{body}</lambda>") for id, body in bodies)
    use = rules(("k", f"<apply><ci>f{n}</ci><ci>a</ci></apply>"))
    return sbml(
        f"<listOfFunctionDefinitions>{written}</listOfFunctionDefinitions>"
        + parameters(parameter("k"), parameter("a"))
        + use
    )


def _function(id: str, content: str) -> str:
    return f'<functionDefinition id="{id}">{math(content)}</functionDefinition>'


def cases() -> Iterator[Case]:
    """The whole corpus."""
    yield from _entities()
    yield from _sizes()
    yield from _encodings()
    yield from _ids()
    yield from _mathematics()
    yield from _structure()
    yield from _features()
    yield from _numbers()
    yield from _antimony()


def _xml(name: str, text: str | bytes, outcome: Literal["refused", "accepted"] = "refused") -> Case:
    return Case(name, "model.xml", text if isinstance(text, bytes) else text.encode(), outcome)


def _entities() -> Iterator[Case]:
    laughs = '<!ENTITY a0 "ha">' + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 10))
    body, long = parameters(parameter("k")), "x" * 50_000
    for name, declaration, inside in (
        ("a billion laughs", f"<!DOCTYPE sbml [{laughs}]>", "<notes>&a9;</notes>"),
        ("quadratic blow-up", f"<!DOCTYPE sbml [<!ENTITY a '{long}'>]>", f"<notes>{'&a;' * 5_000}</notes>"),
        ("an external entity", '<!DOCTYPE sbml [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "<notes>&a;</notes>"),
        ("a parameter entity", '<!DOCTYPE sbml [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;]>', ""),
        ("an external DOCTYPE", '<!DOCTYPE sbml SYSTEM "http://127.0.0.1:9/sbml.dtd">', ""),
        ("a public DOCTYPE", '<!DOCTYPE sbml PUBLIC "-//x//y" "http://127.0.0.1:9/sbml.dtd">', ""),
        ("an empty DOCTYPE", "<!DOCTYPE sbml>", ""),
        ("attribute defaults in a DOCTYPE", '<!DOCTYPE sbml [<!ATTLIST parameter value CDATA "9">]>', ""),
    ):
        yield _xml(name, sbml(inside + body, prolog=f'<?xml version="1.0"?>{declaration}'))
    yield _xml("an undefined entity", sbml("<notes>&lol;</notes>" + body))


def _sizes() -> Iterator[Case]:
    yield _xml("20,000 nested elements", sbml("<a>" * 20_000 + "</a>" * 20_000))
    yield _xml("1,000 nested annotations", sbml("<annotation>" + "<a>" * 1_000 + "</a>" * 1_000 + "</annotation>"))
    yield _xml("10,000 nested applies", rule_for_k(nested(10_000)))
    yield _xml("300 nested applies", rule_for_k(nested(300)))
    yield _xml("220 nested applies", rule_for_k(nested(220)))
    yield _xml("190 nested applies", rule_for_k(nested(190)), "accepted")
    yield _xml(
        "5,000 nested piecewise", rule_for_k("<piecewise><otherwise>" * 5_000 + "</otherwise></piecewise>" * 5_000)
    )
    yield _xml("600,000 elements", sbml("<annotation>" + "<a/>" * 600_000 + "</annotation>"))
    yield _xml("21 MiB of notes", sbml(f"<notes>{'x' * (21 * 2**20)}</notes>"))
    yield replace(_xml("a sum of 100,000 terms", rule_for_k(apply("plus", "<ci>a</ci>" * 100_000))), slow=True)
    yield _xml("a sum of 1,000 terms", rule_for_k(apply("plus", "<ci>a</ci>" * 1_000)), "accepted")
    yield _xml("doubling functions, 40 deep", doubling_functions(40))
    yield _xml("doubling functions, 8 deep", doubling_functions(8), "accepted")
    yield _xml("an id of 5 MB", sbml(parameters(parameter("k" * 5_000_000))), "accepted")
    attributes = " ".join(f'b{i}="1"' for i in range(100_000))
    yield _xml("100,000 attributes", sbml(f"<annotation><a {attributes}/></annotation>"), "accepted")


def _encodings() -> Iterator[Case]:
    text = sbml(parameters(parameter("k")))
    yield _xml("an empty file", b"")
    yield _xml("only blanks", b" \n\t\n" * 100)
    yield _xml("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10)
    yield _xml("a gzip file named .xml", gzip.compress(text.encode()))
    yield _xml("a gzip bomb", gzip.compress(b"0" * 50_000_000))
    yield _xml("a bzip2 file named .xml", bz2.compress(text.encode()))
    yield _xml("an xz file named .xml", lzma.compress(text.encode()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../model.xml", text)
    yield _xml("a zip file named .xml", packed.getvalue())
    yield Case("a zip file named .ant", "model.ant", packed.getvalue())
    yield _xml("cut off in the middle", text[: len(text) // 2])
    yield _xml("cut off inside a tag", text[:-4])
    yield _xml("text after the end", text + "<sbml/>")
    yield _xml("a NUL in the middle", text.replace("<model", "\0<model"))
    yield _xml("UTF-16", text.replace("UTF-8", "UTF-16").encode("utf-16"), "accepted")
    yield _xml("UTF-16 said to be UTF-8", text.encode("utf-16"))
    yield _xml("UTF-8 with a byte order mark", b"\xef\xbb\xbf" + text.encode(), "accepted")
    yield _xml("Latin-1 said to be UTF-8", sbml("<notes>\xb5</notes>").encode("latin-1"))
    latin = sbml(parameters(parameter("k")), prolog='<?xml version="1.0" encoding="ISO-8859-1"?><!-- \xb5 -->')
    yield _xml("Latin-1", latin.encode("latin-1"), "accepted")
    yield _xml("an unknown encoding", text.replace("UTF-8", "EBCDIC-XYZ"))
    yield _xml("a codec that is not text", text.replace("UTF-8", "zlib_codec"))
    yield _xml("UTF-7", text.replace("UTF-8", "UTF-7"))
    yield _xml("overlong UTF-8", sbml("<notes>@@</notes>").encode().replace(b"@@", b"\xc0\xbc"))
    yield _xml("a web page", b"<html><body>404</body></html>")
    yield _xml("not XML at all", b"model m; k = 1; end")
    yield _xml("XML of another kind", b'<?xml version="1.0"?><cellml xmlns="http://www.cellml.org/cellml/2.0#"/>')
    yield Case("an ending nobody knows", "model.exe", text.encode())


def _ids() -> Iterator[Case]:
    # A copy of each id in every place that can hold one, turn by turn.
    places = (
        ("parameter", lambda id: sbml(parameters(parameter(id)))),
        ("ci", lambda id: rule_for_k(f"<ci>{id}</ci>")),
        ("function", lambda id: rule_for_k(f"<apply><ci>{id}</ci><ci>a</ci></apply>")),
        ("bound variable", lambda id: doubling_functions(1).replace("<ci>x</ci>", f"<ci>{id}</ci>")),
        ("compartment", lambda id: sbml(f'<listOfCompartments><compartment id="{id}" constant="true"/></listOfCompartments>')),
        ("unit", lambda id: sbml(f'<listOfUnitDefinitions><unitDefinition id="{id}"/></listOfUnitDefinitions>')),
        ("rule", lambda id: sbml(parameters(parameter("k")) + rules((id, "<cn>1</cn>")))),
        ("model", lambda id: sbml("").replace('id="m"', f'id="{id}"')),
        ("units of a parameter", lambda id: sbml(parameters(parameter("k").replace("/>", f' units="{id}"/>')))),
        ("event", lambda id: sbml(parameters(parameter("k")) + event("<true/>", id=id))),
        ("reaction", lambda id: sbml(f'<listOfReactions><reaction id="{id}" reversible="false"/></listOfReactions>')),
    )  # fmt: skip
    for i, id in enumerate(HOSTILE_IDS):
        for name, build in (places[i % len(places)], places[(i + 4) % len(places)]):
            yield _xml(f"the id {id!a} of a {name}", build(id))


def event(trigger: str, *, assign: str = "<cn>2</cn>", id: str = "e", variable: str = "k") -> str:
    return (
        f'<listOfEvents><event id="{id}" useValuesFromTriggerTime="true"><trigger initialValue="false" '
        f'persistent="true">{math(trigger)}</trigger><listOfEventAssignments><eventAssignment variable="{variable}">'
        f"{math(assign)}</eventAssignment></listOfEventAssignments></event></listOfEvents>"
    )


def _mathematics() -> Iterator[Case]:
    ab = parameters(parameter("k"), parameter("a"), parameter("b"))
    yield _xml("a rule for itself", rule_for_k(apply("plus", "<ci>k</ci>", "<cn>1</cn>")))
    yield _xml("two rules in a circle", sbml(ab + rules(("k", "<ci>a</ci>"), ("a", "<ci>k</ci>"))))
    yield _xml(
        "three rules in a circle", sbml(ab + rules(("k", "<ci>a</ci>"), ("a", "<ci>b</ci>"), ("b", "<ci>k</ci>")))
    )
    start = f'<listOfInitialAssignments><initialAssignment symbol="a">{math("<ci>k</ci>")}</initialAssignment></listOfInitialAssignments>'
    chain = [(f"p{i}", apply("plus", f"<ci>p{i - 1}</ci>", "<cn>1</cn>") if i else "<cn>1</cn>") for i in range(200)]
    yield _xml(
        "a chain of 200 rules", sbml(parameters(*(parameter(id) for id, _ in chain)) + rules(*chain)), "accepted"
    )
    yield _xml("a circle through an initial assignment", sbml(ab + start + rules(("k", "<ci>a</ci>"))))
    for name, calls in (("a function calling itself", "ff"), ("two functions calling each other", "fgf")):
        functions = "".join(
            _function(one, f"<lambda><apply><ci>{other}</ci></apply></lambda>") for one, other in pairwise(calls)
        )
        use = rules(("k", "<apply><ci>f</ci></apply>"))
        yield _xml(name, sbml(f"<listOfFunctionDefinitions>{functions}</listOfFunctionDefinitions>" + ab + use))
    yield _xml("a reaction that stands on its own rate", sbml(
        f'{ab}<listOfReactions><reaction id="r" reversible="false"><kineticLaw>{math("<ci>r</ci>")}</kineticLaw>'
        "</reaction></listOfReactions>"
    ))  # fmt: skip
    yield _xml("a name that is nowhere", rule_for_k("<ci>nowhere</ci>"))
    yield _xml("a function that is nowhere", rule_for_k("<apply><ci>nowhere</ci><ci>a</ci></apply>"))
    yield _xml("two values at once", rule_for_k("<cn>1</cn><cn>2</cn>"))
    yield _xml("a division of one", rule_for_k(apply("divide", "<ci>a</ci>")))
    yield _xml("a sine of two", rule_for_k(apply("sin", "<ci>a</ci>", "<ci>a</ci>")))
    yield _xml("an integral", rule_for_k(apply("int", "<ci>a</ci>")))
    yield _xml("an unknown csymbol", rule_for_k('<csymbol encoding="text" definitionURL="http://x/y">exec</csymbol>'))
    yield _xml("a rate of a number", rule_for_k(
        '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf">r</csymbol>'
        "<cn>1</cn></apply>"
    ))  # fmt: skip
    yield _xml("two rules for one parameter", sbml(ab + rules(("k", "<cn>1</cn>"), ("k", "<cn>2</cn>"))))
    yield _xml("a rule for what is nowhere", sbml(ab + rules(("nowhere", "<cn>1</cn>"))))
    yield _xml("a rule for a constant", sbml(parameters(parameter("k", constant="true")) + rules(("k", "<cn>1</cn>"))))
    yield _xml("an event that sets what is nowhere", sbml(ab + event("<true/>", variable="nowhere")))
    yield _xml("an event that fires itself for ever", sbml(ab + event(
        apply("lt", "<ci>k</ci>", "<cn>9</cn>"), assign=apply("minus", "<ci>k</ci>")
    )), "accepted")  # fmt: skip


def _structure() -> Iterator[Case]:
    one = parameter("k")
    yield _xml("an sbml element without a model", f'<?xml version="1.0"?><sbml xmlns="{CORE}" level="3" version="2"/>')
    yield _xml("the same id twice", sbml(parameters(one, one)))
    yield _xml("an attribute twice", sbml('<listOfParameters><parameter id="k" id="k"/></listOfParameters>'))
    yield _xml("an unknown element", sbml("<listOfDreams/>"))
    yield _xml("an unknown attribute", sbml(parameters(one.replace("/>", ' exec="rm"/>'))))
    yield _xml("level 99", sbml(parameters(one)).replace('level="3"', 'level="99"'))
    yield _xml("a level that is not a number", sbml(parameters(one)).replace('level="3"', 'level="x"'))
    yield _xml("the namespace of another level", sbml(parameters(one)).replace("level3", "level2"))
    species = '<species id="S" compartment="nowhere" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>'
    yield _xml("a species outside every compartment", sbml(f"<listOfSpecies>{species}</listOfSpecies>"))
    yield _xml("a reaction of what is nowhere", sbml(
        '<listOfReactions><reaction id="r" reversible="false"><listOfReactants><speciesReference species="nowhere" '
        'constant="true"/></listOfReactants></reaction></listOfReactions>'
    ))  # fmt: skip
    yield _xml("a boolean that is none", sbml(parameters(one.replace("false", "perhaps"))))
    yield _xml("a value that is no number", sbml(parameters(parameter("k", "one"))))
    clash = (
        '<listOfUnitDefinitions><unitDefinition id="u"><listOfUnits><unit kind="second" exponent="1" scale="0" '
        'multiplier="1"/></listOfUnits></unitDefinition></listOfUnitDefinitions>'
    )
    metres = parameter("a").replace("/>", ' units="metre"/>')
    yield _xml("seconds set to metres", sbml(
        clash + parameters(one.replace("/>", ' units="u"/>'), metres) + rules(("k", "<ci>a</ci>"))
    ), "accepted")  # fmt: skip


def _features() -> Iterator[Case]:
    package = ' xmlns:p="http://www.sbml.org/sbml/level3/version1/{0}/version1" p:required="{1}"'
    for name in ("comp", "distrib", "arrays", "spatial", "multi", "qual", "made_up"):
        used = sbml(parameters(parameter()) + "<p:thing/>", attributes=package.format(name, "true"))
        yield _xml(f"package {name}", used)
        unused = sbml(parameters(parameter()), attributes=package.format(name, "true"))
        yield _xml(f"package {name}, unused", unused, "accepted")
    for name in ("layout", "render", "groups"):
        yield _xml(
            f"package {name}", sbml(parameters(parameter()), attributes=package.format(name, "false")), "accepted"
        )
    yield _xml(
        "an algebraic rule",
        sbml(
            parameters(parameter()) + f"<listOfRules><algebraicRule>{math('<ci>k</ci>')}</algebraicRule></listOfRules>"
        ),
        "accepted",
    )
    yield _xml(
        "an algebraic rule of numbers alone",
        sbml(f"<listOfRules><algebraicRule>{math('<cn>1</cn>')}</algebraicRule></listOfRules>"),
    )
    yield _xml("a delay", rule_for_k(
        '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay">d</csymbol>'
        "<ci>a</ci><cn>1</cn></apply>"
    ), "accepted")  # fmt: skip


def _numbers() -> Iterator[Case]:
    for value in ("NaN", "INF", "-INF", "1e308", "-1e308", "-0"):
        yield _xml(f"the value {value}", sbml(parameters(parameter("k", value))), "accepted")
    yield _xml("the value 0x41", sbml(parameters(parameter("k", "0x41"))))  # libSBML reads C's hexadecimals
    yield _xml("the value 1e400", sbml(parameters(parameter("k", "1e400"))))
    yield _xml("the value 1e-320", sbml(parameters(parameter("k", "1e-320"))))
    yield _xml("the value 1_000", sbml(parameters(parameter("k", "1_000"))))
    yield _xml("the number 1e999", rule_for_k("<cn>1e999</cn>"))
    yield _xml("the number 1 e 999999999", rule_for_k('<cn type="e-notation">1<sep/>999999999</cn>'))
    yield _xml("an integer of 40 digits", rule_for_k(f'<cn type="integer">{"9" * 40}</cn>'))
    yield _xml("the number import os", rule_for_k("<cn>import os</cn>"))
    yield _xml("one over nothing", rule_for_k('<cn type="rational">1<sep/>0</cn>'), "accepted")
    yield _xml("not-a-number", rule_for_k("<notanumber/>"), "accepted")
    yield _xml("infinity", rule_for_k("<infinity/>"), "accepted")


def _antimony() -> Iterator[Case]:
    def ant(name: str, text: str, outcome: Literal["refused", "accepted"] = "refused") -> Case:
        return Case(f"Antimony: {name}", "model.ant", text.encode(), outcome)

    yield ant("import", 'import "/etc/passwd"\nk = 1')
    yield ant("import inside a model", 'model m()\n  k = 1; import "x.ant"\nend')
    yield ant("import split by a comment", 'import /* quietly */ "x.ant"\nk = 1')
    yield ant("import after an open-looking string", 'k is "/*"\nimport "x.ant"\n// */')
    yield ant("import in a comment only", '// import "x.ant"\n/* import "y" */\nk = 1 # import "z"', "accepted")
    yield ant("import in a string only", 'k = 1\nk is "import x"', "accepted")
    yield ant("a model inside itself", "model a()\n  A: a();\nend")
    yield ant("two models inside each other", "model a()\n  B: b();\nend\nmodel b()\n  A: a();\nend")
    doubling = "".join(f"model m{i}()\n  A: m{i - 1}();\n  B: m{i - 1}();\nend\n" for i in range(1, 25))
    yield replace(ant("doubling models", "model m0()\n  k = 1;\nend\n" + doubling), slow=True)
    yield ant("50,000 brackets", "k := " + "(" * 50_000 + "1" + ")" * 50_000)
    yield ant("a chain of 3,000 differences", "a = 1; k := " + "-".join(["a"] * 3_000))
    yield ant("a chain of 100,000 differences", "a = 1; k := " + "-".join(["a"] * 100_000))
    yield ant("a rule for itself", "k := k + 1")
    yield ant("no end", "model m()\n  k = 1")
    yield ant("nonsense", "]]]] this is not (a model")
    yield ant("a delay", "a = 1; k := delay(a, 3)", "accepted")
    yield ant("an algebraic rule", "0 = a + b; a = 1; b = 2", "accepted")
    yield ant("a number too large", "k = 1e400")
    yield Case("Antimony: binary", "model.ant", bytes(range(256)) * 40)
    yield Case("Antimony: Latin-1", "model.txt", b"k = 1 // \xb5")
    yield Case("Antimony: 21 MiB", "model.ant", b"// x\n" * (5 * 2**20))
    yield Case("SBML named .txt", "model.txt", sbml(parameters(parameter())).encode(), "accepted")
