"""What a study may name: the handles, parameters, read-outs and quantities its model offers."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from senexo.base.errors import InvalidInput, InvalidModel
from senexo.model.cell_types import becoming, own_names
from senexo.model.circuit import AffinityModel, Circuit, Handle, load_circuit, shipped_circuits
from senexo.model.circuit_table import CircuitParameter
from senexo.model.network import Network, Species
from senexo.study.cursor import Cursor, named
from senexo.study.form import culture as form
from senexo.study.schema import Draw, ModelRef

if TYPE_CHECKING:
    from senexo.model.loading import Model

SOURCE = "the model file"


@dataclass(frozen=True)
class ModelNames:
    """The names a study may use.

    draws: parameters every donor draws, those of a type of cells as TYPE.name; adjustable: further numbers that a
    study may draw (a model file's own); changeable: ids an action may change, with the number they start from;
    readouts: name -> unit; usual: the read-outs of a study that names none.
    """

    model: ModelRef
    circuit: Circuit | None
    draws: Mapping[str, Draw]
    adjustable: Mapping[str, Draw]
    changeable: Mapping[str, float | None]
    readouts: Mapping[str, str]
    usual: tuple[str, ...]

    @property
    def sequenced(self) -> set[str]:
        """The parameters that sequences have set."""
        targets = self.circuit.targets if self.circuit else ()
        return {name for t in targets if t.gene in self.model.targets for name in (t.sites, t.affinity)}

    def handles(self, verb: str, name: str, kind: str | None = None) -> list[Handle]:
        """The rows of the wiring that one verb changes for one name."""
        rows = self.circuit.handles if self.circuit else ()
        return [h for h in rows if h.verb == verb and h.name == name and kind in (None, h.kind)]

    def of(self, verb: str) -> list[str]:
        """The names that a verb can be used with."""
        return list(dict.fromkeys(h.name for h in (self.circuit.handles if self.circuit else ()) if h.verb == verb))

    def counted_with(self, cell_type: str) -> list[str]:
        """A type of cells and what its cells become without a division; they are counted together."""
        rules = self.circuit.cell_types if self.circuit else ()
        fates = [fate for rule in rules if rule.name == cell_type for fate in rule.fates if fate.effect == "become"]
        return list(dict.fromkeys([cell_type, *(to for fate in fates for to in fate.into)]))

    @property
    def shares_a_medium(self) -> bool:
        """Whether the cells of a well share their medium."""
        return self.circuit is not None and bool(self.circuit.pools)

    @property
    def pools(self) -> list[str]:
        """The species of the media that cells share."""
        species = self.circuit.network.species if self.circuit else ()
        return [s.id for s in species if self.circuit and s.compartment in self.circuit.pools]


def names_of(model: form.Model, place: Cursor, folder: Path) -> ModelNames | None:
    """The names that the model of a study offers; None after a fault. Paths are relative to `folder`."""
    if model.circuit is not None:
        names = _circuit(model.circuit, place.at("circuit"), folder)
    else:
        names = None if model.file is None else _file(model.file, place.at("file"), folder)
    if names is not None and model.digest is not None and model.digest != names.model.digest:
        expected = f"{names.model.digest}, the model as it is now (drop this line to use it)"
        place.at("digest").fault(expected)
    return names


def _circuit(name: str, place: Cursor, folder: Path) -> ModelNames | None:
    if name not in shipped_circuits() and not (folder / name / "circuit.ant").is_file():
        place.fault(named(name, shipped_circuits(), "shipped circuits") + ", or a circuit folder")
        return None
    try:
        return _shipped(name) if name in shipped_circuits() else _of_circuit((folder / name).resolve())
    except InvalidInput as error:
        place.faults.extend(error.faults)
    except InvalidModel as error:
        place.fault("a circuit senexo can read", found=str(error))
    return None


@functools.cache
def _shipped(name: str) -> ModelNames:
    return _of_circuit(name)


def of_types(names: ModelNames, types: Iterable[str]) -> ModelNames:
    """Without the numbers of types of cells that are not there and cannot become."""
    if names.circuit is None or not names.circuit.cell_types:
        return names
    rules = names.circuit.cell_types
    there, own = becoming(rules, types), own_names(rules)
    drawn = {name for kind in there for name in own[kind].values()}
    draws = {name: draw for name, draw in names.draws.items() if "." not in name or name in drawn}
    return replace(names, draws=draws, adjustable=draws)


def draw_of(row: CircuitParameter | AffinityModel) -> Draw:
    """How donors differ in a parameter that stands like this in a table of the circuit."""
    return Draw(
        law=row.law, value=row.value, low=row.low, high=row.high, unit=row.unit, source=row.source, status=row.status  # type: ignore[arg-type]
    )  # fmt: skip


def _of_circuit(name: str | Path) -> ModelNames:
    circuit = load_circuit(name)
    rows = {p.name: p for p in circuit.parameters}
    names = own_names(circuit.cell_types)
    rows |= {names[rule.name][p.name]: p for rule in circuit.cell_types for p in rule.parameters}
    draws = {name: draw_of(p) for name, p in rows.items()}
    return ModelNames(
        model=ModelRef(circuit=str(name), digest=circuit.digest),
        circuit=circuit,
        draws=draws,
        adjustable=draws,
        changeable=_changeable(circuit.network),
        readouts={readout.name: readout.unit for readout in circuit.readouts},
        usual=tuple(readout.name for readout in circuit.readouts),
    )


def _file(name: str, place: Cursor, folder: Path) -> ModelNames | None:
    from senexo.model.loading import load

    path = (folder / name).resolve()
    if not path.is_file():
        place.fault(f"a model file; there is none at {path}")
        return None
    try:
        return _of_file(path, load(path))
    except InvalidModel as error:
        place.fault("a model senexo can read", found=str(error))
        return None


def _of_file(path: Path, model: Model) -> ModelNames:
    network = model.network
    units = {p.id: p.units or "" for p in network.parameters}
    values = {name: value for name, value in _changeable(network).items() if value is not None}
    plain = {
        name: Draw(
            law="fixed", value=value, low=value, high=value, unit=units.get(name, ""), source=SOURCE, status="assumed"
        )
        for name, value in values.items()
    }
    quantities = [item.id for group in (network.species, network.parameters, network.compartments) for item in group]
    return ModelNames(
        model=ModelRef(file=str(path), digest=model.digest),
        circuit=None,
        draws={},
        adjustable=plain,
        changeable=_changeable(network),
        readouts=dict.fromkeys(quantities, ""),
        usual=tuple(s.id for s in network.species) or tuple(rule.variable for rule in network.rules),
    )


def _changeable(network: Network) -> dict[str, float | None]:
    """Species (amounts) and parameters that no assignment rule sets, with their number where one is written."""
    ruled = {rule.variable for rule in network.rules if rule.kind == "assignment"}
    computed = {assignment.symbol for assignment in network.initial_assignments}
    sizes = {c.id: c.size for c in network.compartments if c.id not in computed}
    starts = {s.id: _amount(s, sizes.get(s.compartment)) for s in network.species}
    starts |= {p.id: p.value for p in network.parameters}
    return {name: None if name in computed else value for name, value in starts.items() if name not in ruled}


def _amount(species: Species, size: float | None) -> float | None:
    if species.initial_amount is not None or species.initial_concentration is None or size is None:
        return species.initial_amount
    return species.initial_concentration * size
