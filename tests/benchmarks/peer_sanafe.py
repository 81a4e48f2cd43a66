"""W1 and W4 with hardware time in SANA-FE, on its Loihi: one core on each of the 8 x 4 tiles."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from splitmix import int8_weights, tenths
from workloads import THRESHOLDS, many_core_start, many_core_targets, many_core_weights

CORES, SIZE, PER_TILE = 32, 256, 4
MODELS = {"W1": "cycle", "W4": "detailed"}  # of time: its network clock by clock, or queues of messages
TICKS = {"W1": 2, "W4": 100}
UNITS = {"default_dendrite_hw_name": "loihi_dendrites", "soma_hw_name": "loihi_lif"}
BELOW = 1e-3  # it fires above a threshold, in binary32, and the workloads do at one


def sanafe_tick(name: str) -> tuple[float, int]:
    """Processor seconds of a tick on one thread, and all spikes, those of input lines among them."""
    import sanafe

    arch, network = sanafe.load_loihi(), sanafe.Network()
    cores = arch.cores()[::PER_TILE]
    (_mlp if name == "W1" else _many_core)(network, cores)
    chip = sanafe.SpikingChip(arch)
    chip.load(network)
    start = time.process_time()
    result = chip.sim(TICKS[name], timing_model=MODELS[name], processing_threads=1)
    return (time.process_time() - start) / TICKS[name], int(result["neurons_fired"])


def _mlp(network: Any, cores: Any) -> None:
    pixels = tenths(201, 0, TICKS["W1"] * 784).reshape(TICKS["W1"], 784)
    source, size = network.create_neuron_group("pixels", 784, default_dendrite_hw_name="loihi_dendrites"), 784
    for line in range(size):
        spikes = pixels[:, line].astype(int).tolist()
        source[line].set_attributes(soma_hw_name=f"loihi_inputs[{line}]", model_attributes={"spikes": spikes})
    source.map_to_core(cores[0])
    for layer, neurons in enumerate((512, 512, 10)):
        target = _group(
            network, f"layer{layer}", neurons, "dense", THRESHOLDS["W1"][layer], leak_decay=0.9375
        )
        target.map_to_core(cores[layer + 1])
        weights = int8_weights(101 + layer, (neurons, size)).T
        source.connect_neurons_dense(target, {"weight": weights.astype(float).ravel().tolist()})
        source, size = target, neurons


def _many_core(network: Any, cores: Any) -> None:
    start, targets = many_core_start(CORES * SIZE), many_core_targets("W4", CORES, SIZE)
    weights = many_core_weights(CORES * SIZE).astype(float)
    groups = [
        _group(network, f"core{c}", SIZE, "sparse", 1000, leak_decay=1.0, bias=10.0) for c in range(CORES)
    ]
    for c, group in enumerate(groups):
        group.map_to_core(cores[c])
        mine = slice(c * SIZE, (c + 1) * SIZE)
        for neuron, potential in enumerate(start[mine]):
            group[neuron].set_attributes(model_attributes={"potential": float(potential)})
        for other in np.unique(targets[mine] // SIZE):
            rows, columns = np.nonzero(targets[mine] // SIZE == other)
            pairs = zip(rows.tolist(), (targets[mine][rows, columns] % SIZE).tolist(), strict=True)
            group.connect_neurons_sparse(
                groups[other], {"weight": weights[mine][rows, columns].tolist()}, list(pairs)
            )


def _group(network: Any, name: str, size: int, synapse: str, threshold: int, **attributes: float) -> Any:
    model = {"threshold": threshold - BELOW, "reset": 0.0, **attributes}
    return network.create_neuron_group(
        name, size, model_attributes=model, default_synapse_hw_name=f"loihi_{synapse}_synapse", **UNITS
    )
