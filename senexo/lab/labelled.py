"""Values of a run as a labelled dataset: what each quantity is called, of what kind it is, and its unit in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from senexo.engine.formula.evaluate import Formulas
from senexo.engine.formula.network import Lowered
from senexo.model.network import Network, Reaction, Species, UnitDefinition

if TYPE_CHECKING:
    import xarray

Floats = NDArray[np.float64]
Rows = tuple[set[str], list[str]]  # ids that rows set, and the status of each row

_INNER = ("local parameter", "reaction", "delay", "unknown")


@dataclass(frozen=True, slots=True)
class _Quantity:
    """How one slot is shown. size: slot by which the amount is divided for a concentration, -1 without one."""

    slot: int
    id: str
    kind: str
    moves: bool
    attributes: dict[str, str]
    size: int = -1
    as_concentration: dict[str, str] | None = None


class Labels:
    """Names, kinds and units of one model's quantities, worked out once."""

    def __init__(self, network: Network, lowered: Lowered) -> None:
        self.run, self.time = unused("run", lowered), unused("time", lowered)
        self.status = unused("status", lowered)
        self.time_unit = _spelled(network, network.time_units)
        self.free = _declared_free(network)
        self.sizes = {item.id: item for item in network.compartments}
        species = {item.id: item for item in network.species}
        self.quantities = [
            self._species(network, slot, lowered.slots[slot].compartment, species[info.id])
            if info.kind == "species"
            else _Quantity(slot, info.id, info.kind, info.changes or info.id in self.free,
                           _described(network, info.id, info.kind))
            for slot, info in enumerate(lowered.slots)
            if info.kind not in _INNER or info.kind == "local parameter"
        ]  # fmt: skip
        self.laws = Formulas([reaction.rate for reaction in lowered.reactions])
        self.reactions = [(item.id, _described_reaction(network, item)) for item in network.reactions]
        self._axes: tuple[bytes, dict[str, Any], dict[Any, Any]] | None = None

    def _species(self, network: Network, slot: int, size: int, species: Species) -> _Quantity:
        compartment = self.sizes[species.compartment]
        unit = _spelled(network, species.substance_units or network.substance_units)
        attributes = {"kind": "species", "quantity": "amount", "units": unit}
        if species.name:
            attributes["long_name"] = species.name
        if compartment.spatial_dimensions == 0 and compartment.size is None:
            return _Quantity(slot, species.id, "species", True, attributes)
        of_size = _spelled(network, compartment.units or _default_size_units(network, compartment.spatial_dimensions))
        other = attributes | {"quantity": "concentration", "units": f"({unit})/({of_size})"}
        return _Quantity(slot, species.id, "species", True, attributes, size, other)

    def dataset(
        self, times: Floats, clock: Floats, values: Floats, quantity: str, attrs: dict[str, Any], *,
        laws: Floats | None = None, rows: Rows | None = None,
    ) -> xarray.Dataset:  # fmt: skip
        """The labelled result.

        times: as they are shown, clock: as the laws read them [times]. values: [runs, times, slots]. laws: rates of the
        reactions [runs, times, reactions], where they are known already.
        """
        both = (self.run, self.time)
        series: dict[str, Any] = {}
        constants: dict[str, Any] = {}
        for item in self.quantities:
            varied = rows is not None and item.id in rows[0]
            if item.kind == "local parameter" and not item.moves and not varied:
                continue
            if rows is None and not item.moves:
                constants[item.id] = ((), np.array(values[0, 0, item.slot]), item.attributes)
                continue
            course = values[:, :, item.slot]
            if item.kind == "species" and quantity == "concentration" and item.as_concentration is not None:
                with np.errstate(all="ignore"):
                    series[item.id] = (both, course / values[:, :, item.size], item.as_concentration)
            elif item.moves:
                series[item.id] = (both, course, item.attributes)
            elif rows is not None and (varied or np.ptp(course[:, 0]) > 0.0):
                constants[item.id] = ((self.run,), course[:, 0], item.attributes)
            else:
                constants[item.id] = ((), np.array(course[0, 0]), item.attributes)
        rates = self.laws.values(values, clock) if laws is None else laws.transpose(2, 0, 1)
        for (id, attributes), rate in zip(self.reactions, rates, strict=True):
            series[id] = (both, rate, attributes)
        if rows is not None:
            constants[self.status] = ((self.run,), np.array(rows[1]), {})
        return self._assembled(series, constants, times, len(values), attrs)

    def _assembled(
        self, series: dict[str, Any], constants: dict[str, Any], times: Floats, n_runs: int, attrs: dict[str, Any]
    ) -> xarray.Dataset:
        """As `xarray.Dataset(series, coordinates, attrs)`, without its search for what does not fit together.

        That search takes longer than the integration of a small model.
        """
        import xarray

        variable = _maker_of_variables()
        made = {
            name: variable(dims, data, attributes)
            for name, (dims, data, attributes) in (*constants.items(), *series.items())
        }
        axes, indexes = self._both_axes(times, n_runs)
        return xarray.Dataset._construct_direct(
            {**{name: _anew(axis) for name, axis in axes.items()}, **made},
            {*axes, *constants},
            {self.run: n_runs, self.time: len(times)},
            attrs,
            dict(indexes),
        )

    def _both_axes(self, times: Floats, n_runs: int) -> tuple[dict[str, Any], dict[Any, Any]]:
        """The variables and indexes of runs and times, kept for the next call with the same ones."""
        import xarray

        key = times.tobytes() + n_runs.to_bytes(8, "little")
        if self._axes is None or self._axes[0] != key:
            at = ((self.time,), times, {"units": self.time_unit})
            empty = xarray.Dataset({}, {self.run: np.arange(n_runs), self.time: at})
            self._axes = (key, {str(name): empty.variables[name] for name in empty.dims}, dict(empty.xindexes))
        return self._axes[1:]


