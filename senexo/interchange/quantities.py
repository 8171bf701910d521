"""What the targets and symbols of SED-ML mean in a model: its XML, its network, and the values of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import xarray
from numpy.typing import NDArray

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.engine.formula.evaluate import initial_values
from senexo.interchange.document import Variable
from senexo.interchange.xpath import MOST_VISITS, local, parse_xpath, select
from senexo.lab.prepared import prepared
from senexo.model.network import Network

Floats = NDArray[np.float64]
TIME = ("urn:sedml:symbol:time", "urn:sedml:symbol:Time", "KISAO:0000832", "#time")
_PLACES = ("species", "parameter", "localParameter", "compartment", "reaction", "speciesReference")
_AS = {"initialAmount": "amount", "initialConcentration": "concentration"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of a network: its id ("reaction.k": a local parameter), and what a species is given as."""

    id: str
    given_as: Literal["model", "amount", "concentration"] = "model"


@dataclass
class Loaded:
    """A model with its changes made: its XML (None: not SBML), its network, and what its targets mean."""

    id: str
    network: Network
    xml: ElementTree.Element | None
    _known: dict[str, Quantity] = field(default_factory=dict)

    @cached_property
    def n_elements(self) -> int:
        return 0 if self.xml is None else sum(1 for _ in self.xml.iter())

    def quantity(self, target: str) -> Quantity:
        """What a target of a variable or a setValue names; raises `InvalidModel` where that is nothing."""
        if target not in self._known:
            if (len(self._known) + 1) * self.n_elements > MOST_VISITS:
                raise InvalidModel(f"model {self.id}: {len(self._known):,} targets in a model of this size")
            self._known[target] = self._found(target)
        return self._known[target]

    def _found(self, target: str) -> Quantity:
        path = parse_xpath(target)
        if self.xml is None:
            raise UnsupportedFeature("targets in a model that is not SBML", target[:200])
        hits = select(self.xml, path)
        if len(hits) != 1:
            many = "nothing" if not hits else f"{len(hits)} elements"
            raise InvalidModel(f"model {self.id}: the target {target[:200]!r} names {many}, not one element")
        parent, element = hits[0]
        kind, id = local(element), element.get("id")
        if kind not in _PLACES or id is None:
            raise UnsupportedFeature(f"a target that is a {kind}", f"{target[:200]!r}, model {self.id}")
        local_one = kind == "localParameter" or (kind == "parameter" and parent is not None and self._in_law(element))
        if local_one:
            id = f"{self._reaction_of(element)}.{id}"
        as_what = path.attribute
        if as_what not in (None, "value", "size", "stoichiometry", *_AS):
            raise UnsupportedFeature(f"a target that is the attribute {as_what}", f"{target[:200]!r}, model {self.id}")
        return Quantity(id, _AS.get(as_what or "", "model"))  # type: ignore[arg-type]

    def _in_law(self, element: ElementTree.Element) -> bool:
        return self._reaction_of(element) != ""

    def _reaction_of(self, element: ElementTree.Element) -> str:
        assert self.xml is not None
        for reaction in self.xml.iter():
            if isinstance(reaction.tag, str) and local(reaction) == "reaction":
                laws = (law for law in reaction if isinstance(law.tag, str) and local(law) == "kineticLaw")
                if any(one is element for law in laws for one in law.iter()):
                    return reaction.get("id", "")
        return ""

    def is_concentration(self, quantity: Quantity) -> bool:
        """Whether the values of a quantity are concentrations: of a species, as the model's formulas have it."""
        species = next((s for s in self.network.species if s.id == quantity.id), None)
        if species is None or quantity.given_as == "amount":
            return False
        compartment = next(c for c in self.network.compartments if c.id == species.compartment)
        whole = species.has_only_substance_units or compartment.spatial_dimensions == 0
        return quantity.given_as == "concentration" or not whole

    def size_of(self, quantity: Quantity) -> str:
        """The compartment of a species."""
        return next(s.compartment for s in self.network.species if s.id == quantity.id)

    # ---- values

    def course(self, variable: Variable, data: xarray.Dataset) -> Floats:
        """The values [times] of a variable in the first run of a result (of amounts)."""
        clock = _clock(data)
        if variable.symbol is not None:
            if variable.symbol not in TIME:
                raise UnsupportedFeature(f"the symbol {variable.symbol}", f"variable {variable.id}; only the time is")
            return np.asarray(data[clock].values, dtype=np.float64)
        if variable.target is None:
            raise InvalidModel(f"variable {variable.id}: neither a target nor a symbol")
        quantity = self.quantity(variable.target)
        values = _values(data, quantity.id, clock, self.id)
        if self.is_concentration(quantity):
            with np.errstate(all="ignore"):
                values = values / _values(data, self.size_of(quantity), clock, self.id)
        return values

    def present(self, quantity: Quantity, state: xarray.Dataset | None, parameters: Mapping[str, Any]) -> float:
        """The value of a quantity now: last of a former result, or at the start, with what has been set since."""
        value = self.amount(quantity.id, state, parameters)
        if self.is_concentration(quantity):
            value = float(np.divide(value, self.amount(self.size_of(quantity), state, parameters)))
        return value

    def amount(self, id: str, state: xarray.Dataset | None, parameters: Mapping[str, Any]) -> float:
        if id in parameters:
            return float(parameters[id])
        if state is not None and id in state.variables:
            return float(_values(state, id, _clock(state), self.id)[-1])
        lowered = prepared(self.network).lowered
        try:
            slot = lowered.slot(id)
        except KeyError:
            raise UnsupportedFeature(f"the present value of {id}", f"model {self.id}") from None
        overrides = {lowered.slot(one): value for one, value in parameters.items()}
        return float(initial_values(lowered, overrides)[slot])


def _clock(data: xarray.Dataset) -> str:
    return next(str(dim) for dim in data.dims if str(dim).rstrip("_") == "time")


def _values(data: xarray.Dataset, id: str, clock: str, model: str) -> Floats:
    if id not in data.variables:
        raise InvalidModel(f"model {model}: a run has no values of {id}")
    variable = data[id]
    dims = [dim for dim in variable.dims if dim != clock]
    first = variable.isel(dict.fromkeys(dims, 0))
    return np.broadcast_to(np.asarray(first.values, dtype=np.float64), data.sizes[clock])
