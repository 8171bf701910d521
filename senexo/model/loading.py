"""Loading a model: an SBML file, an Antimony file, or the name of a shipped circuit."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from senexo.base.errors import Fault, InvalidInput, InvalidModel, UnsupportedFeature
from senexo.base.sandbox import MOST_BYTES, as_utf8, call, check_size, scan_xml
from senexo.model.expression import Symbol, walk
from senexo.model.external import gather
from senexo.model.network import Network
from senexo.model.plain import from_plain

if TYPE_CHECKING:
    from senexo.model.circuit import Circuit

_SBML = {".xml", ".sbml"}
_ANTIMONY = {".ant", ".txt"}


@dataclass(frozen=True)
class Model:
    """A loaded model.

    Attributes
    ----------
    network
        Its reactions, rules and quantities.
    source
        The file, or the name of the circuit.
    digest
        SHA-256 of the bytes of the file (without external files), or of the files of the circuit.
    circuit
        The shipped circuit or circuit folder; None for a model file.
    """

    network: Network
    source: str
    digest: str
    circuit: Circuit | None = None

    def to_sbml(self) -> str:
        """The model as SBML Level 3 Version 2 text; reading it gives an equal network.

        >>> from senexo.model.network import Network
        >>> Model(Network("m"), "here", "").to_sbml().splitlines()[0]
        "<?xml version='1.0' encoding='UTF-8'?>"
        """
        from senexo.model.sbml_write import to_sbml

        return to_sbml(self.network)

    @property
    def unset(self) -> tuple[str, ...]:
        """Ids of compartments, species and parameters without a value, which `parameters` of `senexo.simulate` may set.

        >>> from senexo.model.network import Compartment, Network
        >>> Model(Network("m", compartments=(Compartment("c"),)), "here", "").unset
        ('c',)
        """
        n = self.network
        computed = {a.symbol for a in n.initial_assignments} | {r.variable for r in n.rules if r.kind == "assignment"}
        computed |= {node.id for rule in n.algebraic_rules if rule.math is not None
                     for node in walk(rule.math) if isinstance(node, Symbol)}  # fmt: skip
        without = [
            *(c.id for c in n.compartments if c.size is None and c.spatial_dimensions != 0),
            *(s.id for s in n.species if s.initial_amount is None and s.initial_concentration is None),
            *(p.id for p in n.parameters if p.value is None),
        ]
        return tuple(id for id in without if id not in computed)

    def __repr__(self) -> str:
        n = self.network
        parts = {
            "compartments": n.compartments,
            "species": n.species,
            "parameters": n.parameters,
            "reactions": n.reactions,
            "rules": n.rules,
            "events": n.events,
        }
        counts = ", ".join(f"{len(items)} {word}" for word, items in parts.items())
        unset = f"; without a value: {', '.join(self.unset)}" if self.unset else ""
        return f"Model {n.id} from {self.source}: {counts}{unset}"


def load(x: str | os.PathLike[str]) -> Model:
    """Load a model.

    Files are parsed in a limited child process (2 GiB, 25 s of processor time); SBML is scanned before libSBML sees it.

    Parameters
    ----------
    x
        An SBML file (.xml, .sbml), an Antimony file (.ant, .txt), a circuit folder or the name of a shipped circuit.

    Returns
    -------
    Model
        The network, with its source and digest.

    Raises
    ------
    InvalidInput
        For what is neither a path nor a name.
    InvalidModel
        For what cannot be read.
    UnsupportedFeature
        For packages that change the mathematics (comp is flattened), and Antimony's ``import``.

    Examples
    --------
    >>> load("mir34c-rab27b").network.id
    'mir34c_rab27b'
    """
    if not isinstance(x, str | os.PathLike):
        expected = "the path of a model file, or the name of a shipped circuit"
        raise InvalidInput([Fault("model", repr(x)[:80], expected)])
    name = os.fspath(x)
    # os.path answers False for names that cannot be looked up at all, where pathlib raises.
    if not os.path.exists(name) or os.path.isfile(os.path.join(name, "circuit.toml")):
        return _load_circuit(name)
    data = read_bytes(Path(name))
    return Model(parse(data, source=name), name, hashlib.sha256(data).hexdigest())


def _load_circuit(name: str) -> Model:
    from senexo.model.circuit import load_circuit, shipped_circuits

    if not os.path.exists(name) and name not in shipped_circuits():
        shipped = ", ".join(shipped_circuits())
        raise InvalidModel(f"{name}: there is no such file, and no shipped circuit of that name (shipped: {shipped})")
    circuit = load_circuit(name)
    return Model(circuit.network, name, circuit.digest, circuit)


def read_bytes(path: Path) -> bytes:
    """The bytes of a model file; raises `InvalidModel` for what is no readable file of at most 20 MiB."""
    try:
        if not path.is_file():
            raise InvalidModel(f"{path}: not a file")
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        check_size(data)
    except OSError as error:
        raise InvalidModel(f"{path}: cannot be read ({error.strerror})") from None
    except InvalidModel as error:
        raise InvalidModel(f"{path}: {error}") from None
    return data


def parse(data: bytes, *, source: str) -> Network:
    """The network in the bytes of an SBML or Antimony file; the ending of `source` says which.

    External files of a model made of models (package comp) are read from the folder of `source`.

    >>> parse(b"model m; k = 2; end", source="m.ant").parameters[0].value
    2.0
    """
    try:
        if _is_sbml(data, Path(source).suffix.lower()):
            text = as_utf8(data, scan_xml(data).encoding)
            if files := gather(text, Path(source).parent) if b"externalModelDefinition" in text else {}:
                whole = json.dumps({"main": text.decode(), "files": files}).encode()
                return from_plain(call("senexo.model.sbml_read:read_bundle", whole))
            return from_plain(call("senexo.model.sbml_read:read_plain", text))
        return from_plain(call("senexo.model.antimony_read:read_plain", data))
    except InvalidModel as error:
        raise InvalidModel("\n".join(f"{source}: {line}" for line in str(error).splitlines())) from None
    except UnsupportedFeature as error:
        raise UnsupportedFeature(error.feature, f"{source}: {error.detail}" if error.detail else source) from None


def _is_sbml(data: bytes, suffix: str) -> bool:
    if suffix in _SBML:
        return True
    if suffix not in _ANTIMONY:
        known = " ".join(sorted(_SBML | _ANTIMONY))
        raise InvalidModel(f"the ending {suffix or '(none)'} is not one of a model file ({known})")
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<sbml"))