@lru_cache(maxsize=1)
def _maker_of_variables() -> Callable[[tuple[str, ...], NDArray[Any], dict[str, str]], xarray.Variable]:
    """As `xarray.Variable(dims, data, attributes)`, without its checks, which take longer than a small model's run.

    With an xarray whose variables have other parts than these four it is that call.
    """
    from xarray import Variable

    def checked(dims: tuple[str, ...], data: NDArray[Any], attributes: dict[str, str]) -> Variable:
        return Variable(dims, data, dict(attributes), fastpath=True)

    def direct(dims: tuple[str, ...], data: NDArray[Any], attributes: dict[str, str]) -> Variable:
        made = Variable.__new__(Variable)
        made._dims, made._data, made._attrs, made._encoding = dims, data, attributes.copy(), None
        return made

    known = set(Variable.__slots__) == {"_attrs", "_data", "_dims", "_encoding"}
    return direct if known else checked


def _anew(axis: xarray.IndexVariable) -> xarray.IndexVariable:
    """The same axis with attributes of its own."""
    return type(axis)(axis.dims, axis._data, dict(axis.attrs), fastpath=True)


def unused(name: str, lowered: Lowered) -> str:
    """A name, with a "_" behind for as long as a quantity of the model has that id."""
    taken = {info.id for info in lowered.slots}
    while name in taken:
        name += "_"
    return name


def _declared_free(network: Network) -> set[str]:
    """Ids the model allows to change, whether or not anything does change them."""
    return {
        *(p.id for p in network.parameters if not p.constant),
        *(c.id for c in network.compartments if not c.constant),
        *(s.id for r in network.reactions for s in (*r.reactants, *r.products) if s.id is not None and not s.constant),
    }


def _default_size_units(network: Network, dimensions: float | None) -> str | None:
    return {3.0: network.volume_units, 2.0: network.area_units, 1.0: network.length_units}.get(dimensions or 0.0)


def _described(network: Network, id: str, kind: str) -> dict[str, str]:
    name: str | None = None
    units = "1" if kind == "species reference" else ""
    for compartment in network.compartments:
        if compartment.id == id:
            own = compartment.units or _default_size_units(network, compartment.spatial_dimensions)
            name, units = compartment.name, _spelled(network, own)
    for parameter in network.parameters:
        if parameter.id == id:
            name, units = parameter.name, _spelled(network, parameter.units)
    return {"kind": kind, "units": units} | ({"long_name": name} if name else {})


def _described_reaction(network: Network, reaction: Reaction) -> dict[str, str]:
    units = f"({_spelled(network, network.extent_units)})/({_spelled(network, network.time_units)})"
    return {"kind": "reaction", "units": units} | ({"long_name": reaction.name} if reaction.name else {})


def _spelled(network: Network, unit: str | None) -> str:
    """A unit in words that need no other file, such as "1e-09 mole litre^-1"; "" where the model has none."""
    if unit is None:
        return ""
    definition = next((d for d in network.unit_definitions if d.id == unit), None)
    return unit if definition is None else _spelled_out(definition)


def _spelled_out(definition: UnitDefinition) -> str:
    number, words = 1.0, []
    for factor in definition.factors:
        number *= (factor.multiplier * 10.0**factor.scale) ** factor.exponent
        if factor.kind != "dimensionless":
            words.append(factor.kind if factor.exponent == 1 else f"{factor.kind}^{factor.exponent:g}")
    return " ".join([*([f"{number:g}"] if number != 1.0 or not words else []), *words])
