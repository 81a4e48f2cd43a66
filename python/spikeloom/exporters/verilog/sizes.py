"""The sizes of a circuit: how many of everything it holds, and how wide every word and address is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spikeloom.errors import ProgramError
from spikeloom.exporters.verilog.fields import accumulator_fields, parameter_fields, state_fields, width
from spikeloom.exporters.verilog.layout import Layout
from spikeloom.exporters.verilog.numbers import signed_bits
from spikeloom.profile.intervals import Interval, operand_interval, weight_interval
from spikeloom.profile.schema import Profile


def address_bits(count: int) -> int:
    """Bits that number `count` things, at least one.

    >>> address_bits(1), address_bits(4), address_bits(5)
    (1, 2, 3)
    """
    return max((count - 1).bit_length(), 1)


def count_bits(most: int) -> int:
    """Bits that hold every count up to `most`.

    >>> count_bits(4)
    3
    """
    return max(most.bit_length(), 1)


@dataclass(frozen=True)
class Sizes:
    """What a circuit holds; everything but the profile that its Verilog depends on.

    Neurons to fan are of one core. The depths are those of FIFOs.
    """

    columns: int
    rows: int
    neurons: int
    axons: int
    lanes: int
    slots: int
    input_max: int  # spikes on an axon of an input in one tick that count at most
    recurrent_max: int  # those on any other axon
    runs: int
    runs_per_axon: int
    run_words: int  # words of a run
    synapse_words: int
    routes: int
    fan: int  # destinations of a neuron
    router_buffer: int
    output_fifo: int
    receive_fifo: int
    spikes_max: int = 1  # of a neuron in one tick

    @property
    def cores(self) -> int:
        """Places of the mesh."""
        return self.columns * self.rows

    @property
    def lanes_log2(self) -> int:
        """By how much the number of a neuron is shifted to give its word."""
        return self.lanes.bit_length() - 1

    @property
    def spike_bits(self) -> int:
        """Bits of the spike count of a packet, or of an input."""
        return count_bits(max(self.spikes_max, self.input_max))

    @property
    def receptor_bits(self) -> int:
        """Bits of the number of a receptor: enough for the eight that a profile may have at most."""
        return 3


def open_core_tables(profile: Profile) -> tuple[Any, Any]:
    """The tables `[cycles]` and `[noc]` of an open core.

    Raises ProgramError where the profile has another controller, or none, or lets a count grow without limit.
    """
    cycles, noc = getattr(profile, "cycles", None), getattr(profile, "noc", None)
    if getattr(cycles, "controller", None) != "open_core" or noc is None:
        raise ProgramError(f"profile {profile.name}", "describes no circuit",
                           remedy='it needs [cycles] controller = "open_core" and a [noc]')  # fmt: skip
    return cycles, noc


def sizes_of(profile: Profile, layouts: Sequence[Layout]) -> Sizes:
    """The circuit that a profile describes, its memories large enough for each of the programs."""
    cycles, noc = open_core_tables(profile)
    limits, most = profile.limits, profile.delivery.spikes_max
    counted = 2**cycles.count_bits - 1
    cores = max(len(layout.cores) for layout in layouts)
    columns = min(cores, noc.width)
    return Sizes(
        columns=columns, rows=-(-cores // columns),
        neurons=limits.neurons_per_core or 1, axons=limits.in_axons_per_core or 1,
        lanes=cycles.lanes, slots=cycles.slots,
        input_max=min(most.input or counted, counted), recurrent_max=min(most.recurrent or counted, counted),
        spikes_max=most_spikes(profile), router_buffer=noc.buffer,
        output_fifo=cycles.output_fifo, receive_fifo=cycles.receive_fifo,
        **memory_sizes(layouts),
    )  # fmt: skip


def memory_sizes(layouts: Sequence[Layout]) -> dict[str, int]:
    """The sizes of `Sizes` that programs alone decide, rounded up to powers of two."""
    cores = [core for layout in layouts for core in layout.cores]
    found = {
        "runs": max(len(core.run) for core in cores),
        "runs_per_axon": max((runs for core in cores for _, runs in core.axon), default=1),
        "run_words": max((run[2] for core in cores for run in core.run), default=1),
        "synapse_words": max(len(core.synapse) for core in cores),
        "routes": max(len(core.route) for core in cores),
        "fan": max((routes for core in cores for _, routes in core.head), default=1),
    }
    return {name: 2 ** (max(count, 2) - 1).bit_length() for name, count in found.items()}


def widths(profile: Profile, sizes: Sizes) -> dict[str, int]:
    """Every constant of `sizes.vh`."""
    found = dict(_plain_widths(profile, sizes))
    found["ARRIVAL_WIDTH"] = found["AXON_BITS"] + found["SLOT_BITS"] + found["SPIKE_BITS"]
    found["PACKET_WIDTH"] = found["X_BITS"] + found["Y_BITS"] + found["ARRIVAL_WIDTH"]
    memories = memory_shapes(found, profile)
    found["LOAD_ADDRESS_BITS"] = max(address for address, _ in memories.values())
    found["LOAD_BITS"] = max(bits for _, bits in memories.values())
    return found


def _plain_widths(profile: Profile, sizes: Sizes) -> Iterator[tuple[str, int]]:
    yield "COLUMNS", sizes.columns
    yield "ROWS", sizes.rows
    yield "CORES", sizes.cores
    yield "X_BITS", address_bits(sizes.columns)
    yield "Y_BITS", address_bits(sizes.rows)
    yield "NEURON_BITS", address_bits(sizes.neurons)
    yield "NEURONS", sizes.neurons
    yield "AXONS", sizes.axons
    yield "LANES", sizes.lanes
    yield "AXON_BITS", address_bits(sizes.axons)
    yield "SLOT_BITS", address_bits(sizes.slots)
    yield "COUNT_BITS", count_bits(max(sizes.input_max, sizes.recurrent_max))
    most = {"input": sizes.input_max, "recurrent": sizes.recurrent_max}
    yield "FIRST_MAX", most[profile.delivery.order[0]]
    yield "SECOND_MAX", most[profile.delivery.order[-1]]
    yield "MERGE_OR", int(profile.delivery.merge == "or")
    yield "SPIKE_BITS", sizes.spike_bits
    yield "RECEPTOR_BITS", sizes.receptor_bits
    yield "WORD_BITS", address_bits(-(-sizes.neurons // sizes.lanes))
    yield "RUN_BITS", address_bits(sizes.runs)
    yield "RUNS_BITS", count_bits(sizes.runs_per_axon)
    yield "LENGTH_BITS", count_bits(sizes.run_words)
    yield "SYNAPSE_BITS", address_bits(sizes.synapse_words)
    yield "WEIGHT_BITS", weight_bits(profile)
    yield "SYNAPSE_WIDTH", weight_bits(profile) * sizes.lanes
    yield "ROUTE_BITS", address_bits(sizes.routes)
    yield "FAN_BITS", count_bits(sizes.fan)
    yield "STATE_WIDTH", width(state_fields(profile))
    yield "PARAM_WIDTH", width(parameter_fields(profile))
    yield "OBSERVED_WIDTH", width(state_fields(profile)) + width(accumulator_fields(profile))
    for name, depth in (
        ("ROUTER", sizes.router_buffer),
        ("OUTPUT", sizes.output_fifo),
        ("RECEIVE", sizes.receive_fifo),
    ):
        yield f"{name}_DEPTH", depth
        yield f"{name}_ADDRESS_BITS", address_bits(depth)
        yield f"{name}_COUNT_BITS", count_bits(depth)


def weight_bits(profile: Profile) -> int:
    """Bits of an effective weight, sign included."""
    low, high = weight_interval(profile)
    if profile.weights.clip is not None:
        low, high = max(low, -profile.weights.clip), min(high, profile.weights.clip)
    return signed_bits(low, high)


def most_spikes(profile: Profile) -> int:
    """The largest spike count of a neuron in one tick."""
    most = getattr(profile.fire, "max", None)
    bounds = Interval(1, 1) if most is None else operand_interval(profile, most)
    return max(bounds.high, 1)


def memory_shapes(found: dict[str, int], profile: Profile) -> dict[str, tuple[int, int]]:
    """(address bits, width) of every memory of a core, in the order of their numbers on the load bus."""
    accumulator = max(field.bits for field in accumulator_fields(profile))
    lanes = found["SYNAPSE_WIDTH"] // found["WEIGHT_BITS"]
    run = found["RECEPTOR_BITS"] + found["WORD_BITS"] + found["LENGTH_BITS"] + found["SYNAPSE_BITS"]
    return {
        "schedule": (found["SLOT_BITS"] + found["AXON_BITS"], found["COUNT_BITS"]),
        "axon": (found["AXON_BITS"], found["RUN_BITS"] + found["RUNS_BITS"]),
        "run": (found["RUN_BITS"], run),
        "synapse": (found["SYNAPSE_BITS"], found["SYNAPSE_WIDTH"]),
        "accumulator": (found["RECEPTOR_BITS"] + found["WORD_BITS"], accumulator * lanes),
        "state": (found["NEURON_BITS"], max(found["STATE_WIDTH"], 1)),
        "param": (found["NEURON_BITS"], max(found["PARAM_WIDTH"], 1)),
        "head": (found["NEURON_BITS"], found["ROUTE_BITS"] + found["FAN_BITS"]),
        "route": (found["ROUTE_BITS"], found["PACKET_WIDTH"] - found["SPIKE_BITS"]),
        "settings": (1, found["NEURON_BITS"] + found["AXON_BITS"] + 2),
    }
