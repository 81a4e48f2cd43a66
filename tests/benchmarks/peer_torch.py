"""W1 and W2 as a loop over ticks in torch."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from splitmix import int8_weights
from workloads import THRESHOLDS, TICKS, Workload

# Spikes of each layer where v is a real number: the integers of the chip round v / 16 down.
REAL_GOLDEN = {
    ("W1", 1): (5217, 5111, 101),
    ("W1", 256): (1349276, 1362674, 25265),
    ("W2", 1): (21879, 8439, 96),
    ("W2", 256): (5511290, 2142589, 25094),
}
NEAR = 1e-4  # of all spikes: binary32 rounds v, and each library in its own order

Layer = Callable[[Any], Any]  # from spikes to what they add


def torch_seconds(workload: Workload) -> float:
    """A loop over ticks in eager torch, all samples side by side, on one thread; the faster of two runs."""
    import torch

    torch.set_num_threads(1)
    layers = _mlp_layers(torch) if workload.name == "W1" else _cnn_layers(torch)
    shape = (784,) if workload.name == "W1" else (1, 28, 28)
    spikes = torch.tensor(workload.spikes, dtype=torch.float32)
    inputs = spikes.reshape(len(workload.spikes), TICKS[workload.name], *shape)
    taken = []
    with torch.no_grad():
        for _ in range(2):
            start = time.process_time()
            made = _step_loop(torch, layers, inputs, THRESHOLDS[workload.name])
            taken.append(time.process_time() - start)
    wanted = np.array(REAL_GOLDEN[workload.name, len(inputs)], dtype=float)
    if np.abs(np.array(made) - wanted).max() > NEAR * wanted.sum():
        raise AssertionError(f"torch makes {made} spikes in {workload.name} instead of {wanted}")
    return min(taken)


def _step_loop(torch: Any, layers: list[Layer], inputs: Any, thresholds: tuple[int, ...]) -> list[int]:
    """Spikes of each layer: v = 15/16 v + I; where v >= threshold a spike, and v = 0."""
    potentials: list[Any] = [0.0] * len(layers)
    made = [0] * len(layers)
    for tick in range(inputs.shape[1]):
        spikes = inputs[:, tick]
        for k, layer in enumerate(layers):
            v = potentials[k] * 0.9375 + layer(spikes)
            fired = v >= thresholds[k]
            potentials[k] = torch.where(fired, 0.0, v)
            spikes = fired.float()
            made[k] += int(fired.sum())
    return made


def _mlp_layers(torch: Any) -> list[Layer]:
    sizes = (784, 512, 512, 10)
    matrices = [
        torch.tensor(int8_weights(101 + k, (sizes[k + 1], sizes[k])), dtype=torch.float32) for k in range(3)
    ]
    return [lambda x, matrix=matrix: x @ matrix.T for matrix in matrices]


def _cnn_layers(torch: Any) -> list[Layer]:
    kernels = [
        torch.tensor(int8_weights(seed, shape), dtype=torch.float32)
        for seed, shape in ((111, (16, 1, 5, 5)), (112, (32, 16, 3, 3)))
    ]
    dense = torch.tensor(int8_weights(113, (10, 800)), dtype=torch.float32)
    convolutions = [
        lambda x, kernel=kernel: torch.nn.functional.conv2d(x, kernel, stride=2) for kernel in kernels
    ]
    return [*convolutions, lambda x: x.flatten(1) @ dense.T]
