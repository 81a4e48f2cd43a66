"""Max pooling by neurons that fire with any of their sources, which they hold back: where it can be, and measured.

The union of trains is larger than the largest of them. Where a spike of the pool takes a threshold from every source
of its window, the sources race: each counts its own input less all that was sent (see `network.held_back`). They then
send less than they would alone, so nothing else may read them.
"""

from __future__ import annotations

from dataclasses import replace

from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import FitError
from spikeloom.flows.conversion.chip_limits import largest_code
from spikeloom.flows.conversion.layers.layer_task import LayerTask, one_layer_network
from spikeloom.flows.conversion.pools.max_pool import Wired
from spikeloom.flows.conversion.spiking_units import SpikingUnits, UnitLayer, sources_of
from spikeloom.network.chip_layer import ChipLayer
from spikeloom.network.held_back import can_hold_back, hold_back
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place_without_limits
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

RACES = "windows apart of neurons that nothing else reads, reset to zero, with delays"


def with_races(units: SpikingUnits, profile: Profile) -> SpikingUnits:
    """The network whose unions hold their sources back wherever chip and network let them.

    Raises FitError where the sources should have keepers and cannot be held back.
    """
    readers = [source for layer in units.layers for source in sources_of(layer)]
    fitted = {layer.name for layer in units.layers if isinstance(layer, AnnLayer)}
    alone = {name for name in fitted if readers.count(name) == 1 and can_hold_back(profile)}
    layers = (_racing(layer, alone) if isinstance(layer, Wired) else layer for layer in units.layers)
    return replace(units, layers=tuple(layers))


def _racing(layer: Wired, alone: set[str]) -> Wired:
    """The same neurons, holding back their sources if these lie in one window each and are read by nothing else."""
    (source, windows), *others = layer.maps.items()
    is_union = not others and windows.data.min(initial=0) >= 0 and windows.sum(axis=0).max() > 1
    is_own = source in alone and windows.sum(axis=1).max() <= 1
    if layer.keeps and not is_own:
        raise FitError(
            f"layer {layer.name!r}", "cannot race", value=source, limit=RACES, remedy='use pool="tree"'
        )
    return replace(layer, holds_back=bool(is_union and is_own))


def connect_race(network: SpikingNetwork, pool: Wired, source: ChipLayer) -> None:
    """Let a pool that stands in the network hold its source back."""
    [windows] = pool.maps.values()
    hold_back(network, source, pool.name, windows, largest_code(network.profile))


def race_program(task: LayerTask, source: ChipLayer, chip: ChipLayer, pool: Wired) -> ChipProgram:
    """A layer alone behind input lines, with the pool behind it that holds it back."""
    network = one_layer_network(task, source)
    chip.add_to(network, (source.name,))
    connect_race(network, pool, source)
    network.output(network.populations[pool.name], read="spikes")
    return place_without_limits(network, ticks=task.data.feed.ticks)


def race_behind(name: str, layers: tuple[UnitLayer, ...]) -> Wired | None:
    """The pool that holds this layer back, if there is one."""
    pools = (layer for layer in layers if isinstance(layer, Wired) and layer.holds_back)
    return next((pool for pool in pools if name in pool.maps), None)
