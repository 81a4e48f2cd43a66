"""What a chip loads: an immutable structure of arrays, numbered by core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.projection import Encoding, HostLayer

if TYPE_CHECKING:
    from spikeloom.profile.schema import Profile


@dataclass(frozen=True)
class Port:
    """A named group of input lines, or a named readout.

    An input owns the lines [first, first + size). An output reads `neurons` (global numbers).
    """

    name: str
    size: int
    first: int = 0
    encoding: Encoding | None = None  # None: an output
    scale: NDArray | None = None  # input: (channels,); output: (size,)
    offset: NDArray | None = None  # output: (size,), added after scaling
    signed: bool = False
    planes: int = 1
    order: NDArray | None = None  # input: (channels,), channel k takes value order[k] of a flattened sample
    neurons: NDArray | None = None  # output: (size,) int32
    read: str = ""  # output: "spikes" or a register


@dataclass(frozen=True)
class Placed:
    """Where the neurons of one population are: `neurons[k]` is the global number of its k-th neuron.

    The population works on the ticks [depth, depth + T) of a run; steps, where the profile divides its tick.
    """

    name: str
    neurons: NDArray  # (size,) int32
    depth: int

    @cached_property
    def columns(self) -> slice | NDArray:
        """An index of its neurons, which copies nothing where they follow one another."""
        follow = self.neurons.size > 0 and bool((np.diff(self.neurons) == 1).all())
        return slice(int(self.neurons[0]), int(self.neurons[-1]) + 1) if follow else self.neurons


@dataclass(frozen=True)
class ProgramArrays:
    """Cores, axons, templates and codes. All int32 unless said; a start array is one longer than what it
    indexes.

    Core c owns the neurons [core_neuron_start[c], core_neuron_start[c + 1]) and the axons alike. A spike on
    axon a reads one row: the runs of its template, with targets shifted by `axon_target[a]` and codes by
    `axon_weight[a]`. A run covers `run_length` targets and as many consecutive codes; its targets are
    consecutive from `run_target`, or, where `run_index` is not -1, `run_target + index_target[run_index +
    k]`. Runs are sorted by (delay, receptor, first target); targets within a run ascend.
    """

    core_neuron_start: NDArray  # (cores + 1,)
    core_axon_start: NDArray  # (cores + 1,)
    axon_template: NDArray  # (axons,)
    axon_target: NDArray  # (axons,) global neuron number added to every target of the template
    axon_weight: NDArray  # (axons,) int64, added to every weight offset of the template
    template_run_start: NDArray  # (templates + 1,)
    run_target: NDArray  # (runs,)
    run_length: NDArray  # (runs,) >= 1
    run_weight: NDArray  # (runs,) int64
    run_delay: NDArray  # (runs,)
    run_receptor: NDArray  # (runs,)
    run_index: NDArray  # (runs,) int64, -1 where contiguous
    index_target: NDArray  # (indexed synapses,)
    codes: NDArray  # (codes,) int32; float64 where the formula is `float`
    code_format: NDArray  # (codes,) uint8
    format_mode: NDArray  # (formats,) index into profile.weights.mode, -1 where the profile has none
    input_fan_start: NDArray  # (input lines + 1,)
    input_fan_axon: NDArray  # axons that each input line drives, ascending
    neuron_fan_start: NDArray  # (neurons + 1,)
    neuron_fan_axon: NDArray  # axons that each neuron drives, ascending
    format_shared: Mapping[str, NDArray] = field(default_factory=dict)  # name -> (formats,)
    params: Mapping[str, NDArray] = field(
        default_factory=dict
    )  # name -> (neurons,) codes; float64 where analog
    init: Mapping[str, NDArray] = field(default_factory=dict)  # free register element -> (neurons,)


@dataclass(frozen=True)
class ChipProgram:
    """Everything that a chip loads, and what its run means. Immutable; made by `place` or `load_program`.

    `ticks` is the window T the network was fitted for; a run lasts T + the largest depth. `report` is the
    fit's report as plain JSON, carried but not interpreted.
    """

    profile: Profile
    ticks: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    populations: tuple[Placed, ...]
    arrays: ProgramArrays
    hosts: tuple[HostLayer, ...] = ()
    chip_seed: int | None = None
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_neurons(self) -> int:
        """Neurons on all cores."""
        return int(self.arrays.core_neuron_start[-1])

    @property
    def n_inputs(self) -> int:
        """Input lines."""
        return len(self.arrays.input_fan_start) - 1

    @property
    def n_cores(self) -> int:
        """Cores in use."""
        return len(self.arrays.core_neuron_start) - 1

    @cached_property
    def depths(self) -> NDArray[np.int32]:
        """(n_neurons,) the depth of each neuron's population."""
        depths = np.zeros(self.n_neurons, dtype=np.int32)
        for placed in self.populations:
            depths[placed.neurons] = placed.depth
        depths.setflags(write=False)
        return depths

    @property
    def run_ticks(self) -> int:
        """Ticks of one run, or steps where the profile divides its tick: the window and the largest depth."""
        window = self.ticks * self.profile.time.steps_per_tick
        return window + max(population.depth for population in self.populations)

    def save(self, path: str | Path) -> None:
        """Write the program to one `.spikeloom` file, atomically."""
        from spikeloom.program.storage import save_program

        save_program(self, Path(path))
