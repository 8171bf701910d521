"""From verbs to actions: what a study does to the cells of an arm, looked up in the handles of its model.

Each verb is one generic lookup; nothing here knows a gene, an agent or an arm by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from senexo.base.units import AMOUNT, COPIES, NUMBER_KIND, PERCENT, SHARE, Kind, shown
from senexo.model.circuit import Handle
from senexo.study import doses
from senexo.study.actions import (
    changeable,
    hour_of,
    in_order,
    number,
    read_action,
    refuse_contradictions,
    since,
    told,
    when,
)
from senexo.study.known import Known
from senexo.study.place import Place, named
from senexo.study.schema import Action, Arm
from senexo.study.targets import sequence_mutation

VERBS = (
    "knock_out", "mutate", "cut", "connect", "set", "knock_down", "inhibit", "express", "serum", "growth_factors",
    "dose", "wash_out", "medium_change", "actions",
)  # fmt: skip
DOSE, WHAT_AT, VALUE_AT = ("what", "copies", "at"), ("what", "at"), ("value", "at")
CHANGE = ("at", "share")
UNTREATED = "left alone"
KNOWN_UNITS = ("", "1", "copies", "%")  # told by the quantity itself; any other is put behind the number


@dataclass
class Reader:
    """Reads one arm (one rung of a ladder) into actions and words."""

    known: Known | None
    end_h: float | None
    rung: int = 0
    label: str = ""  # of the rung, once its quantity is read
    actions: list[Action] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    doses: list[tuple[str, float, bool]] = field(default_factory=list)  # agent, copies, is this the ladder's

    def arm(self, family: str, place: Place) -> Arm:
        for verb in VERBS:
            entry = place.get(verb)
            if entry is not None:
                said = len(self.words)
                getattr(self, f"_{verb}")(entry)
                if isinstance(entry.value, dict):  # the order of a table's keys has no meaning, that of a list may
                    self.words[said:] = sorted(self.words[said:])
        refuse_contradictions(place, self.actions)
        genotype, schedule = in_order(self.actions)
        agent, copies = self._agent()
        return Arm(
            family=family,
            agent=agent,
            dose_copies=copies,
            dose_label=self.label or ("" if copies is None else number(copies)),
            summary="; ".join(self.words) or UNTREATED,
            genotype=genotype,
            schedule=schedule,
        )

    def _agent(self) -> tuple[str | None, float | None]:
        """What is dosed and how much in all: the ladder's agent, else the only agent."""
        agents = list(dict.fromkeys(agent for agent, _, _ in self.doses))
        laddered = [agent for agent, _, ladder in self.doses if ladder]
        if not laddered and len(agents) != 1:
            return " + ".join(agents) or None, None
        chosen = laddered[0] if laddered else agents[0]
        return chosen, sum(copies for agent, copies, _ in self.doses if agent == chosen)

    # what is in the cell from the start

    def _knock_out(self, place: Place) -> None:
        for name in place.listed('a list of genes, e.g. ["p53"]'):
            handles = self._handles("knock_out", name, name.value)
            if handles:
                self._act(handles, None, None)
                self.words.append(f"{name.value} knocked out")

    def _mutate(self, place: Place) -> None:
        if not place.table(expected='a table, e.g. { RAB27B = "site" } or { RAB27B = "1234:G" }'):
            return
        for name, part in place.items():
            if isinstance(part.value, str) and ":" in part.value and self.known is not None:
                self._mutate_bases(name, part, self.known)
                continue
            handles = self._handles("mutate", part, name)
            kinds = list(dict.fromkeys(h.kind for h in handles))
            kind = part.one_of(kinds, "parts") if kinds else None
            if kind:
                self._act([h for h in handles if h.kind == kind], None, None)
                self.words.append(f"{name} {kind} mutated")

    def _mutate_bases(self, name: str, part: Place, known: Known) -> None:
        factors = sequence_mutation(known, name, part)
        for target, value in factors.items():
            self.actions.append(Action(target=target, operation="set", value=value, verb="mutate", of=name))
        self.words.append(f"{name} {part.value} mutated" + ("" if factors else " (no site touched)"))

    def _cut(self, place: Place) -> None:
        self._edges("cut", place, "{edges} cut")

    def _connect(self, place: Place) -> None:
        self._edges("connect", place, "{edges} connected")

    def _edges(self, verb: str, place: Place, words: str) -> None:
        """A list of edges, where * stands for any name."""
        known = self.known.names(verb) if self.known else []
        for entry in place.listed('a list of edges, e.g. ["miR-34c-5p -| *"]'):
            pattern = entry.text('an edge, e.g. "miR-34c-5p -| RAB27B", with * for any name')
            if pattern is None or self.known is None:
                continue
            expression = re.escape(" ".join(pattern.split())).replace(r"\*", ".*")
            edges = [name for name in known if re.fullmatch(expression, name)]
            if not edges:
                entry.fault(named(pattern, known, "edges"))
            for edge in edges:
                self._act(self.known.handles(verb, edge), None, None)
            self.words.append(words.format(edges=pattern))

    def _set(self, place: Place) -> None:
        if not place.table(expected="a table of quantities of the model, e.g. { S = 5 }"):
            return
        for target, entry in place.items():
            value, hour = self._amount_and_time(entry, NUMBER_KIND, start=None)
            if value is not None and changeable(entry, target, self.known):
                self.actions.append(
                    Action(time_h=hour, target=target, operation="set", value=value, verb="set", of=target)
                )
                self.words.append(f"{target} set to {told(value)}" + ("" if hour is None else f" at {when(hour)}"))

    # treatments

    def _dose(self, place: Place) -> None:
        for entry in place.elements():
            if not entry.table(DOSE, expected='a table, e.g. { what = "miR-34c-5p", copies = 300, at = "0 h" }'):
                continue
            what, copies = self._needed(entry, "what"), self._needed(entry, "copies")
            if what is None or copies is None:
                continue
            handles = self._agent_handles(what)
            ladder = isinstance(copies.value, list)
            amount = self._quantity(copies, COPIES if all(h.unit == "copies" for h in handles) else AMOUNT)
            self._refuse_beyond_limit(handles, amount, copies.at(self.rung) if ladder else copies)
            hour = self._time(entry)
            if handles and amount is not None and hour is not None:
                self._act(handles, amount, hour)
                self.doses.append((what.value, amount, ladder))
                self.words.append(f"{told(amount)} copies of {what.value} at {when(hour)}")

    def _refuse_beyond_limit(self, handles: list[Handle], amount: float | None, place: Place) -> None:
        """A fault for more copies of an oligo than a cell can make use of."""
        oligo = self.known and self.known.circuit and self.known.circuit.mirna and handles
        if oligo and all(h.unit == "copies" for h in handles) and amount is not None and amount > doses.MAX_DOSE:
            place.fault(doses.EXPECTED)

    def _agent_handles(self, what: Place) -> list[Handle]:
        """What a dose adds to; in a model file without handles an agent is the id of a species or parameter."""
        if self.known is not None and self.known.circuit is None:
            found = changeable(what, what.value, self.known)
            return [Handle("agent", what.value, "dose", what.value, "add", "x", "", "")] if found else []
        return self._handles("dose", what, what.value)

    def _knock_down(self, place: Place) -> None:
        self._each("knock_down", place, 'a table, e.g. { RAB27B = "90 %" }', "{name} knocked down by {value}")

    def _inhibit(self, place: Place) -> None:
        self._each("inhibit", place, 'a table, e.g. { exosome_release = "60 %" }', "{name} inhibited by {value}")

    def _express(self, place: Place) -> None:
        self._each("express", place, "a table, e.g. { p21 = 2 }", "{name} expressed at {value}")

    def _each(self, verb: str, place: Place, expected: str, words: str) -> None:
        """A table of names with a quantity each, or { value, at }."""
        if not place.table(expected=expected):
            return
        for name, entry in place.items():
            handles = self._handles(verb, entry, name)
            kind = _kind(handles)
            value, hour = self._amount_and_time(entry, kind, start=0.0)
            if handles and value is not None and hour is not None:
                self._act(handles, value, hour)
                unit = "" if handles[0].unit in KNOWN_UNITS else f" {handles[0].unit}"
                self.words.append(words.format(name=name, value=_label(value, kind) + unit) + since(hour))

    def _serum(self, place: Place) -> None:
        self._in_medium("serum", place, PERCENT, 'one percentage, e.g. "1 %"')

    def _growth_factors(self, place: Place) -> None:
        self._in_medium("growth_factors", place, AMOUNT, "one number, e.g. 1")

    def _in_medium(self, what: str, place: Place, kind: Kind, one: str) -> None:
        """What the medium holds from an hour on."""
        for entry in place.elements():
            if isinstance(entry.value, dict) and isinstance(entry.value.get("value"), list):
                entry.at("value").fault(one)
                continue
            value, hour = self._amount_and_time(entry, kind, start=0.0)
            handles = self._handles("change", entry, what)
            if handles and value is not None and hour is not None:
                self._act(handles, value, hour)
                self.words.append(f"{what.replace('_', ' ')} {_label(value, kind)} from {when(hour)}")

    def _medium_change(self, place: Place) -> None:
        for entry in place.elements():
            if not entry.table(CHANGE, expected='a table, e.g. { at = "2 d" }'):
                continue
            part, hour = entry.get("share"), self._time(entry, needed=True)
            share = None if part is None else part.quantity(SHARE)
            handles = self._handles("change", entry, "medium" if part is None else "part_of_medium")
            if handles and hour is not None and (part is None or share is not None):
                self._act(handles, share, hour)
                new = "fresh medium" if share is None else f"{_label(share, SHARE)} of the medium fresh"
                self.words.append(f"{new} at {when(hour)}")

    def _wash_out(self, place: Place) -> None:
        for entry in place.elements():
            if not entry.table(WHAT_AT, expected='a table, e.g. { what = "miR-34c-5p", at = "2 d" }'):
                continue
            what, hour = self._needed(entry, "what"), self._time(entry, needed=True)
            if what is None:
                continue
            handles = self._handles("wash_out", what, what.value)
            if handles and hour is not None:
                self._act(handles, None, hour)
                self.words.append(f"{what.value} washed out at {when(hour)}")

    def _actions(self, place: Place) -> None:
        for entry in place.listed('a list of actions, e.g. [{ target = "S", operation = "set", value = 5 }]'):
            action = read_action(entry, self.known, self.end_h)
            if action is not None:
                self.actions.append(action)
                words = {"set": "set to", "multiply": "multiplied by", "add": "raised by"}[action.operation]
                at = "" if action.time_h is None else f" at {when(action.time_h)}"
                self.words.append(f"{action.target} {words} {told(action.value)}{at}")

    # what they share

    def _handles(self, verb: str, place: Place, name: object) -> list[Handle]:
        """The handles of a deed; none, and a fault that lists what there is, for an unknown name."""
        if self.known is None:
            return []
        handles = self.known.handles(verb, name) if isinstance(name, str) else []
        if not handles and self.known.circuit is None:
            place.fault("set, actions or dose: a model file has no wiring", found=f"{verb} of {shown(name)}")
        elif not handles:
            place.fault(named(name, self.known.names(verb), f"names for {verb}"), found=shown(name))
        return handles

    def _act(self, handles: list[Handle], x: float | None, hour: float | None) -> None:
        for h in handles:
            self.actions.append(
                Action(time_h=hour, target=h.target, operation=h.operation, value=h.number(x), verb=h.verb, of=h.name)  # type: ignore[arg-type]
            )

    def _needed(self, place: Place, key: str) -> Place | None:
        below = place.get(key)
        if below is None:
            place.fault(f"the key {key}", found=f"no {key}")
        return below

    def _quantity(self, place: Place, kind: Kind) -> float | None:
        """A quantity; of a ladder the rung's, which then labels the arm."""
        if not isinstance(place.value, list):
            return place.quantity(kind)
        if self.rung >= len(place.value):
            return None
        value = place.at(self.rung).quantity(kind)
        self.label = "" if value is None else _label(value, kind)
        return value

    def _amount_and_time(self, place: Place, kind: Kind, *, start: float | None) -> tuple[float | None, float | None]:
        """A quantity, or a table { value, at }."""
        if not isinstance(place.value, dict):
            return self._quantity(place, kind), start
        place.table(VALUE_AT)
        value = self._needed(place, "value")
        return (None if value is None else self._quantity(value, kind)), self._time(place, default=start)

    def _time(self, place: Place, *, needed: bool = False, default: float | None = 0.0) -> float | None:
        at = self._needed(place, "at") if needed else place.get("at")
        return default if at is None else hour_of(at, self.end_h)


def _kind(handles: list[Handle]) -> Kind:
    """What quantity a handle takes."""
    for handle in handles:
        if handle.value == "1-x":
            return SHARE
    return {"copies": COPIES, "%": PERCENT}.get(handles[0].unit, AMOUNT) if handles else NUMBER_KIND


def _label(value: float, kind: Kind) -> str:
    if kind is SHARE:
        return f"{100 * value:.12g} %"
    return f"{number(value)} %" if kind is PERCENT else number(value)
