"""Train the bundled cart-pole policy (4-32-32-2, ReLU) by imitation; write ``cartpole.onnx`` and its rows.

    python python/examples/train_cartpole.py --seed 0

Needs torch, gymnasium and scipy. The expert is the linear-quadratic regulator of the cart-pole linearised
about upright; its force, cut to the largest one, is what the difference of the student's two outputs learns,
on states all over the box and on those that the student itself meets (DAgger). CartPole-v1 only knows full
force to the left or to the right: its sign. Inputs, hidden activations and, in the roll-outs, the force are
disturbed: a spiking copy is coarse in all three, and a policy that was trained so minds it less.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import training
from numpy.typing import NDArray
from onnx import helper
from scipy.linalg import solve_discrete_are
from spikeloom.bundled.cartpole import episode_returns
from torch import nn

Floats = NDArray[np.floating]
STEP, FORCE, GRAVITY = 0.02, 10.0, 9.8  # of CartPole-v1, in s, N, m/s^2
CART, POLE, HALF = 1.0, 0.1, 0.5  # kg, kg, m
LARGEST = np.array([2.4, 2.5, 0.21, 3.0])  # m, m/s, rad, rad/s: an episode ends outside the first and third
USUAL = np.array([0.4, 0.8, 0.1, 0.8], np.float32)  # hardly any state of the disturbed roll-outs is larger
INPUT_SCALE = (1 / USUAL).astype(np.float32)
STATE_COST, FORCE_COST = np.array([1.0, 0.0, 10.0, 0.0]), 0.1  # the force in units of FORCE
SHARPNESS = 2.0  # of the expert: only the sign counts in the end, and a steeper force keeps away from 0
HORIZON = 500
ROUNDS, ROLLOUTS = 4, 40
BLUR, JITTER = 1 / 64, 0.04  # standard deviations; usual inputs lie in +-1, hidden activations below about 1
LOWEST = -1.5  # pre-activations are held above about this
LEAST = 0.1  # activation of a unit on average: none is left dead
SCORE_SEEDS = range(101, 106)  # those of the demo
CALIBRATION_SEED, EVALUATION_SEED = 1001, 1002  # of the stored roll-outs; their generator is not the score's


def step(state: Floats, force: Floats) -> NDArray[np.float64]:
    """States (n, 4) one step later, under forces (n,) in units of FORCE: the equations of CartPole-v1."""
    position, speed, angle, turn = np.asarray(state, np.float64).T
    sin, cos, mass = np.sin(angle), np.cos(angle), CART + POLE
    push = (FORCE * force + POLE * HALF * turn**2 * sin) / mass
    angular = (GRAVITY * sin - cos * push) / (HALF * (4 / 3 - POLE * cos**2 / mass))
    linear = push - POLE * HALF * angular * cos / mass
    rates = np.stack([speed, linear, turn, angular], axis=1)
    return np.asarray(state + STEP * rates)


class Expert:
    """Linear-quadratic regulator about upright in the middle, its force cut to +-1."""

    def __init__(self) -> None:
        small = 1e-5 * np.eye(5)  # four states and the force
        ahead, back = step(small[:, :4], small[:, 4]), step(-small[:, :4], -small[:, 4])
        slopes = (ahead - back) / 2e-5
        a, b = slopes[:4].T, slopes[4:].T
        cost = solve_discrete_are(a, b, np.diag(STATE_COST), np.array([[FORCE_COST]]))
        self.gain: Floats = -np.linalg.solve(FORCE_COST + b.T @ cost @ b, b.T @ cost @ a)[0]

    def __call__(self, observations: Floats) -> NDArray[np.float64]:
        """Half of minus and of plus the force, (n, 2): what the student's outputs learn."""
        force = np.clip(SHARPNESS * observations @ self.gain, -1, 1)
        return np.asarray(np.stack([-force, force], axis=1) / 2)


def roll_out(
    policy: Callable[[Floats], Floats], rng: np.random.Generator, episodes: int
) -> NDArray[np.float32]:
    """Observations (n, 4) met by the policy, starting off the middle, until the pole falls.

    Before its sign is taken, the policy's force is disturbed by noise and by a constant of each episode.
    """
    state: Floats = rng.uniform(-0.5, 0.5, (episodes, 4)) * USUAL
    constant = rng.uniform(-0.2, 0.2, episodes)
    met = []
    for _ in range(HORIZON):
        met.append(state.astype(np.float32))
        outputs = policy(met[-1])
        force = outputs[:, 1] - outputs[:, 0] + constant + 0.2 * rng.normal(size=len(state))
        state = step(state, np.where(force > 0, 1.0, -1.0))
        stands = (np.abs(state) < LARGEST)[:, ::2].all(axis=1)
        state, constant = state[stands], constant[stands]
    return np.concatenate(met)


