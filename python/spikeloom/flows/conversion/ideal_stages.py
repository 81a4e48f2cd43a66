"""The converted network on the ideal chip, built layer by layer beside the chip's own.

Between a trained network and a chip lie three losses. `fitted` shows the first alone: spikes instead of numbers, with
the relaxed weights of the fit. `quantised` adds the second: the same neurons with weights on the chip's grid. What is
then left to the emulated chip are its registers, its leak and its limits. The ideal neuron resets as the chip's does:
the weights were solved for that, and with another reset they would mean something else. For the same reason neurons
in continuous time, whose leak the weights make up for, stay the chip's own: `fitted` then has these with real-valued
weights, and there is no `quantised`, which would be the emulated chip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from spikeloom.emulation.measure import Feed
from spikeloom.flows.conversion.chip_limits import has_synapses_of_their_own
from spikeloom.flows.conversion.layers.layer_search import Candidate
from spikeloom.flows.conversion.layers.layer_task import LayerTask, on_chip, readout_scale
from spikeloom.flows.conversion.pools.max_pool import Wired
from spikeloom.flows.conversion.pools.races import connect_race
from spikeloom.network.chip_layer import ChipLayer, Synapses
from spikeloom.network.held_back import keep
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.wired import wired_layer
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Limits, Profile, Weights
from spikeloom.profile.weights import effective_weights
from spikeloom.program.program import ChipProgram

STAGES = ("fitted", "quantised")


class IdealStages:
    """One network on profile `ideal` for each of `STAGES`.

    add_input: gives a network its input lines; subtracts: neurons that the chip resets to zero keep by themselves
    what they have above their threshold.
    """

    def __init__(
        self, profile: Profile, add_input: Callable[[SpikingNetwork], None], *, subtracts: bool = False
    ) -> None:
        own = has_synapses_of_their_own(profile)
        self._unit = float(effective_weights(profile.weights, [1], {})[0]) if own else None
        self._profile = with_real_weights(profile) if own else ideal_like(profile, subtracts=subtracts)
        self._networks = {stage: SpikingNetwork(self._profile) for stage in (STAGES[:1] if own else STAGES)}
        self._depth: dict[str, int] = {}
        self._chips: dict[tuple[str, str], ChipLayer] = {}
        for network in self._networks.values():
            add_input(network)

    def add(
        self, task: LayerTask, winner: Candidate, sources: Sequence[str], counted: float | None = None
    ) -> None:
        """Add the layer that won, with each stage's weights; counted: the offset of spikes that are the output."""
        ideal = self._on_ideal(task, self._noted(task.layer.name, sources))
        for stage, network in self._networks.items():
            chip = on_chip(ideal, self._synapses(winner, stage))
            chip.add_to(network, sources)
            self._chips[stage, chip.name] = chip
            if task.keeps:
                keep(network, chip, sources, 1.0)
            if task.is_last:
                population = network.populations[chip.name]
                network.output(population, read="v", scale=readout_scale(ideal, chip, winner.scale))
            elif counted is not None:
                scale = 1.0 / (task.ticks * winner.scale)
                network.output(network.populations[chip.name], read="spikes", scale=scale, offset=-counted)

    def add_wired(self, layer: Wired, sources: Sequence[str]) -> None:
        """Add neurons of a max pooling, which have no weights of their own."""
        self._noted(layer.name, sources)
        for stage, network in self._networks.items():
            wired_layer(layer.name, list(layer.maps.values()), self._profile, 1.0).add_to(network, sources)
            if layer.holds_back:
                self._depth[layer.name] = self._depth[sources[0]]  # they work side by side
                connect_race(network, layer, self._chips[stage, sources[0]])

    def _noted(self, name: str, sources: Sequence[str]) -> int:
        """Ticks after which the layer's window starts: as many as layers lie before it on the longest way."""
        self._depth[name] = max(
            (self._depth[source] + 1 for source in sources if source in self._depth), default=0
        )
        return self._depth[name]

    def programs(self, ticks: int) -> dict[str, ChipProgram]:
        """The program of each stage."""
        return {stage: place(network, ticks=ticks) for stage, network in self._networks.items()}

    def _synapses(self, winner: Candidate, stage: str) -> Synapses:
        """A stage's weights; behind a gain of their own they are in its unit, which is the chip's."""
        fit = winner.fit
        if stage == "quantised":
            return Synapses.of(fit)
        scales = np.ones(fit.bias.shape) if self._unit is None else fit.scales / self._unit
        return Synapses(fit.name, fit.weights / scales, scales, fit.bias)

    def _on_ideal(self, task: LayerTask, depth: int) -> LayerTask:
        """The task on the ideal chip."""
        feed = Feed(task.data.feed.inputs, task.data.feed.ticks, depth)
        return replace(task, profile=self._profile, data=replace(task.data, feed=feed), carries=False)


def ideal_like(profile: Profile, *, subtracts: bool = False) -> Profile:
    """Profile `ideal` with the chip's own reset, where that is to zero and the neurons do not make good for it."""
    to_zero = getattr(profile.fire, "reset", "subtract") in ("zero", "value") and not subtracts
    return load_profile("ideal", override={"operation.fire.reset": "zero"} if to_zero else None)


def with_real_weights(profile: Profile) -> Profile:
    """The chip's neurons, all alike, with as many real-valued synapses as one likes."""
    chip = profile.chip.model_copy(update={"synapse": "analog"})
    changes = {"chip": chip, "weights": Weights(formula="float"), "limits": Limits(), "imperfection": ()}
    return profile.model_copy(update=changes)
