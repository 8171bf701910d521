"""Models made of models (SBML package comp): external ones embedded, then flattened by libSBML's converter.

Runs only in the parser's process. Source: SBML Level 3 package comp, Version 1 (doi 10.1515/jib-2015-268).
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

import libsbml

from senexo.base.errors import InvalidModel
from senexo.model.sbml_check import raise_errors
from senexo.model.sbml_text import prepared

MOST_DEEP = 64  # models within models
MOST_PARTS = 100_000  # elements of all copies of all models, once flattened


def uses_comp(document: libsbml.SBMLDocument) -> bool:
    """Does the document declare the package, so that it has to be flattened?"""
    return document.getPlugin("comp") is not None


def flattened(document: libsbml.SBMLDocument, files: Mapping[str, bytes]) -> libsbml.SBMLDocument:
    """The document as one model without submodels.

    files: the external files that it may use, by their path relative to its own folder. Raises `InvalidModel` for a
    file that is not among them, for models that contain themselves, and for what unfolds beyond `MOST_PARTS`.
    """
    external = document.getPlugin("comp").getNumExternalModelDefinitions() > 0
    _embed(document, "", files, ())
    if external:
        document = _clean(document)
        raise_errors(document)
    if document.getModel() is None:
        raise InvalidModel("there is no <model> in it")
    _bound(document)
    options = libsbml.ConversionProperties()
    options.addOption("flatten comp", True)
    options.addOption("performValidation", False)  # the flat model is validated like any other
    code = document.convert(options)
    raise_errors(document)
    if code != libsbml.LIBSBML_OPERATION_SUCCESS or document.getModel() is None:
        raise InvalidModel("its submodels cannot be flattened: a submodel, port, deletion or replacement names nothing")
    return document


def _embed(document: libsbml.SBMLDocument, here: str, files: Mapping[str, bytes], above: tuple[str, ...]) -> None:
    """Turn external model definitions into definitions of the document itself, those of their files included."""
    plugin = document.getPlugin("comp")
    if plugin is None:
        return
    external = plugin.getListOfExternalModelDefinitions()
    wanted = [(e.getId(), e.getSource(), e.getModelRef()) for e in (external.get(i) for i in range(external.size()))]
    external.clear()
    taken = {definition.getId() for definition in _definitions(plugin)} | {id for id, _, _ in wanted}
    for id, source, reference in wanted:
        place = place_of(source, here)
        if place in above:
            raise InvalidModel(f"circular model definition: {' -> '.join((*above, place))}")
        if place not in files:
            raise InvalidModel(f"model definition {id}: the file {source!r} is not there")
        other = libsbml.readSBMLFromString(prepared(files[place]).decode())
        try:
            raise_errors(other)
            _embed(other, place, files, (*above, place))
        except InvalidModel as error:
            raise InvalidModel(f"{place}: {error}") from None
        _take_over(plugin, _clean(other), id, reference, taken, place)


def _clean(document: libsbml.SBMLDocument) -> libsbml.SBMLDocument:
    """The same document read again: objects moved from one document to another keep links into the first one."""
    return libsbml.readSBMLFromString(libsbml.writeSBMLToString(document))


def _take_over(plugin: Any, other: libsbml.SBMLDocument, id: str, reference: str, taken: set[str], place: str) -> None:
    """The model `reference` of the other document (its main one, if empty) as definition `id`, and what it uses."""
    main = other.getModel()
    inside = [] if other.getPlugin("comp") is None else _definitions(other.getPlugin("comp"))
    if main is not None and reference in ("", main.getId()):
        chosen = main
    else:
        chosen = next((d for d in inside if d.getId() == reference), None)
    if chosen is None:
        raise InvalidModel(f"model definition {id}: there is no model {reference or '(main)'} in {place}")
    renamed = {}
    for definition in inside:
        name = f"{id}__{definition.getId()}"
        while name in taken:
            name += "_"
        taken.add(name)
        renamed[definition.getId()] = name
    if main is not None and main.isSetId():
        renamed.setdefault(main.getId(), id)
    for model, name in [(chosen, id), *((d, renamed[d.getId()]) for d in inside if d is not chosen)]:
        submodels = model.getPlugin("comp")
        for number in range(submodels.getNumSubmodels() if submodels is not None else 0):
            submodel = submodels.getSubmodel(number)
            submodel.setModelRef(renamed.get(submodel.getModelRef(), submodel.getModelRef()))
        copy = libsbml.ModelDefinition(model)
        copy.setId(name)
        if plugin.addModelDefinition(copy) != libsbml.LIBSBML_OPERATION_SUCCESS:
            raise InvalidModel(f"model definition {id}: {place} is of another level or version of SBML")


def place_of(source: str, here: str) -> str:
    """The path of an external file, relative to the folder of the main file; `here` is the file that names it.

    >>> place_of("parts/cell.xml", "")
    'parts/cell.xml'
    """
    return posixpath.normpath(posixpath.join(posixpath.dirname(here), source))


def _definitions(plugin: Any) -> list[Any]:
    return [plugin.getModelDefinition(number) for number in range(plugin.getNumModelDefinitions())]


def _bound(document: libsbml.SBMLDocument) -> None:
    """Refuse models that contain themselves, and those of which there would be too many copies."""
    models = {definition.getId(): definition for definition in _definitions(document.getPlugin("comp"))}
    parts: dict[str, int] = {}

    def counted(model: Any, above: tuple[str, ...]) -> int:
        own = model.getListOfAllElements().getSize()
        plugin = model.getPlugin("comp")
        for number in range(plugin.getNumSubmodels() if plugin is not None else 0):
            name = plugin.getSubmodel(number).getModelRef()
            if name in above:
                raise InvalidModel(f"circular model definition: {' -> '.join((*above[above.index(name) :], name))}")
            if len(above) >= MOST_DEEP:
                raise InvalidModel(f"models are nested more than {MOST_DEEP} deep")
            if name not in models:
                raise InvalidModel(f"submodel {plugin.getSubmodel(number).getId()}: there is no model {name}")
            if name not in parts:
                parts[name] = counted(models[name], (*above, name))
            own += parts[name]
            if own > MOST_PARTS:
                raise InvalidModel(f"its submodels unfold to more than {MOST_PARTS:,} elements")
        return int(own)

    counted(document.getModel(), ())
