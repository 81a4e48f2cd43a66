"""Does a network fit a chip, and if not, which limit binds? Answered without any data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, prod
from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann
from spikeloom.errors import AnnError, FitError, NetworkError, PlacementError, SpikeloomError
from spikeloom.flows.conversion.convertible import check_convertible
from spikeloom.flows.conversion.dry_network import counts_outputs, dry_network, dry_units
from spikeloom.flows.conversion.helpers import FanIn, HelperCost, helper_costs, split_fan_in
from spikeloom.flows.conversion.overshoot import Overshoot
from spikeloom.flows.conversion.pools.max_pool import Pool, Wired
from spikeloom.flows.conversion.pools.pool_costs import PoolCost, pool_costs
from spikeloom.flows.conversion.spiking_units import SpikingUnits, UnitLayer
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.demand import Demand, tables_of
from spikeloom.placement.partition import Partition
from spikeloom.placement.place import place
from spikeloom.placement.routes import all_synapses
from spikeloom.placement.whole_chip import check_ports
from spikeloom.profile.catalog import list_profiles, load_profile
from spikeloom.profile.schema import Profile

if TYPE_CHECKING:
    import torch
    from onnx import ModelProto
    from sklearn.base import BaseEstimator


@dataclass(frozen=True)
class LayerNeeds:
    """What one layer asks of the chip.

    name: of the layer or population; neurons: of it
    fan_in: most synapses onto one neuron; synapses: all onto the layer
    memory_bits: of synapse memory on all its cores, None where the profile has no model of it
    memory_words: the same in the memory's own words
    axons: arriving on all its cores; cores: that it takes, None where it fits none
    binding: dotted key of the limit that splits it, or of the one it comes nearest to; "" where there is none
    used: the share of that limit that its fullest core takes
    """

    name: str
    neurons: int
    fan_in: int
    synapses: int
    memory_bits: int | None
    memory_words: int | None
    axons: int | None
    cores: int | None
    binding: str
    used: float | None


@dataclass(frozen=True)
class Problem:
    """One reason why the network does not fit.

    limit: dotted key of the profile's limit, or "" where the chip or the conversion has no way at all
    """

    subject: str
    limit: str
    text: str
    value: object = None
    allowed: object = None
    remedy: str = ""


@dataclass(frozen=True)
class Explanation:
    """Whether a network fits a chip, what each layer takes, and what stands in the way.

    cores: that the whole network takes; None where it does not fit
    alternatives: other profiles that hold the network, looked up where this one does not
    pools: what each max pooling takes in every form it has here; `layers` counts the one that was asked for
    helpers: what splitting the fan-in takes, for each layer whose neurons have more synapses than the chip allows
    """

    network: str
    profile: str
    layers: tuple[LayerNeeds, ...]
    problems: tuple[Problem, ...]
    cores: int | None
    alternatives: tuple[str, ...] = ()
    pools: tuple[PoolCost, ...] = ()
    helpers: tuple[HelperCost, ...] = ()

    @property
    def fits(self) -> bool:
        """Nothing stands in the way of a conversion."""
        return not self.problems


def explain(
    ann: Ann | SpikingNetwork | str | Path | ModelProto | torch.nn.Module | BaseEstimator,
    profile: Profile | str | Path,
    *,
    pool: Pool = "tree",
    overshoot: Overshoot = "lose",
    fan_in: FanIn = "thin",
) -> Explanation:
    """Say what a network takes on a chip, and what stands in the way, without data.

    Counts are those of a conversion by the encoding "rate" of inputs that are never negative; inputs that can be
    take two lines each. Weights are rounded plainly, which takes as much memory as a fit.

    Parameters
    ----------
    ann : what `load_ann` takes, or a `SpikingNetwork`, which is placed as it is.
    profile : a chip by name, path, or `Profile`.
    pool : the form of max pooling that is counted, "tree", "race" or "or", as `convert` takes it.
    overshoot : "keep" counts the synapses, lines or neurons with which neurons that are reset to zero keep what
        they have above their threshold, as `convert` takes it.
    fan_in : what is counted where a chip limits the synapses onto a neuron, "thin" or "split", as `convert` takes it.

    Raises AnnError or ProfileError where one of the two cannot be read.

    >>> from spikeloom.bundled.load import load_bundle
    >>> narrow = load_profile("loihi1", override={"limits.in_axons_per_core": 300})
    >>> found = explain(load_bundle("mlp").onnx_path, narrow)
    >>> found.fits, found.problems[0].limit, found.problems[0].value, found.problems[0].allowed
    (False, 'limits.in_axons_per_core', 784, 300)
    """
    chip = load_profile(profile)
    network = ann if isinstance(ann, SpikingNetwork) else load_ann(ann)
    if isinstance(network, SpikingNetwork):
        return _explained("network", network, chip, [])
    dry = _Dry(network, pool, fan_in, overshoot)
    found = replace(dry.on(chip), pools=pool_costs(network, chip), helpers=helper_costs(network, chip))
    return found if found.fits else replace(found, alternatives=_alternatives(dry, chip))


class _Dry:
    """A trained network without data: brought into neurons once, then held against one chip after the other."""

    def __init__(self, ann: Ann, pool: Pool, fan_in: FanIn, overshoot: Overshoot = "lose") -> None:
        self.ann, self.pool, self.fan_in, self.overshoot = ann, pool, fan_in, overshoot
        self.problems: list[Problem] = []
        try:
            check_convertible(ann)
        except AnnError as error:
            self.problems.append(_problem(error))
        self._units: dict[tuple[bool, int | None], SpikingUnits] = {}

    def units(self, profile: Profile) -> SpikingUnits:
        """The layers in neurons, for a chip whose outputs are read as this one's and whose fan-in is as limited."""
        split = self.fan_in == "split"
        key = counts_outputs(profile), profile.limits.fan_in if split else None
        if key not in self._units:
            ann = split_fan_in(self.ann, profile) if split else self.ann
            self._units[key] = dry_units(ann, self.pool, counted=key[0])
        return self._units[key]

    def on(self, profile: Profile) -> Explanation:
        """What the network takes on this chip; a layer that no conversion carries is counted all the same."""
        problems = list(self.problems)
        try:
            network = dry_network(
                self.ann, profile, self.pool, units=self.units(profile), overshoot=self.overshoot
            )
        except (FitError, NetworkError, PlacementError) as error:
            return Explanation(self.ann.name, profile.name, (), (*problems, _problem(error)), None)
        return _explained(self.ann.name, network, profile, problems)

    def is_too_large(self, profile: Profile) -> bool:
        """More neurons, or lines into one neuron, than the chip has: known without a single synapse."""
        limits, units = profile.limits, self.units(profile).layers
        neurons = sum(unit.n_outputs for unit in units)
        room = (
            None
            if limits.cores is None or limits.neurons_per_core is None
            else limits.cores * limits.neurons_per_core
        )
        axons = limits.in_axons_per_core
        widest = max(_fewest_lines(unit) for unit in units)
        return (room is not None and neurons > room) or (axons is not None and widest > axons)


