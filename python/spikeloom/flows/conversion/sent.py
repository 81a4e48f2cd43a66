"""What the converted layers send, and the task of a layer that takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.emulation.measure import Feed, next_feed, side_by_side
from spikeloom.fit.problem import Objective
from spikeloom.flows.conversion.calibration import CalibrationSet
from spikeloom.flows.conversion.chip_limits import largest_code
from spikeloom.flows.conversion.ideal_stages import IdealStages
from spikeloom.flows.conversion.layers.alone import alone
from spikeloom.flows.conversion.layers.layer_data import LayerData
from spikeloom.flows.conversion.layers.layer_task import LayerTask
from spikeloom.flows.conversion.pools.max_pool import Wired
from spikeloom.flows.conversion.pools.races import connect_race, race_behind, race_program
from spikeloom.flows.conversion.spiking_units import sources_of
from spikeloom.network.chip_layer import ChipLayer
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.wired import wired_layer
from spikeloom.placement.place import place_without_limits

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sent:
    """What a converted layer sends: its spikes as they arrive behind it, their scale, and what they stand for.

    scale: rate per unit of the ANN's activation; answer: (N, neurons) that activation
    made_by: the layer in chip codes and its task, where it was fitted
    """

    feed: Feed
    scale: float
    answer: Array
    made_by: tuple[LayerTask, ChipLayer] | None = None


def task_behind(
    data: CalibrationSet, index: int, sent: Mapping[str, Sent], objective: Objective, threads: int | None
) -> LayerTask:
    """The layer on what the layers before it really send."""
    is_last, is_first = index == len(data.layers) - 1, index == 0
    is_readout = is_last and data.counted_offset is None
    layer_data = data.first if is_first else _data_behind(data, index, sent, is_readout)
    race, by_host = race_behind(data.layers[index].name, data.layers), is_first and data.coding.by_host
    raced = race is not None and race.keeps
    free = not (is_readout or by_host)
    return LayerTask(
        layer_data, data.profile, data.ticks, is_readout, data.coding if is_first else None, objective, threads,
        data.starts(index), data.axons[index],
        is_held_back=race is not None, keeps=free and (raced or data.kept_by == "keeper"),
        carries=free and race is None and data.kept_by == "itself", spread=data.spread,
    )  # fmt: skip


def sent_by_wired(
    layer: Wired, data: CalibrationSet, sent: Mapping[str, Sent], into: tuple[SpikingNetwork, IdealStages],
    threads: int | None,
) -> Sent:  # fmt: skip
    """Add neurons of a max pooling to the networks, and see what they send on the chip."""
    given, (network, ideal) = [sent[source] for source in layer.maps], into
    chip = wired_layer(layer.name, list(layer.maps.values()), data.profile, largest_code(data.profile))
    chip.add_to(network, tuple(layer.maps))
    ideal.add_wired(layer, tuple(layer.maps))
    answer = data.answers[[each.name for each in data.layers].index(layer.name)]
    if layer.holds_back:
        assert given[0].made_by is not None
        task, source = given[0].made_by
        connect_race(network, layer, source)
        feed, program = task.data.feed, race_program(task, source, chip, layer)
    else:
        feed = side_by_side([one.feed for one in given])
        alone_behind = alone(chip, data.profile, [one.feed.size for one in given])
        alone_behind.output(alone_behind.populations[chip.name])
        program = place_without_limits(alone_behind, ticks=feed.ticks)
    return Sent(next_feed(program, feed, layer.name, threads=threads), given[0].scale, answer)


def _data_behind(data: CalibrationSet, index: int, sent: Mapping[str, Sent], is_readout: bool) -> LayerData:
    """The data of a layer behind others."""
    layer = data.layers[index]
    assert isinstance(layer, AnnLayer)
    given = [sent[source] for source in sources_of(layer)]
    feed = side_by_side([one.feed for one in given])
    scales = np.repeat([one.scale for one in given], [len(part.matrix) for part in layer.parts])
    return LayerData(
        layer, feed, feed.totals if is_readout else feed.rates, np.concatenate([one.answer for one in given], axis=1),
        data.preactivations[index], data.answers[index], given[0].scale if len(given) == 1 else scales, data.held,
        data.seed,
    )  # fmt: skip
