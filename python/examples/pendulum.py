"""A policy that swings a pendulum up and holds it, trained by imitation with plain numpy; and how well one does it.

    python python/examples/pendulum.py --out nets

The pendulum is that of gymnasium's Pendulum-v1, all roll-outs of a batch in one array. The expert pumps energy
until the rod is nearly upright, then a linear-quadratic regulator holds it. The policy (3-64-64-1, rectifiers clipped
at 1, as a neuron that sends at most one spike a tick) learns the expert's torque on states all over the box and on
those that it meets itself (DAgger). Its hidden units are disturbed meanwhile, for a spiking copy only counts: half of
the batches see activations rounded up or down at random to a multiple of 1/LEVELS, the other half those that units
have which integrate and fire over a few ticks. What is judged as the trained network is the policy without either.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from fashion_networks import fresh
from numpy.typing import NDArray
from scipy.linalg import solve_discrete_are
from spikeloom.ann.adam import Adam
from spikeloom.ann.gradients import gradients
from spikeloom.ann.graph import Ann, AnnLayer

STEP, GRAVITY, TORQUE, FASTEST = 0.05, 10.0, 2.0, 8.0  # s, m/s^2, N m, rad/s; one metre, one kilogram
LENGTH, HELD = 200, 50  # steps of an episode; the last ones, in which the rod has to stand
UPRIGHT = 0.2  # rad off the top that still count as upright
SIZES = (3, 64, 64, 1)
NEAR, SLOW = 0.35, 1.5  # rad and rad/s within which the expert regulates
ROUNDS, ROLLOUTS, STEPS = 4, 60, 2500
LEVELS, TICKS = 8, (4, 8)  # that disturbed units can count to, and the windows of those that fire
Floats = NDArray[np.float64]
Policy = Callable[[Floats], Floats]
Layers = tuple[AnnLayer, ...]


def advance(state: Floats, torque: Floats) -> Floats:
    """States (n, 2), angle off the top and speed, one step later under torques (n,) within +-TORQUE."""
    angle, speed = state.T
    speed = np.clip(speed + (1.5 * GRAVITY * np.sin(angle) + 3.0 * torque) * STEP, -FASTEST, FASTEST)
    return np.stack([angle + STEP * speed, speed], axis=1)


def observed(state: Floats) -> Floats:
    """(n, 2) -> (n, 3) what the policy takes: cosine and sine of the angle, speed in units of the fastest."""
    return np.stack([np.cos(state[:, 0]), np.sin(state[:, 0]), state[:, 1] / FASTEST], axis=1)


def off_top(angle: Floats) -> Floats:
    """Angles in -pi..pi."""
    return np.asarray((angle + np.pi) % (2.0 * np.pi) - np.pi)


def regulator() -> Floats:
    """(2,) torque per rad and rad/s near the top."""
    a = np.array([[1.0 + STEP * STEP * 1.5 * GRAVITY, STEP], [STEP * 1.5 * GRAVITY, 1.0]])
    b = np.array([[3.0 * STEP * STEP], [3.0 * STEP]])
    cost = solve_discrete_are(a, b, np.diag([1.0, 0.1]), np.array([[0.1]]))
    return np.asarray(-np.linalg.solve(0.1 + b.T @ cost @ b, b.T @ cost @ a)[0])


def expert(state: Floats, gain: Floats) -> Floats:
    """(n,) torques for states (n, 2)."""
    angle, speed = off_top(state[:, 0]), state[:, 1]
    missing = 0.5 * GRAVITY * (1.0 - np.cos(angle)) - speed**2 / 6.0
    pump = 4.0 * missing * np.tanh(4.0 * speed) + 0.2 * np.where(np.abs(speed) < 0.05, 1.0, 0.0)
    hold = np.stack([angle, speed], axis=1) @ gain
    # Along the way to the top that no torque is needed for, angle and speed have unlike signs: one smooth measure.
    near = np.exp(-((angle / NEAR) ** 2) - ((speed + 3.0 * angle) / SLOW) ** 2)
    return np.asarray(np.clip(near * hold + (1.0 - near) * pump, -TORQUE, TORQUE))


def starts(rng: np.random.Generator, count: int) -> Floats:
    """(count, 2) as Pendulum-v1 starts: any angle, up to 1 rad/s."""
    return np.stack([rng.uniform(-np.pi, np.pi, count), rng.uniform(-1.0, 1.0, count)], axis=1)


def roll_out(policy: Policy, start: Floats) -> tuple[Floats, Floats, Floats]:
    """Success (n,), cost (n,) and all states met (LENGTH, n, 2) from starts (n, 2).

    policy: (n, 3) observations to (n, 1) torques. The cost is that of Pendulum-v1.
    """
    state, cost, met = start, np.zeros(len(start)), []
    stands = np.ones(len(start), dtype=np.bool_)
    for step in range(LENGTH):
        met.append(state)
        torque = np.clip(policy(observed(state))[:, 0], -TORQUE, TORQUE)
        angle = off_top(state[:, 0])
        cost += angle**2 + 0.1 * state[:, 1] ** 2 + 0.001 * torque**2
        state = advance(state, torque)
        if step >= LENGTH - HELD:
            stands &= np.abs(off_top(state[:, 0])) < UPRIGHT
    return stands.astype(np.float64), cost, np.stack(met)


def imitate(seed: int) -> tuple[Ann, Floats]:
    """The policy, and the observations (n, 3) that it meets in its last round of roll-outs."""
    rng, gain = np.random.default_rng(seed), regulator()
    states = np.stack([rng.uniform(-np.pi, np.pi, 20_000), rng.uniform(-FASTEST, FASTEST, 20_000)], axis=1)
    layers = _fresh(seed)
    for turn in range(ROUNDS):
        layers = _taught(layers, states, gain, rng, STEPS * (3 if turn == ROUNDS - 1 else 1))
        policy = _ann(layers)
        met = roll_out(policy.predict, starts(rng, ROLLOUTS))[2].reshape(-1, 2)
        states = np.concatenate([states, met])
    return policy, observed(met)


def _taught(layers: Layers, states: Floats, gain: Floats, rng: np.random.Generator, steps: int) -> Layers:
    adam, x, wanted = Adam(layers), observed(states), expert(states, gain)[:, None]
    for step in range(steps):
        rows = rng.integers(0, len(x), 256)
        inputs, z = _disturbed(layers, x[rows], rng)
        slope = 2.0 * (z[-1] - wanted[rows]) / len(rows)
        layers = adam.moved(layers, gradients(layers, inputs, z, slope), 3e-3 * (1.0 - step / steps))
    return layers


def _disturbed(layers: Layers, x: Floats, rng: np.random.Generator) -> tuple[list[Floats], list[Floats]]:
    """Inputs and pre-activations of every layer under one of the two disturbances."""
    ticks = int(rng.choice(TICKS))
    return _rounded(layers, x, rng) if rng.random() < 0.5 else _fired(layers, x, ticks, rng)


def _rounded(layers: Layers, x: Floats, rng: np.random.Generator) -> tuple[list[Floats], list[Floats]]:
    """Every hidden unit at a multiple of 1/LEVELS, right in the mean."""
    inputs, found = [x], [layers[0].preactivation(x)]
    for layer in layers[1:]:
        inputs.append(np.floor(np.clip(found[-1], 0.0, 1.0) * LEVELS + rng.random(found[-1].shape)) / LEVELS)
        found.append(layer.preactivation(inputs[-1]))
    return inputs, found


def _fired(
    layers: Layers, x: Floats, ticks: int, rng: np.random.Generator
) -> tuple[list[Floats], list[Floats]]:
    """Every hidden unit at its share of spikes; pre-activations such that the slope of 1 ends half a spike later."""
    inputs, found, half = [x], [], 0.5 / ticks
    drive = np.broadcast_to(layers[0].preactivation(x), (ticks, len(x), SIZES[1]))
    for layer in layers[1:]:
        found.append((drive.mean(axis=0) + half) / (1.0 + 2.0 * half))
        start = rng.random(drive.shape[1:]) if layer is layers[1] and rng.random() < 0.5 else 0.5
        spikes = _spikes(drive, start)
        inputs.append(spikes.mean(axis=0))
        drive = layer.preactivation(spikes.reshape(-1, layer.n_inputs)).reshape(ticks, len(x), -1)
    return inputs, [*found, drive.mean(axis=0)]


def _spikes(drive: Floats, start: Floats | float) -> Floats:
    """(ticks, rows, units) 0 or 1, of units that add up what drives them and subtract 1 when they fire."""
    potential, spikes = np.full(drive.shape[1:], start), np.empty(drive.shape)
    for tick, current in enumerate(drive):
        potential = potential + current
        spikes[tick] = potential >= 1.0
        potential = potential - spikes[tick]
    return spikes


def _fresh(seed: int) -> Layers:
    """Untrained layers."""
    first, second, last = fresh(SIZES, "relu", seed)
    hidden = (replace(one, activation="clip", activation_number=1.0) for one in (first, second))
    return (*hidden, last)


def _ann(layers: Layers) -> Ann:
    return Ann("pendulum", (SIZES[0],), layers, None, np.arange(SIZES[0]))


def trained(nets: Path, seed: int = 0) -> tuple[Ann, Floats]:
    """The policy and rows to calibrate it on, read from their file in ``nets``, or made and written there."""
    path = nets / "pendulum.npz"
    if not path.exists():
        policy, rows = imitate(seed)
        arrays = {
            f"{one.name}.{part}": getattr(one, part) for one in policy.layers for part in ("weights", "bias")
        }
        nets.mkdir(parents=True, exist_ok=True)
        np.savez(path, rows=rows, **arrays)
    with np.load(path) as saved:
        layers = tuple(
            replace(one, weights=saved[f"{one.name}.weights"], bias=saved[f"{one.name}.bias"])
            for one in _fresh(seed)
        )
        return _ann(layers), saved["rows"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("nets"))
    parser.add_argument("--episodes", type=int, default=200)
    given = parser.parse_args()
    begin, gain = starts(np.random.default_rng(12345), given.episodes), regulator()
    policy, _ = trained(given.out)

    def teacher(x: Floats) -> Floats:
        state = np.stack([np.arctan2(x[:, 1], x[:, 0]), x[:, 2] * FASTEST], axis=1)
        return expert(state, gain)[:, None]

    for name, one in (("expert", teacher), ("policy", policy.predict)):
        success, cost, _ = roll_out(one, begin)
        print(f"{name}: {100 * success.mean():.1f} % upright at the end, cost {cost.mean():.1f}", flush=True)


if __name__ == "__main__":
    main()
