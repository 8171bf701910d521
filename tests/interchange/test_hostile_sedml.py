"""SED-ML made to exhaust the machine, and SED-ML with random damage: refused with a message, quickly."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from sedml_texts import MATH, SBML, SPECIES, document, generator, math, uniform

from senexo.base.errors import InvalidModel, SenexoError, UnsupportedFeature
from senexo.interchange.document import Change, Formula
from senexo.interchange.experiment import Results, read_sedml, run_experiment
from senexo.interchange.model_changes import changed
from senexo.interchange.omex import place_of
from senexo.interchange.values import MOST_VALUES, array_of
from senexo.interchange.xpath import parse_xpath, select
from senexo.model.expression import Call, Symbol

S = SPECIES.format("S")
TASK = '<task id="t" modelReference="m" simulationReference="sim"/>'


def nest(depth: int, length: int) -> str:
    """Repeated tasks within each other, each of so many iterations."""
    tasks = TASK
    for k in range(depth):
        inner = "t" if k == 0 else f"R{k - 1}"
        tasks += (
            f'<repeatedTask id="R{k}" range="i{k}" resetModel="true"><listOfRanges><uniformRange id="i{k}" start="0" end="1" '
            f'numberOfSteps="{length}" type="linear"/></listOfRanges><listOfSubTasks><subTask order="1" task="{inner}"/>'
            "</listOfSubTasks></repeatedTask>"
        )
    return tasks


def circle() -> str:
    """Two tasks that repeat each other."""
    parts = [
        f'<repeatedTask id="{a}" range="i" resetModel="true"><listOfRanges><vectorRange id="i"><value>1</value></vectorRange>'
        f'</listOfRanges><listOfSubTasks><subTask order="1" task="{b}"/></listOfSubTasks></repeatedTask>'
        for a, b in (("A", "B"), ("B", "A"))
    ]
    return TASK + "".join(parts)


DEEP = "<apply><minus/>" * 300 + "<ci>x</ci>" + "</apply>" * 300
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "1e12 iterations in two levels": (lambda: document(tasks=nest(2, 999_999), generators=generator("S", S, "R1")), "simulations"),
    "10^60 iterations": (lambda: document(tasks=nest(20, 999), generators=generator("S", S, "R19")), "simulations|deep"),
    "tasks nested 30 deep": (lambda: document(tasks=nest(30, 0), generators=generator("S", S, "R29")), "more than 20 deep"),
    "tasks in a circle": (lambda: document(tasks=circle(), generators=generator("S", S, "A")), "contains itself: A > B > A"),
    "2e9 steps": (lambda: document(simulations=uniform(steps=2_000_000_000), generators=generator("S", S, "t")), "steps, expected"),
    "1e12 steps": (lambda: document(simulations=uniform(steps=10**12), generators=generator("S", S, "t")), "steps|numberOf|line 1"),
    "an endless time": (lambda: document(simulations=uniform(end=float("inf")), generators=generator("S", S, "t")), "times|line 1"),
    "a formula of 300 levels": (lambda: document(generators=generator("S", S, "t", DEEP)), "nested more than"),
    "an entity": (
        lambda: document(change=lambda text: '<!DOCTYPE a [<!ENTITY b "c">]>' + text), "a DOCTYPE is not allowed",
    ),
    "20,000 levels": (lambda: b"<sedML>" + b"<a>" * 20_000, "nested more than 256"),
    "11,000 data generators": (
        lambda: document(generators="".join(f'<dataGenerator id="g{k}">{math("<cn>1</cn>")}</dataGenerator>' for k in range(11_000))),
        "at most 10,000",
    ),
    "XPath of many depths": (lambda: document(generators=generator("S", "//*//*//*//*", "t")), "XPath with more than"),
    "XPath functions": (lambda: document(generators=generator("S", "//*[count(//*) &gt; 0]", "t")), "XPath beyond"),
    "a file outside": (
        lambda: document(models='<model id="m" language="urn:sedml:language:sbml" source="../../../etc/passwd"/>',
                         generators=generator("S", S, "t")), "no such place",
    ),
    "a file by URL": (
        lambda: document(models='<model id="m" language="urn:sedml:language:sbml" source="file:///etc/passwd"/>',
                         generators=generator("S", S, "t")), "not a file of the archive",
    ),
    "an entity in new XML": (
        lambda: document(models='<model id="m" language="urn:sedml:language:sbml" source="entity.xml"/>',
                         generators=generator("S", S, "t")), "a DOCTYPE is not allowed",
    ),
}  # fmt: skip


def files(place: str) -> bytes:
    texts = {"model.xml": SBML, "entity.xml": '<!DOCTYPE a [<!ENTITY b "c">]>' + SBML.split("?>")[1]}
    if place not in texts:
        raise InvalidModel(f"{place}: no such place")
    return texts[place].encode()


def carried_out(data: bytes) -> Results:
    return run_experiment(read_sedml(data), files)


@pytest.mark.parametrize("name", REFUSED)
def test_bombs(name: str) -> None:
    make, said = REFUSED[name]
    data, begun = make(), time.process_time()
    try:
        results = carried_out(data)
    except (InvalidModel, UnsupportedFeature) as error:
        message = str(error)
    else:
        errors = [column.error for one in results.outputs for column in one.columns]
        message = str(next(error for error in errors if error is not None))
    assert re.search(said, message), message
    assert time.process_time() - begun < 10.0


def test_paths_that_leave_an_archive() -> None:
    for bad in ("../a", "a/../../b", "/a", "C:/a", "a\\..\\b", "..", ".", "", "a\0b", "x" * 2_000):
        assert place_of(bad) is None, bad
    assert place_of("./a/./b.xml") == "a/b.xml"


def test_targets_are_limited_by_the_size_of_the_model() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring("<a>" + "<b/>" * 30_000 + "</a>")
    many = [Change(kind="attribute", target="//b[@id='x']", value="1")] * 1_000
    with pytest.raises(InvalidModel, match="changes of a model of this size"):
        changed(root, many, "m")
    deep = ElementTree.fromstring("<a>" * 200 + "</a>" * 200)
    assert len(select(deep, parse_xpath("//a"))) == 200


def test_values_are_limited() -> None:
    wide, tall = np.zeros((1, 10_000)), np.zeros((10_000, 1))
    formula = Formula(math=Call("plus", (Symbol("a"), Symbol("b"))))
    with pytest.raises(InvalidModel, match=f"at most {MOST_VALUES:,}"):
        array_of(formula, {"a": wide, "b": tall}, "here")
    long = Formula(math=Call("plus", (Symbol("a"),) * 30_000))
    with pytest.raises(InvalidModel, match="operations"):
        array_of(long, {"a": np.zeros(100_000)}, "here")


def test_damaged_documents_are_read_or_refused_with_a_message() -> None:
    """40 documents with words exchanged, cut or repeated at random (seed 2)."""
    rng = np.random.default_rng(2)
    good = document(generators=generator("time", "time", "t") + generator("S", S, "t")).decode()
    words = re.findall(r"[\w:/.]+|[<>=\"']|\s", good)
    refused = 0
    for _ in range(40):
        damaged = list(words)
        for _ in range(rng.integers(1, 4)):
            at, other = rng.integers(0, len(damaged), 2)
            damaged[at] = ["", damaged[other], damaged[at] * 3, "-1", "NaN", "1e400", MATH][rng.integers(7)]
        try:
            carried_out("".join(damaged).encode())
        except SenexoError:
            refused += 1
    assert refused > 10
