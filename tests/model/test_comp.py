"""Models made of models: nested, renamed, deleted and replaced elements, external files, and what is refused."""

# ruff: noqa: E501  (lines of markup)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import senexo
from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.model.network import Network
from verify._hostile import math

CORE = "http://www.sbml.org/sbml/level3/version1/core"
COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
DECAY = (
    '<listOfParameters><parameter id="k" value="2" constant="true"/><parameter id="q" value="3" constant="true"/>'
    '<parameter id="x" value="1" constant="false"/></listOfParameters><listOfRules><rateRule variable="x">'
    f"{math('<apply><times/><cn>-1</cn><ci>k</ci><ci>x</ci></apply>')}</rateRule></listOfRules>"
)


def document(model: str, definitions: str = "") -> str:
    head = f'<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="{CORE}" xmlns:comp="{COMP}" level="3" version="1" comp:required="true">'
    return f'{head}<model id="top">{model}</model>{definitions}</sbml>'


def definition(id: str, inside: str) -> str:
    return f'<comp:modelDefinition id="{id}">{inside}</comp:modelDefinition>'


def submodels(*parts: tuple[str, str, str]) -> str:
    each = "".join(
        f'<comp:submodel comp:id="{id}" comp:modelRef="{model}">{inside}</comp:submodel>' for id, model, inside in parts
    )
    return f"<comp:listOfSubmodels>{each}</comp:listOfSubmodels>"


def external(id: str, source: str, model: str = "") -> str:
    reference = f' comp:modelRef="{model}"' if model else ""
    return (f'<comp:listOfExternalModelDefinitions><comp:externalModelDefinition comp:id="{id}" comp:source="{source}"'
            f"{reference}/></comp:listOfExternalModelDefinitions>")  # fmt: skip


def inside(*definitions: str) -> str:
    return f"<comp:listOfModelDefinitions>{''.join(definitions)}</comp:listOfModelDefinitions>"


def loaded(text: str, folder: Path, **files: str) -> Network:
    for name, other in files.items():
        (folder / f"{name}.xml").write_text(other)
    (folder / "top.xml").write_text(text)
    return senexo.load(folder / "top.xml").network


def values(network: Network) -> dict[str, float | None]:
    return {parameter.id: parameter.value for parameter in network.parameters}


def test_nested_copies_get_the_names_of_their_submodels(tmp_path: Path) -> None:
    middle = definition("middle", submodels(("inner", "decay", "")))
    text = document(submodels(("A", "middle", ""), ("B", "decay", "")), inside(definition("decay", DECAY), middle))
    network = loaded(text, tmp_path)
    assert values(network) == {"A__inner__k": 2.0, "A__inner__q": 3.0, "A__inner__x": 1.0,
                               "B__k": 2.0, "B__q": 3.0, "B__x": 1.0}  # fmt: skip
    found = senexo.simulate(network, [0.0, 1.0])
    np.testing.assert_allclose(found["A__inner__x"].values[0], [1.0, np.exp(-2.0)], rtol=1e-6)


def test_deleted_and_replaced_elements(tmp_path: Path) -> None:
    """The outer p stands for the k of B, whose q is deleted."""
    replaced = '<comp:listOfReplacedElements><comp:replacedElement comp:idRef="k" comp:submodelRef="B"/></comp:listOfReplacedElements>'
    outer = f'<listOfParameters><parameter id="p" value="5" constant="true">{replaced}</parameter></listOfParameters>'
    deleted = '<comp:listOfDeletions><comp:deletion comp:idRef="q"/></comp:listOfDeletions>'
    network = loaded(document(outer + submodels(("B", "decay", deleted)), inside(definition("decay", DECAY))), tmp_path)
    assert values(network) == {"p": 5.0, "B__x": 1.0}
    found = senexo.simulate(network, [0.0, 1.0])
    np.testing.assert_allclose(found["B__x"].values[0], [1.0, np.exp(-5.0)], rtol=1e-6)


def test_replaced_by_an_element_of_the_submodel(tmp_path: Path) -> None:
    by = '<comp:replacedBy comp:idRef="k" comp:submodelRef="B"/>'
    outer = f'<listOfParameters><parameter id="p" value="5" constant="true">{by}</parameter></listOfParameters>'
    network = loaded(document(outer + submodels(("B", "decay", "")), inside(definition("decay", DECAY))), tmp_path)
    assert values(network) == {"B__q": 3.0, "B__x": 1.0, "p": 2.0}


