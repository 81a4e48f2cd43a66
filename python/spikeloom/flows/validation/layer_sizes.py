"""How large a placed population is."""

from __future__ import annotations

import numpy as np

from spikeloom.program.program import ChipProgram


def layer_size(program: ChipProgram, name: str) -> dict[str, int]:
    """The neurons of a population, and the cores they are on."""
    neurons = next(placed.neurons for placed in program.populations if placed.name == name)
    cores = np.unique(np.searchsorted(program.arrays.core_neuron_start, neurons, side="right"))
    return {"neurons": int(neurons.size), "cores": int(cores.size)}