class Student(nn.Module):  # type: ignore[misc]
    """The policy as the file holds it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(4, 32), nn.Linear(32, 32), nn.Linear(32, 2)

    def forward(self, scaled: torch.Tensor) -> torch.Tensor:
        """Outputs (n, 2) for scaled observations (n, 4)."""
        return self.disturbed(scaled, 0.0)[0]

    def disturbed(self, scaled: torch.Tensor, jitter: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Outputs (n, 2) with pre-activations disturbed by ``jitter``; a penalty for leaving the range."""
        active, outside = scaled, torch.zeros(())
        for layer in (self.fc1, self.fc2):
            before = layer(active)
            outside = outside + torch.relu(before - 1).square().mean()
            outside = outside + torch.relu(LOWEST - before).square().mean()
            outside = outside + torch.relu(LEAST - torch.relu(before).mean(dim=0)).mean()
            active = torch.relu(before + jitter * torch.randn(before.shape))
        return self.fc3(active), outside

    def act(self, observations: Floats) -> NDArray[np.float32]:
        """Outputs (n, 2) for raw observations (n, 4)."""
        with torch.no_grad():
            scaled = torch.from_numpy(np.asarray(observations, np.float32) * INPUT_SCALE)
            return np.asarray(self.forward(scaled).numpy())


def fit(student: Student, observations: Floats, wanted: Floats, *, steps: int, rate: float) -> None:
    """Regress the outputs (n, 2) on blurred observations (n, 4); the rate falls to zero along a cosine."""
    x = torch.from_numpy(np.asarray(observations * INPUT_SCALE, np.float32))
    y = torch.from_numpy(wanted.astype(np.float32))
    optimiser = torch.optim.AdamW(student.parameters(), lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        rows = torch.randint(0, len(x), (256,))
        guess, outside = student.disturbed(x[rows] + BLUR * torch.randn(256, 4), JITTER)
        loss = (guess - y[rows]).square().mean() + 0.1 * outside
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def imitate(expert: Expert, rng: np.random.Generator) -> Student:
    """DAgger: start from states all over the box, add what the student meets, label all by the expert."""
    student = Student()
    observations = rng.uniform(-1, 1, (10_000, 4)) * LARGEST
    for _ in range(ROUNDS):
        fit(student, observations, expert(observations), steps=1000, rate=3e-3)
        observations = np.concatenate([observations, roll_out(student.act, rng, ROLLOUTS)])
    fit(student, observations, expert(observations), steps=8_000, rate=3e-3)
    return student


def write(student: Student, path: Path, note: str) -> None:
    """Write the policy on raw observations, its dense layers as MatMul and Add."""
    constants = {"scale": INPUT_SCALE}
    for name, value in student.named_parameters():
        constants[name] = value.detach().numpy().T
    nodes = [helper.make_node("Mul", ["x", "scale"], ["h0"], name="scaling")]
    for i in (1, 2, 3):
        nodes.append(helper.make_node("MatMul", [f"h{i - 1}", f"fc{i}.weight"], [f"s{i}"], name=f"fc{i}"))
        nodes.append(
            helper.make_node("Add", [f"s{i}", f"fc{i}.bias"], [f"a{i}" if i < 3 else "y"], name=f"bias{i}")
        )
        if i < 3:
            nodes.append(helper.make_node("Relu", [f"a{i}"], [f"h{i}"], name=f"relu{i}"))
    training.write_model(path, nodes, constants, input_shape=(4,), outputs=2, note=note)


def write_rows(student: Student, path: Path) -> None:
    """Store observations of disturbed roll-outs: 2000 to calibrate on and, from others, 500 to judge on."""
    rows = {}
    for name, seed, count in (("calibration", CALIBRATION_SEED, 2000), ("evaluation", EVALUATION_SEED, 500)):
        rng = np.random.default_rng(seed)
        rows[name] = rng.permutation(roll_out(student.act, rng, 50))[:count]
    np.savez_compressed(path, **rows)  # type: ignore[arg-type]


def scores(policy: Callable[[Floats], Floats]) -> str:
    """Mean return on each score seed, and over all of them, as text."""
    means = episode_returns(policy, SCORE_SEEDS).mean(axis=1)
    return " ".join(f"{mean:6.1f}" for mean in means) + f"   mean {means.mean():6.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=training.BUNDLED_FOLDER, help="folder to write to")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    torch.use_deterministic_algorithms(True)
    expert = Expert()
    student = imitate(expert, np.random.default_rng(args.seed))
    path = args.out / "cartpole.onnx"
    write(student, path, f"CartPole-v1, raw observations; train_cartpole.py --seed {args.seed}")
    write_rows(student, args.out / "cartpole.npz")
    with np.load(args.out / "cartpole.npz") as rows:
        training.check_model(path, rows["evaluation"], student.act(rows["evaluation"]))
    rng = np.random.default_rng(args.seed)
    coarse = USUAL / 32
    print("cartpole  expert            ", scores(expert))
    print("cartpole  policy            ", scores(student.act))
    print(
        "cartpole  output noise 0.2  ", scores(lambda x: student.act(x) + 0.2 * rng.normal(size=(len(x), 2)))
    )
    print("cartpole  inputs in 32 steps", scores(lambda x: student.act(np.round(x / coarse) * coarse)))


if __name__ == "__main__":
    main()