def test_a_conversion_of_time_makes_the_submodel_slower(tmp_path: Path) -> None:
    outer = '<listOfParameters><parameter id="t" value="10" constant="true"/></listOfParameters>'
    slow = '<comp:listOfSubmodels><comp:submodel comp:id="B" comp:modelRef="decay" comp:timeConversionFactor="t"/></comp:listOfSubmodels>'
    network = loaded(document(outer + slow, inside(definition("decay", DECAY))), tmp_path)
    found = senexo.simulate(network, [0.0, 10.0])
    np.testing.assert_allclose(found["B__x"].values[0], [1.0, np.exp(-2.0)], rtol=1e-6)


def test_external_files_of_the_models_own_folder(tmp_path: Path) -> None:
    """One file uses the main model of another, which has a definition of its own."""
    (tmp_path / "parts").mkdir()
    leaf = f'<sbml xmlns="{CORE}" level="3" version="1"><model id="leaf"><listOfParameters><parameter id="w" value="7" constant="true"/></listOfParameters></model></sbml>'
    (tmp_path / "parts" / "leaf.xml").write_text(leaf)
    middle = document(DECAY + submodels(("L", "far", ""), ("M", "near", "")),
                      inside(definition("near", leaf.partition('<model id="leaf">')[2].partition("</model>")[0])) + external("far", "leaf.xml"))  # fmt: skip
    (tmp_path / "parts" / "middle.xml").write_text(middle)
    network = loaded(document(submodels(("A", "E", "")), external("E", "parts/middle.xml", "top")), tmp_path)
    assert values(network) == {"A__k": 2.0, "A__q": 3.0, "A__x": 1.0, "A__L__w": 7.0, "A__M__w": 7.0}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.xml", "external file 'missing.xml' is not there"),
        ("../outside.xml", "outside of the model's folder"),
        ("/etc/hostname", "outside of the model's folder"),
        ("link.xml", "outside of the model's folder"),
        ("top.xml", "circular model definition: top.xml -> top.xml"),
    ],
)
def test_external_files_that_are_not_read(source: str, words: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.xml").write_text(document(DECAY))
    (folder / "link.xml").symlink_to(tmp_path / "outside.xml")
    with pytest.raises(InvalidModel, match=words):
        loaded(document(submodels(("A", "E", "")), external("E", source)), folder)


@pytest.mark.parametrize("source", ["http://example.org/a.xml", "file:///etc/passwd", "//host/a.xml", "urn:miriam:b:1"])
def test_addresses_are_refused_by_name(source: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        loaded(document(submodels(("A", "E", "")), external("E", source)), tmp_path)
    assert caught.value.feature == "external model by its address"


def test_models_that_contain_themselves(tmp_path: Path) -> None:
    text = document(submodels(("A", "one", "")), inside(definition("one", submodels(("B", "two", ""))),
                                                        definition("two", submodels(("C", "one", "")))))  # fmt: skip
    with pytest.raises(InvalidModel, match="circular model definition: one -> two -> one"):
        loaded(text, tmp_path)


def test_a_bomb_of_submodels_is_counted_before_it_unfolds(tmp_path: Path) -> None:
    """Thirty levels of ten copies each."""
    levels = [definition("d0", DECAY)]
    for n in range(1, 31):
        levels.append(definition(f"d{n}", submodels(*((f"s{k}", f"d{n - 1}", "") for k in range(10)))))
    with pytest.raises(InvalidModel, match="its submodels unfold to more than 100,000 elements"):
        loaded(document(submodels(("A", "d30", "")), inside(*levels)), tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (submodels(("A", "nobody", "")), "nobody"),
        (
            submodels(
                ("A", "decay", '<comp:listOfDeletions><comp:deletion comp:idRef="nothing"/></comp:listOfDeletions>')
            ),
            "nothing|names nothing",
        ),
    ],
)
def test_references_to_nothing_are_named(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=words):
        loaded(document(text, inside(definition("decay", DECAY))), tmp_path)
