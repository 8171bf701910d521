"""Named worlds of a study: the study as it stands, and as it is under other priors, wirings, doses or readings.

A world is the study file with a few entries replaced, read again as a whole; its interventions are then added to every
arm, from the start. Seed and donors are those of the study, so draws are keyed alike: a donor has the same quantile of
every parameter in every world, and the same values where two worlds share a prior.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from senexo.base.errors import Fault
from senexo.study.cursor import Cursor, named
from senexo.study.form.worlds import World as WorldForm
from senexo.study.names import ModelNames
from senexo.study.requests import read_cuts
from senexo.study.schema import Study, World

AS_IT_STANDS = "as it stands"
OF_MODEL = ("prior", "reading")


def read_worlds(
    worlds: Mapping[str, WorldForm | None] | None, place: Cursor, names: ModelNames | None
) -> dict[str, World]:
    """The worlds of a study file, with the actions of their interventions."""
    found = {}
    for name, written in (worlds or {}).items():
        here = place.at(name)
        if name == AS_IT_STANDS:
            here.fault("another name: the study itself is called that", found=f'"{name}"')
        cuts = None if written is None else read_cuts(written, here, names)
        if written is not None and cuts is not None:
            found[name] = World(written=here.value, cuts=cuts)
    return found


def tables_in(raw: Mapping[str, Any], world: World, departing: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a study file as they are in a world.

    departing: what the study itself says of its donors' draws, other than its prior does.
    """
    tables = copy.deepcopy({key: value for key, value in raw.items() if key != "worlds"})
    written = world.written
    for key in OF_MODEL:
        if key in written:
            tables["model"][key] = written[key]
            tables.setdefault("donors", {})["draws"] = dict(departing)
    if "wells" in written:
        tables["culture"]["wells"] = written["wells"]
    if "draws" in written:
        tables.setdefault("donors", {})
        tables["donors"]["draws"] = {**dict(departing), **written["draws"]}
    tables["arms"] = tables["arms"] | written.get("arms", {})
    return tables


def departing(raw: Mapping[str, Any], study: Study, plain: Study) -> dict[str, Any]:
    """The draws that a study file writes and that differ from those of the same file without any (`plain`)."""
    written = raw.get("donors", {}).get("draws", {})
    if not isinstance(written, Mapping):
        return {name: draw.value for name, draw in study.donors.draws.items()}  # all central
    return {name: law for name, law in written.items() if study.donors.draws[name] != plain.donors.draws.get(name)}


def without_draws(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a study file without what it says of its donors' draws, its claim and its worlds."""
    tables = {key: value for key, value in raw.items() if key not in ("worlds", "claim", "evidence", "candidates")}
    return tables | {"donors": {key: value for key, value in raw.get("donors", {}).items() if key != "draws"}}


def drawn_anew(study: Study, names: Sequence[str]) -> Study:
    """The study with some parameters drawn from a second stream."""
    draws = study.donors.draws | {name: study.donors.draws[name].model_copy(update={"anew": True}) for name in names}
    return study.model_copy(update={"donors": study.donors.model_copy(update={"draws": draws})})


def wrongly_anew(study: Study, file: str) -> Iterator[Fault]:
    """One fault for every parameter that no donor draws, and for every world in which something else differs too."""
    drawn = [name for name, draw in study.donors.draws.items() if draw.varies]
    for name, world in study.worlds.items():
        where = f"{file}: worlds.{name}.anew"
        for parameter in world.written.get("anew", ()):
            if parameter not in drawn:
                yield Fault(where, f'"{parameter}", which is not drawn', named(parameter, drawn, "drawn parameters"))
        others = sorted(set(world.written) - {"anew", "says"})
        if "anew" in world.written and others:
            yield Fault(where, f"anew beside {', '.join(others)}", "anew alone: its world differs in these draws only")


def unknown_arms(raw: Mapping[str, Any], worlds: Mapping[str, World], file: str) -> Iterator[Fault]:
    """One fault for every arm of a world that the study does not have."""
    known = list(raw["arms"])
    for name, world in worlds.items():
        for arm in world.written.get("arms", {}):
            if arm not in known:
                yield Fault(f"{file}: worlds.{name}.arms.{arm}", f'the unknown arm "{arm}"', named(arm, known, "arms"))
