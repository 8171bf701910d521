"""A population taken apart by a partition: its events, its flows, and what is only counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from senexo.engine.formula.network import LoweredReaction
from senexo.engine.population.langevin import Flow
from senexo.engine.population.model import CellType, Population
from senexo.engine.population.partition import HybridPartition, limited
from senexo.engine.population.tables import TAKES, compile_population
from senexo.model.expression import Expression, Slot

_Release = tuple[int, tuple[tuple[int, int], ...]]


class Separated:
    """A population by a partition: its events as a population of their own (`events`), and the flows of its types.

    released: per type, of each counted reaction its number and the copies (pool, copies) that it brings into pools;
    channels, counted_channels: what the channels of `events`, and the counted reactions, are in the whole population.
    """

    def __init__(self, population: Population, partition: HybridPartition) -> None:
        self._whole, self._partition, self._pooled = compile_population(population), partition, population.pooled
        self._place = {
            (channel.type, channel.name, channel.once): at for at, channel in enumerate(self._whole.channels)
        }
        self._counted_at = list[int]()
        self.flows, self.released = list[Flow](), list[list[_Release]]()
        types = [self._separate(population, number) for number in range(len(population.types))]
        self.events = Population(tuple(types), population.pools, population.per_cell)
        made = compile_population(self.events)
        self.channels = np.array([self._place[c.type, c.name, c.once] for c in made.channels], dtype=np.int64)
        self.counted_channels = np.array(self._counted_at, dtype=np.int64)

    def _separate(self, population: Population, number: int) -> CellType:
        """The type with its events alone; its flow and what it releases are added to those of the population."""
        cell_type = population.types[number]
        network, continuous = cell_type.network, self._partition.continuous
        flowing, counted, events = list[LoweredReaction](), list[LoweredReaction](), list[LoweredReaction]()
        released, laws = list[_Release](), list[Expression]()
        for reaction in network.reactions:
            channel = self._place.get((cell_type.name, reaction.id, False))
            moved = () if channel is None else self._whole.channels[channel].changes
            if self._partition.is_continuous(network, reaction):
                flowing.append(reaction)
            elif channel is not None and moved and all(id in self._pooled and copies > 0 for id, copies in moved):
                counted.append(reaction)
                released.append((len(self._counted_at), tuple((self._pooled.index(id), n) for id, n in moved)))
                self._counted_at.append(channel)
            else:
                events.append(limited(network, reaction, continuous))
                if channel is not None and self._whole.tables.channels[channel, TAKES] == -1:
                    laws.append(events[-1].rate)
        laws += [Slot(network.slot(fate.bound or fate.hazard)) for fate in cell_type.fates]
        states = [slot for slot in population.countable[number] if network.slots[slot].id in continuous]
        self.flows.append(Flow(network, states, flowing, counted, laws))
        self.released.append(released)
        return replace(cell_type, network=replace(network, reactions=tuple(events)))