def _fewest_lines(unit: UnitLayer) -> int:
    """Lines that one neuron of the layer reads at least, where no weight is 0 and no border cuts it."""
    if isinstance(unit, Wired) or any(sum(part.padding) for part in unit.parts):
        return 0
    return sum(len(part.matrix) * prod(part.input_pool) for part in unit.parts if part.matrix.all())


def _alternatives(dry: _Dry, chip: Profile) -> tuple[str, ...]:
    """Other profiles that hold the network, without helpers, and with what a reset loses."""
    is_plain = dry.fan_in == "thin" and dry.overshoot == "lose"
    plain = dry if is_plain else _Dry(dry.ann, dry.pool, "thin")
    names = [name for name in list_profiles() if ":" not in name and name != chip.name.partition("+")[0]]
    profiles = {name: load_profile(name) for name in names}
    return tuple(
        name
        for name, profile in profiles.items()
        if not plain.is_too_large(profile) and plain.on(profile).fits
    )


def _explained(name: str, network: SpikingNetwork, profile: Profile, problems: list[Problem]) -> Explanation:
    try:
        partition = Partition(network, all_synapses(network))
    except (FitError, NetworkError, PlacementError) as error:
        return Explanation(name, profile.name, (), (*problems, _problem(error)), None)
    layers = tuple(
        _needs(population, network, partition, problems)
        for population, found in network.populations.items() if not found.is_input
    )  # fmt: skip
    cores = _placed(network, problems)
    return Explanation(name, profile.name, layers, tuple(problems), cores)


def _needs(name: str, network: SpikingNetwork, partition: Partition, problems: list[Problem]) -> LayerNeeds:
    """The demands of one population; what it breaks is added to the problems."""
    size, fans = network.populations[name].size, partition.fan_in[name]
    facts = (name, size, int(fans.max(initial=0)), int(fans.sum()))
    try:
        partition.check_fans(name)
        pieces = partition.pieces_of(name)
    except PlacementError as error:
        problems.append(_problem(error))
        return LayerNeeds(*facts, None, None, None, None, error.limit_name, None)
    demands = [partition.demand(piece) for piece in pieces]
    shares = _shares(demands, network.profile)
    binding = max(shares, key=lambda key: shares[key], default="")
    if name in partition.reasons:
        binding = partition.reasons[name].limit_name
    memories = network.profile.limits.memory
    bits = sum(sum(demand.memory) for demand in demands) if memories else None
    words = sum(
        ceil(demand.memory[k] / memory.align_bits) for demand in demands for k, memory in enumerate(memories)
    )
    axons = sum(demand.in_axons for demand in demands)
    return LayerNeeds(*facts, bits, words if memories else None, axons, len(pieces), binding,
                      shares.get(binding))  # fmt: skip


def _shares(demands: list[Demand], profile: Profile) -> dict[str, float]:
    """Of each limit of a core, by its dotted key, the share that the fullest core takes."""
    limits, shares = profile.limits, {}
    for name in ("neurons", "in_axons", "out_axons"):
        limit = getattr(limits, f"{name}_per_core")
        if limit is not None:
            shares[f"limits.{name}_per_core"] = max(getattr(demand, name) for demand in demands) / limit
    for k, memory in enumerate(limits.memory):
        shares[f"limits.memory.{memory.name}"] = max(demand.memory[k] for demand in demands) / memory.bits
    for k, table in enumerate(tables_of(profile)):
        if table.max > 1:  # a single set is always taken
            key = f"limits.shared_table.{table.name}"
            shares[key] = max(len(demand.tables[k]) for demand in demands) / table.max
    return shares


def _placed(network: SpikingNetwork, problems: list[Problem]) -> int | None:
    """Cores of the whole network; what only the whole of it breaks is added to the problems."""
    try:
        check_ports(network)
    except PlacementError as error:
        problems.append(_problem(error))
    if problems:
        return None
    try:
        return place(network).n_cores
    except PlacementError as error:
        problems.append(_problem(error))
        return None


def _problem(error: SpikeloomError) -> Problem:
    limit = error.limit_name if isinstance(error, PlacementError) else ""
    return Problem(error.subject, limit, error.problem, error.value, error.limit, error.remedy)
