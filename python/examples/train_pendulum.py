"""Train the bundled pendulum policy (3-64-64-1, ReLU) by imitation; write ``pendulum.onnx`` and its rows.

    python python/examples/train_pendulum.py --seed 0

Needs torch and gymnasium. The expert looks one step ahead in a cost-to-go that dynamic programming finds on
a grid of angles and speeds, with torque noise inside the recursion, so that it prefers plans which survive
an inexact torque. The student learns the expert's torque on states that the student itself meets (DAgger).
Its inputs, its hidden activations and, in the roll-outs, its torque are disturbed: a spiking copy is coarse
in all three, and a policy that was trained so minds it less.
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
from spikeloom.bundled.pendulum import episode_returns
from torch import nn

Floats = NDArray[np.floating]
ANGLES, SPEEDS = 181, 181  # grid points over [-pi, pi) and [-8, 8] rad/s
TORQUES = np.linspace(-2.0, 2.0, 33)
INPUT_SCALE = np.array([1, 1, 1 / 8], np.float32)  # brings cos, sin and rad/s into [-1, 1]
HORIZON = 200
ROUNDS, ROLLOUTS = 12, 100
BLUR, JITTER = 0.015, 0.03  # standard deviations; inputs lie in +-1, hidden activations below about 1
SCORE_SEEDS = range(101, 106)  # those of the demo
CALIBRATION_SEED, EVALUATION_SEED = 1001, 1002  # of the stored roll-outs; their generator is not the score's


def step(angle: Floats, speed: Floats, torque: Floats) -> tuple[Floats, Floats]:
    """One step of 50 ms of Pendulum-v1 (g = 10, m = l = 1): angle in rad from upright, speed in rad/s."""
    speed = np.clip(speed + (15 * np.sin(angle) + 3 * torque) * 0.05, -8, 8)
    return angle + speed * 0.05, speed


def cost(angle: Floats, speed: Floats, torque: Floats) -> Floats:
    """Negative reward of Pendulum-v1 for acting in this state."""
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    return np.asarray(np.square(angle) + 0.1 * speed**2 + 0.001 * torque**2)


def observe(angle: Floats, speed: Floats) -> NDArray[np.float32]:
    """Observations (n, 3) of states (n,)."""
    return np.stack([np.cos(angle), np.sin(angle), speed], axis=1).astype(np.float32)


class Expert:
    """Nearly optimal torques from a cost-to-go on the grid."""

    def __init__(self) -> None:
        angles = -np.pi + 2 * np.pi * np.arange(ANGLES) / ANGLES
        state = np.meshgrid(angles, np.linspace(-8, 8, SPEEDS), TORQUES, indexing="ij")
        index, share = self._corners(*step(*state))
        paid = cost(*state).astype(np.float32)
        self._to_go: Floats = np.zeros(ANGLES * SPEEDS, np.float32)
        for _ in range(HORIZON):
            self._to_go = self._blur(paid + self._future(index, share)).min(axis=-1).reshape(-1)

    def __call__(self, observations: Floats) -> NDArray[np.float64]:
        """Torques (n, 1) for observations (n, 3): a narrow soft minimum, so that the answer is continuous."""
        angle = np.arctan2(observations[:, 1:2], observations[:, :1]).astype(np.float64)
        speed = observations[:, 2:].astype(np.float64)
        index, share = self._corners(*step(angle, speed, TORQUES))
        value = self._blur(cost(angle, speed, TORQUES) + self._future(index, share))
        chance = np.exp((value.min(axis=1, keepdims=True) - value) / 0.003)
        return np.asarray((chance @ TORQUES / chance.sum(axis=1))[:, None])

    def _future(self, index: NDArray[np.int32], share: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cost-to-go between the grid points of `_corners`."""
        return np.asarray(sum(f * self._to_go[i] for i, f in zip(index, share, strict=True)))

    @staticmethod
    def _corners(angle: Floats, speed: Floats) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Flat grid indices and shares, (4, ...) each, of bilinear interpolation; the angle wraps."""
        a, b = (angle + np.pi) / (2 * np.pi) * ANGLES % ANGLES, (speed + 8) / 16 * (SPEEDS - 1)
        i, j = np.minimum(a.astype(int), ANGLES - 1), np.minimum(b.astype(int), SPEEDS - 2)
        right, up, next_i = a - i, b - j, (i + 1) % ANGLES
        index = np.stack([i * SPEEDS + j, i * SPEEDS + j + 1, next_i * SPEEDS + j, next_i * SPEEDS + j + 1])
        share = np.stack([(1 - right) * (1 - up), (1 - right) * up, right * (1 - up), right * up])
        return index.astype(np.int32), share.astype(np.float32)

    @staticmethod
    def _blur(value: Floats) -> Floats:
        """Mean over the torque really applied: the neighbours on the last axis weigh 1/4, 1/2, 1/4."""
        padded = np.concatenate([value[..., :1], value, value[..., -1:]], axis=-1)
        return np.asarray(0.25 * padded[..., :-2] + 0.5 * padded[..., 1:-1] + 0.25 * padded[..., 2:])


def roll_out(
    policy: Callable[[Floats], Floats], rng: np.random.Generator, episodes: int, noise: float
) -> NDArray[np.float32]:
    """Observations (HORIZON * episodes, 3) met by the policy with normal torque noise of ``noise`` N m."""
    angle: Floats = rng.uniform(-np.pi, np.pi, episodes)
    speed: Floats = rng.uniform(-1, 1, episodes)
    met = []
    for _ in range(HORIZON):
        met.append(observe(angle, speed))
        torque = policy(met[-1])[:, 0] + noise * rng.normal(size=episodes)
        angle, speed = step(angle, speed, np.clip(torque, -2, 2))
    return np.concatenate(met)


class Student(nn.Module):  # type: ignore[misc]
    """The policy as the file holds it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(3, 64), nn.Linear(64, 64), nn.Linear(64, 1)

    def forward(self, scaled: torch.Tensor) -> torch.Tensor:
        """Torques (n, 1) for scaled observations (n, 3)."""
        return self.disturbed(scaled, 0.0)[0]

    def disturbed(self, scaled: torch.Tensor, jitter: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Torques (n, 1) with active nodes disturbed by ``jitter``; mean square of activation above 1."""
        active, above = scaled, torch.zeros(())
        for layer in (self.fc1, self.fc2):
            active = torch.relu(layer(active))
            above = above + torch.relu(active - 1).square().mean()
            active = active + jitter * (active > 0) * torch.randn(active.shape)
        return self.fc3(active), above

    def act(self, observations: Floats) -> NDArray[np.float32]:
        """Torques (n, 1) for raw observations (n, 3)."""
        with torch.no_grad():
            scaled = torch.from_numpy(np.asarray(observations, np.float32) * INPUT_SCALE)
            return np.asarray(self.forward(scaled).numpy())


def fit(student: Student, observations: Floats, torques: Floats, *, steps: int, rate: float) -> None:
    """Regress the torques (n, 1) on blurred observations (n, 3); the rate falls to zero along a cosine."""
    x = torch.from_numpy(observations * INPUT_SCALE)
    y = torch.from_numpy(torques.astype(np.float32))
    optimiser = torch.optim.AdamW(student.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        rows = torch.randint(0, len(x), (512,))
        guess, above = student.disturbed(x[rows] + BLUR * torch.randn(512, 3), JITTER)
        loss = nn.functional.smooth_l1_loss(guess, y[rows]) + above
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def imitate(expert: Expert, rng: np.random.Generator) -> Student:
    """DAgger: start from states all over the plane, add what the student meets, label all by the expert."""
    student = Student()
    observations = observe(rng.uniform(-np.pi, np.pi, 20_000), rng.uniform(-8, 8, 20_000))
    for _ in range(ROUNDS):
        fit(student, observations, expert(observations), steps=1500, rate=2e-3)
        observations = np.concatenate([observations, roll_out(student.act, rng, ROLLOUTS, noise=0.3)])
    fit(student, observations, expert(observations), steps=30_000, rate=2e-3)
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
    training.write_model(path, nodes, constants, input_shape=(3,), outputs=1, note=note)


def write_rows(student: Student, path: Path) -> None:
    """Store observations of explored roll-outs: 2000 to calibrate on and, from others, 500 to judge on."""
    rows = {}
    for name, seed, count in (("calibration", CALIBRATION_SEED, 2000), ("evaluation", EVALUATION_SEED, 500)):
        rng = np.random.default_rng(seed)
        rows[name] = rng.permutation(roll_out(student.act, rng, 50, noise=0.3))[:count]
    np.savez_compressed(path, **rows)  # type: ignore[arg-type]


def scores(policy: Callable[[Floats], Floats]) -> str:
    """Mean return on each score seed, and over all of them, as text."""
    means = episode_returns(policy, SCORE_SEEDS).mean(axis=1)
    return " ".join(f"{mean:7.1f}" for mean in means) + f"   mean {means.mean():7.2f}"


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
    path = args.out / "pendulum.onnx"
    write(student, path, f"Pendulum-v1, raw observations; train_pendulum.py --seed {args.seed}")
    write_rows(student, args.out / "pendulum.npz")
    with np.load(args.out / "pendulum.npz") as rows:
        training.check_model(path, rows["evaluation"], student.act(rows["evaluation"]))
    rng = np.random.default_rng(args.seed)
    coarse = 1 / 32 * np.array([1, 1, 8])
    print("pendulum  expert            ", scores(expert))
    print("pendulum  policy            ", scores(student.act))
    print(
        "pendulum  torque noise 0.1  ", scores(lambda x: student.act(x) + 0.1 * rng.normal(size=(len(x), 1)))
    )
    print("pendulum  inputs in 32 steps", scores(lambda x: student.act(np.round(x / coarse) * coarse)))


if __name__ == "__main__":
    main()
