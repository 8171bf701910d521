"""From verbs to actions: what a study does to the cells of an arm, looked up in the handles of its model.

Each verb is one generic lookup; nothing here knows a gene, an agent or an arm by its name. The amounts of most verbs
have the kind of quantity that the handle takes, so they are parsed here, against the model.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from senexo.base.errors import InvalidInput
from senexo.base.units import AMOUNT, COPIES, FOLD, NUMBER_KIND, PERCENT, SHARE, Kind, parse, shown
from senexo.model.circuit import Handle
from senexo.study import body_doses, doses, regimen
from senexo.study.actions import (
    before_end,
    changeable,
    grouped,
    in_order,
    number,
    read_action,
    refuse_contradictions,
    since,
    when,
)
from senexo.study.agents import BodyName
from senexo.study.cursor import Cursor, named
from senexo.study.form import arms as form
from senexo.study.form.arms import VERBS
from senexo.study.names import ModelNames
from senexo.study.schema import Action, Arm, BodyDose
from senexo.study.targets import sequence_mutation

UNTREATED = "left alone"
EXAMPLES = {"fold": "10-fold", "copies": "300 copies"}
UNITLESS = ("", "1", "copies", "%")  # units that the number's own form shows; any other is put behind it


@dataclass(frozen=True)
class Into:
    """What doses are given to: a body, or the cells of a culture (None); folder: what paths are relative to."""

    body: BodyName | None = None
    folder: Path = Path()


CULTURE = Into()


@dataclass
class VerbReader:
    """Reads the verbs of one arm (one rung of a ladder) into actions and words."""

    names: ModelNames | None
    end_h: float | None
    rung: int = 0
    label: str = ""  # of the rung, once its quantity is read
    actions: list[Action] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    doses: list[tuple[str, float, bool]] = field(default_factory=list)  # agent, copies, is this the ladder's
    body_doses: list[BodyDose] = field(default_factory=list)
    into: Into = CULTURE

    def arm(self, family: str, verbs: form.Interventions, place: Cursor) -> Arm:
        """The arm that the verbs of a table make."""
        for verb in VERBS:
            value = getattr(verbs, verb, None)
            if value is not None:
                written = len(self.words)
                getattr(self, f"_{verb}")(value, place.at(verb))
                if isinstance(place.at(verb).value, dict):  # a table's order has no meaning, a list's may have
                    self.words[written:] = sorted(self.words[written:])
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
            body_doses=tuple(sorted(self.body_doses, key=lambda one: (one.of, one.route, one.time_h))),
        )

    def _agent(self) -> tuple[str | None, float | None]:
        """What is dosed and how much in all: the ladder's agent, else the only agent."""
        agents = list(dict.fromkeys(agent for agent, _, _ in self.doses))
        laddered = [agent for agent, _, ladder in self.doses if ladder]
        if not laddered and len(agents) != 1:
            return " + ".join(agents) or None, None
        chosen = laddered[0] if laddered else agents[0]
        return chosen, sum(copies for agent, copies, _ in self.doses if agent == chosen)

    # what acts from the start

    def _knock_out(self, genes: list[str | None], place: Cursor) -> None:
        for entry, name in zip(place.elements(), genes, strict=True):
            handles = self._handles("knock_out", entry, name)
            if handles:
                self._act(handles, None, None)
                self.words.append(f"{name} knocked out")

    def _mutate(self, parts: dict[str, str | None], place: Cursor) -> None:
        for name, part in parts.items():
            entry = place.at(name)
            if part is not None and ":" in part and self.names is not None:
                self._mutate_bases(name, part, entry, self.names)
                continue
            handles = self._handles("mutate", entry, name)
            kinds = list(dict.fromkeys(h.kind for h in handles))
            kind = entry.one_of(kinds, "parts") if kinds and part is not None else None
            if kind:
                self._act([h for h in handles if h.kind == kind], None, None)
                self.words.append(f"{name} {kind} mutated")

    def _mutate_bases(self, name: str, part: str, place: Cursor, names: ModelNames) -> None:
        factors = sequence_mutation(names, name, part, place)
        for target, value in factors.items():
            self.actions.append(Action(target=target, operation="set", value=value, verb="mutate", of=name))
        self.words.append(f"{name} {part} mutated" + ("" if factors else " (no site touched)"))

    def _cut(self, edges: list[str | None], place: Cursor) -> None:
        self._edges("cut", edges, place, "{edges} cut")

    def _connect(self, edges: list[str | None], place: Cursor) -> None:
        self._edges("connect", edges, place, "{edges} connected")

    def _edges(self, verb: str, patterns: list[str | None], place: Cursor, words: str) -> None:
        """A list of edges, where * stands for any text."""
        known = self.names.of(verb) if self.names else []
        for entry, pattern in zip(place.elements(), patterns, strict=True):
            if pattern is None or self.names is None:
                continue
            expression = re.escape(" ".join(pattern.split())).replace(r"\*", ".*")
            edges = [name for name in known if re.fullmatch(expression, name)]
            if not edges:
                entry.fault(named(pattern, known, "edges"))
            for edge in edges:
                self._act(self.names.handles(verb, edge), None, None)
            self.words.append(words.format(edges=pattern))

    def _set(self, values: dict[str, Any], place: Cursor) -> None:
        for target, value in values.items():
            entry = place.at(target)
            found, hour = self._amount_and_time(value, entry, NUMBER_KIND, start=None)
            if changeable(entry, target, self.names) and found is not None:
                action = Action(time_h=hour, target=target, operation="set", value=found, verb="set", of=target)
                self.actions.append(action)
                self.words.append(f"{target} set to {grouped(found)}" + ("" if hour is None else f" at {when(hour)}"))

    # treatments

    def _dose(self, given: list[form.Dose | None], place: Cursor) -> None:
        for entry, dose in zip(place.elements(), given, strict=True):
            if dose is None:
                continue
            handles = self._agent_handles(entry.at("what"), dose.what)
            copies = all(h.unit == "copies" for h in handles)
            if copies and self._into_body(dose, entry, handles):
                continue
            amount, written = self._dosed(dose, entry.at("amount"), copies=copies)
            given_at = self._regimen(dose, entry, 0.0 if amount is None else amount)
            if handles and amount is not None and given_at is not None:
                for hour, part in given_at.events(whole=copies):
                    self._act(handles, part, hour)
                self.doses.append((given_at.what, given_at.total, isinstance(entry.at("amount").value, list)))
                self.words.append(given_at.words(f"{written} copies"))

    def _into_body(self, dose: form.Dose, place: Cursor, handles: list[Handle]) -> bool:
        """Read a dose that is one for a body; False where it is one for cells."""
        amount = place.at("amount")
        laddered = isinstance(amount.value, list)
        here = amount.at(self.rung) if laddered and self.rung < len(amount.value) else amount
        if not body_doses.is_per_body(dose, here.value):
            return False
        targets, body = [handle.target for handle in handles], self.into.body
        if body is None:
            body_doses.refuse_no_body(dose, here, place)
            return True
        body_doses.check_keys(dose, here, place)
        if dose.events is not None:
            given = body_doses.of_table(dose, targets, body, self.end_h, self.into.folder, place)
        else:
            given_at = self._regimen(dose, place, 0.0)
            if given_at is None or not isinstance(here.value, str):
                return True
            given = body_doses.of_amount(here.value, given_at, dose, targets, body, here)
            self.label = " ".join(here.value.split()) if laddered else self.label
        if given is not None and handles:
            self.body_doses += given.records
            self.doses.append((dose.what or "", given.copies, laddered))
            self.words.append(given.words)
        return True

    def _dosed(self, dose: form.Dose, place: Cursor, *, copies: bool) -> tuple[float | None, str]:
        """How much one dose adds, and the same in words; of a ladder the rung's, which then labels the arm."""
        laddered = isinstance(place.value, list)
        if dose.amount is None or (laddered and self.rung >= len(place.value)):
            return None, ""
        here = place.at(self.rung) if laddered else place
        if not copies:
            found = self._quantity(place, AMOUNT)
            return found, "" if found is None else grouped(found)
        try:
            amount = regimen.read_amount(here.value, here.where)
        except InvalidInput as error:
            here.faults.extend(error.faults)
            return None, ""
        if laddered:
            self.label = amount.label
        known = regimen.in_copies(amount, self._level(dose.what))
        if known is None:
            here.fault("copies or nM: the circuit states no level that a fold could be over")
            return None, ""
        if self.names and self.names.circuit and self.names.circuit.mirna and known.value > doses.MAX_DOSE:
            here.fault(
                doses.EXPECTED, found=None if not known.how else f"{shown(here.value)}, {known.value:,.0f} copies"
            )
        return known.value, str(known)

    def _level(self, agent: str | None) -> regimen.Level | None:
        """The cell's own level of an agent, as the donors of the study draw it."""
        name = self.names.circuit.levels.get(agent or "") if self.names and self.names.circuit else None
        draw = self.names.draws.get(name) if self.names and name else None
        return None if draw is None or name is None else regimen.Level(name, draw.value, draw.low, draw.high)

    def _regimen(self, dose: form.Dose, place: Cursor, amount: float) -> regimen.Regimen | None:
        """When a dose is given; None after a fault."""
        hour = self._time(dose.at, place, default=0.0)
        every, over = dose.every or 0.0, dose.over or 0.0
        if hour is None or dose.what is None or place.at("every").has_fault() or place.at("over").has_fault():
            return None
        count = dose.count or 1
        if every and dose.count is None and self.end_h is not None:
            count = max(1, math.ceil((self.end_h - hour - over) / every - 1e-9))
        if not every and count > 1:
            place.at("count").fault('one dose, or with it `every`, e.g. every = "24 h"')
        elif count > regimen.MOST_DOSES:
            place.at("every").fault(f"at most {regimen.MOST_DOSES} doses", found=f"{count} doses until the end")
        elif over and count > 1 and over > every:
            place.at("over").fault(f"a dose that ends before the next one ({when(every)})")
        found = regimen.Regimen(dose.what, amount, hour, every if count > 1 else 0.0, count, over)
        late = self.end_h is not None and (found.last_h > self.end_h if over else found.last_h >= self.end_h)
        if late and self.end_h is not None:
            which = place.at("count" if "count" in place else "over")
            which.fault(
                f"doses before the end of the culture ({when(self.end_h)})",
                found=f"the last until {when(found.last_h)}",
            )
        return None if place.has_fault() else found

    def _agent_handles(self, place: Cursor, agent: str | None) -> list[Handle]:
        """What a dose adds to; in a model file without handles an agent is the id of a species or parameter."""
        if agent is not None and self.names is not None and self.names.circuit is None:
            found = changeable(place, agent, self.names)
            return [Handle("agent", agent, "dose", agent, "add", "x", "", "")] if found else []
        return self._handles("dose", place, agent)

    def _knock_down(self, values: dict[str, Any], place: Cursor) -> None:
        self._each("knock_down", values, place, "{name} knocked down by {value}")

    def _inhibit(self, values: dict[str, Any], place: Cursor) -> None:
        self._each("inhibit", values, place, "{name} inhibited by {value}")

    def _express(self, values: dict[str, Any], place: Cursor) -> None:
        self._each("express", values, place, "{name} expressed at {value}")

    def _each(self, verb: str, values: dict[str, Any], place: Cursor, words: str) -> None:
        """A table of names with a quantity each, or { value, at }."""
        for name, written in values.items():
            entry = place.at(name)
            offered = self._handles(verb, entry, name)
            handles = self._of_one_unit(offered, entry)
            if offered and not handles:
                continue
            kind = _kind(handles)
            value, hour = self._amount_and_time(written, entry, kind, start=0.0)
            if handles and handles[0].unit == "fold" and value is not None and value < 1:
                expected = "a fold of 1 or more: a vector adds copies (set changes what a cell makes)"
                entry.fault(expected, found=f"{_label(value, kind)}-fold")
            elif handles and value is not None and hour is not None:
                self._act(handles, value, hour)
                unit = "" if handles[0].unit in UNITLESS and len(handles) == len(offered) else f" {handles[0].unit}"
                unit = unit.replace(" fold", "-fold")
                self.words.append(words.format(name=name, value=_label(value, kind) + unit) + since(hour))

    def _of_one_unit(self, handles: list[Handle], place: Cursor) -> list[Handle]:
        """The handles of the unit in which the quantity is written, where a verb takes more than one."""
        units = list(dict.fromkeys(handle.unit for handle in handles))
        if len(units) < 2:
            return handles
        below = place.get("value") or place
        if isinstance(below.value, list):
            below = below.at(min(self.rung, len(below.value) - 1))
        for unit in units:
            if isinstance(below.value, str) and _fits(below.value, _kind([h for h in handles if h.unit == unit])):
                return [handle for handle in handles if handle.unit == unit]
        below.fault("a quantity with its unit, e.g. " + " or ".join(f'"{EXAMPLES.get(u, u)}"' for u in units))
        return []

    def _serum(self, values: list[Any], place: Cursor) -> None:
        self._in_medium("serum", values, place, PERCENT, 'one percentage, e.g. "1 %"')

    def _growth_factors(self, values: list[Any], place: Cursor) -> None:
        self._in_medium("growth_factors", values, place, AMOUNT, "one number, e.g. 1")

    def _in_medium(self, what: str, values: list[Any], place: Cursor, kind: Kind, one: str) -> None:
        """What the medium holds from an hour on."""
        for entry, written in zip(place.elements(), values, strict=True):
            below = entry.get("value") or entry
            if isinstance(below.value, list):
                below.fault(one)
                continue
            value, hour = self._amount_and_time(written, entry, kind, start=0.0)
            handles = self._handles("change", entry, what)
            if handles and value is not None and hour is not None:
                self._act(handles, value, hour)
                self.words.append(f"{what.replace('_', ' ')} {_label(value, kind)} from {when(hour)}")

    def _medium_change(self, changes: list[form.MediumChange | None], place: Cursor) -> None:
        for entry, change in zip(place.elements(), changes, strict=True):
            if change is None:
                continue
            hour = self._time(change.at, entry, default=None)
            handles = self._handles("change", entry, "part_of_medium" if "share" in entry else "medium")
            if handles and hour is not None and not entry.has_fault():
                self._act(handles, change.share, hour)
                share = None if change.share is None else _label(change.share, SHARE)
                new = "fresh medium" if share is None else f"{share} of the medium fresh"
                self.words.append(f"{new} at {when(hour)}")

    def _wash_out(self, washes: list[form.WashOut | None], place: Cursor) -> None:
        for entry, wash in zip(place.elements(), washes, strict=True):
            if wash is None:
                continue
            hour = self._time(wash.at, entry, default=None)
            handles = self._handles("wash_out", entry.at("what"), wash.what)
            if handles and hour is not None:
                self._act(handles, None, hour)
                self.words.append(f"{wash.what} washed out at {when(hour)}")

    def _actions(self, actions: list[form.Action | None], place: Cursor) -> None:
        for entry, written in zip(place.elements(), actions, strict=True):
            action = None if written is None else read_action(written, entry, self.names, self.end_h)
            if action is not None:
                self.actions.append(action)
                words = {"set": "set to", "multiply": "multiplied by", "add": "raised by"}[action.operation]
                at = "" if action.time_h is None else f" at {when(action.time_h)}"
                self.words.append(f"{action.target} {words} {grouped(action.value)}{at}")

    # what they share

    def _handles(self, verb: str, place: Cursor, name: str | None) -> list[Handle]:
        """The handles of a verb; none, and a fault that lists what there is, for an unknown name."""
        if self.names is None or name is None:
            return []
        handles = self.names.handles(verb, name)
        if not handles and self.names.circuit is None:
            place.fault("set, actions or dose: a model file has no wiring", found=f"{verb} of {shown(name)}")
        elif not handles:
            place.fault(named(name, self.names.of(verb), f"names for {verb}"), found=shown(name))
        return handles

    def _act(self, handles: list[Handle], x: float | None, hour: float | None) -> None:
        for h in handles:
            self.actions.append(
                Action(time_h=hour, target=h.target, operation=h.operation, value=h.number(x), verb=h.verb, of=h.name)  # type: ignore[arg-type]
            )

    def _quantity(self, place: Cursor, kind: Kind) -> float | None:
        """A quantity; of a ladder the rung's, which then labels the arm."""
        if not isinstance(place.value, list):
            return place.quantity(kind)
        if self.rung >= len(place.value):
            return None
        value = place.at(self.rung).quantity(kind)
        self.label = "" if value is None else _label(value, kind)
        return value

    def _amount_and_time(
        self, written: Any, place: Cursor, kind: Kind, *, start: float | None
    ) -> tuple[float | None, float | None]:
        """A quantity, or a table { value, at }."""
        if written is None:
            return None, start
        if isinstance(written, form.Timed):
            value = None if written.value is None else self._quantity(place.at("value"), kind)
            return value, self._time(written.at, place, default=start)
        return self._quantity(place, kind), start

    def _time(self, hour: float | None, place: Cursor, *, default: float | None) -> float | None:
        """The hour of the key `at`, before the end of the culture."""
        return before_end(hour, place.at("at"), self.end_h) if "at" in place else default


def _kind(handles: list[Handle]) -> Kind:
    """What quantity a handle takes."""
    for handle in handles:
        if handle.value == "1-x":
            return SHARE
    return {"copies": COPIES, "%": PERCENT, "fold": FOLD}.get(handles[0].unit, AMOUNT) if handles else NUMBER_KIND


def _fits(text: str, kind: Kind) -> bool:
    """Whether a text is a quantity of this kind with its unit."""
    try:
        parse(text, replace(kind, bare=False))
    except InvalidInput:
        return False
    return True


def _label(value: float, kind: Kind) -> str:
    if kind is SHARE:
        return f"{100 * value:.12g} %"
    return f"{number(value)} %" if kind is PERCENT else number(value)
