"""What a study may name: the handles, parameters, read-outs and quantities its model offers."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from senexo.base.errors import InvalidInput, InvalidModel, UnsupportedFeature
from senexo.base.units import shown
from senexo.model.cell_types import becoming, own_names
from senexo.model.circuit import Circuit, Handle, load_circuit, shipped_circuits
from senexo.model.network import Network, Species
from senexo.study.place import Place, named
from senexo.study.schema import Draw, ModelRef

if TYPE_CHECKING:
    from senexo.model.loading import Model

SOURCE = "the model file"
MODEL_KEYS = ("circuit", "file", "digest", "targets", "reading")


@dataclass(frozen=True)
class Known:
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
        """The rows of the wiring that make up one deed."""
        rows = self.circuit.handles if self.circuit else ()
        return [h for h in rows if h.verb == verb and h.name == name and kind in (None, h.kind)]

    def names(self, verb: str) -> list[str]:
        """What a verb can be done to."""
        return list(dict.fromkeys(h.name for h in (self.circuit.handles if self.circuit else ()) if h.verb == verb))


def known_of(place: Place | None, folder: Path) -> Known | None:
    """The model of the `[model]` table; None after a fault. Paths in it are relative to `folder`."""
    if place is None or not place.table(MODEL_KEYS):
        return None
    circuit, file = place.get("circuit"), place.get("file")
    if (circuit is None) == (file is None):
        found = "neither circuit nor file" if circuit is None else "both circuit and file"
        place.fault(f"either circuit (shipped: {', '.join(shipped_circuits())}) or file", found=found)
        return None
    known = _circuit(circuit, folder) if circuit is not None else _file(file, folder) if file is not None else None
    digest = place.get("digest")
    if known is not None and digest is not None and digest.value != known.model.digest:
        digest.fault(f"{known.model.digest}, the model as it is now (drop this line to use it)")
    return known


def refuse_unsupported(cells: Mapping[str, object], known: Known | None, file: str) -> None:
    """Raise UnsupportedFeature for several types of cells where every cell is alone."""
    alone = known is not None and (known.circuit is None or not known.circuit.pools)
    if alone and len(cells) > 1:
        raise UnsupportedFeature("several cell types", f"{file}: cells has {', '.join(map(shown, cells))}")


def _circuit(place: Place, folder: Path) -> Known | None:
    name = place.text("the name of a shipped circuit or a circuit folder")
    if name is None:
        return None
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
def _shipped(name: str) -> Known:
    return _of_circuit(name)


def of_types(known: Known | None, types: Iterable[str]) -> Known | None:
    """Without the numbers of types of cells that are not there and cannot become."""
    if known is None or known.circuit is None or not known.circuit.cell_types:
        return known
    rules = known.circuit.cell_types
    there, names = becoming(rules, types), own_names(rules)
    drawn = {name for kind in there for name in names[kind].values()}
    draws = {name: draw for name, draw in known.draws.items() if "." not in name or name in drawn}
    return replace(known, draws=draws, adjustable=draws)


def _of_circuit(name: str | Path) -> Known:
    circuit = load_circuit(name)
    rows = {p.name: p for p in circuit.parameters}
    names = own_names(circuit.cell_types)
    rows |= {names[rule.name][p.name]: p for rule in circuit.cell_types for p in rule.parameters}
    draws = {
        name: Draw(
            law=p.law, value=p.value, low=p.low, high=p.high, unit=p.unit, source=p.source, status=p.status  # type: ignore[arg-type]
        )
        for name, p in rows.items()
    }  # fmt: skip
    return Known(
        model=ModelRef(circuit=str(name), digest=circuit.digest),
        circuit=circuit,
        draws=draws,
        adjustable=draws,
        changeable=_changeable(circuit.network),
        readouts={readout.name: readout.unit for readout in circuit.readouts},
        usual=tuple(readout.name for readout in circuit.readouts),
    )


def _file(place: Place, folder: Path) -> Known | None:
    from senexo.model.loading import load

    name = place.text("a path of a model file (.ant, .txt, .xml, .sbml)")
    if name is None:
        return None
    path = (folder / name).resolve()
    if not path.is_file():
        place.fault(f"a model file; there is none at {path}")
        return None
    try:
        return _of_file(path, load(path))
    except InvalidModel as error:
        place.fault("a model senexo can read", found=str(error))
        return None


def _of_file(path: Path, model: Model) -> Known:
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
    return Known(
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
