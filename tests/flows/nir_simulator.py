"""A NIR chain in plain loops and real numbers, by Euler's rule: written from NIR's pages, not from our reader.

Signals are channels-first. Spikes of neurons arrive a tick later, those of the input at once, as on a chip.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def simulate(chain: list[Any], spikes: Array, dt: float) -> list[Array]:
    """Spikes (ticks, *shape) through nodes -> spikes of each neuron node, (ticks, *shape)."""
    signal, found, reached_by_neurons = spikes.astype(float), [], False
    for node in chain:
        kind = type(node).__name__
        if kind in ("IF", "LIF", "CubaLIF"):
            late = np.concatenate([np.zeros_like(signal[:1]), signal[:-1]]) if reached_by_neurons else signal
            signal = _neurons(node, late, dt)
            found.append(signal)
            reached_by_neurons = True
        elif kind == "Delay":
            ticks = int(round(float(np.ravel(node.delay)[0]) / dt))
            signal = np.concatenate([np.zeros_like(signal[:ticks]), signal[: len(signal) - ticks]])
        else:
            signal = np.stack([_linear(node, kind, x) for x in signal])
    return found


def _neurons(node: Any, drive: Array, dt: float) -> Array:
    v, current = np.zeros(drive.shape[1:]), np.zeros(drive.shape[1:])
    spikes = np.zeros_like(drive)
    for t, x in enumerate(drive):
        kind = type(node).__name__
        if kind == "CubaLIF":
            current = current + dt / node.tau_syn * (node.w_in * x - current)
        else:
            current = x
        if kind == "IF":
            v = v + dt * node.r * current
        else:
            tau = node.tau if kind == "LIF" else node.tau_mem
            v = v + dt / tau * (node.v_leak - v + node.r * current)
        spikes[t] = v > node.v_threshold
        v = np.where(spikes[t] > 0, node.v_reset, v)
    return spikes


def _linear(node: Any, kind: str, x: Array) -> Array:
    if kind in ("Affine", "Linear"):
        return np.asarray(node.weight @ x.ravel() + getattr(node, "bias", 0.0))
    if kind == "Scale":
        return np.asarray(node.scale * x)
    if kind == "Flatten":
        return x.ravel()
    if kind == "Conv1d":
        sides = [(1, int(v)) for v in (node.stride, node.dilation)]
        return _conv(node, node.weight[:, :, None], x[:, None], *sides, (0, int(node.padding)))[:, 0]
    if kind == "Conv2d":
        return _conv(node, node.weight, x, node.stride, node.dilation, node.padding)
    return _pool(node, kind, x)


def _conv(node: Any, weight: Array, x: Array, stride: Any, dilation: Any, padding: Any) -> Array:
    n_out, n_in, ky, kx = weight.shape
    if padding == "same":  # "same": as much output as input, the odd zero behind
        totals = [(ky - 1) * dilation[0], (kx - 1) * dilation[1]]
        sides = [(total // 2, total - total // 2) for total in totals]
    else:
        sides = [(side, side) for side in padding]
    padded = np.pad(x, ((0, 0), *sides))
    height = (padded.shape[1] - (ky - 1) * dilation[0] - 1) // stride[0] + 1
    width = (padded.shape[2] - (kx - 1) * dilation[1] - 1) // stride[1] + 1
    out = np.zeros((n_out, height, width)) + np.reshape(node.bias, (-1, 1, 1))
    for o, y, c, i, a, b in product(*map(range, (n_out, height, width, n_in, ky, kx))):
        channel = o // (n_out // int(node.groups)) * n_in + i
        out[o, y, c] += (
            weight[o, i, a, b]
            * padded[channel, y * stride[0] + a * dilation[0], c * stride[1] + b * dilation[1]]
        )
    return out


def _pool(node: Any, kind: str, x: Array) -> Array:
    (ky, kx), (sy, sx), (py, px) = node.kernel_size, node.stride, node.padding
    padded = np.pad(x, ((0, 0), (py, py), (px, px)))
    out = np.zeros((len(x), (padded.shape[1] - ky) // sy + 1, (padded.shape[2] - kx) // sx + 1))
    for y, c in product(range(out.shape[1]), range(out.shape[2])):
        out[:, y, c] = padded[:, y * sy : y * sy + ky, c * sx : c * sx + kx].sum(axis=(1, 2))
    return out / (ky * kx) if kind == "AvgPool2d" else out
