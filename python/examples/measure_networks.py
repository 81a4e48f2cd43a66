"""How far below its trained network does a converted or a pruned one end? One table, one line a figure.

    python python/examples/measure_networks.py --nets nets --figures few pruning --seeds 3

Trains what is not there yet (``fashion_networks.py``, ``pendulum.py``; the CNN is the bundled one). Calibration rows
come from the training images, another draw for each seed; figures are of all test images: points below the trained
network, mean and spread over the seeds, beside them those of the best weight copy, and the bar that is asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any, Literal

import fashion_networks
import numpy as np
import pendulum
import spikeloom as sl
from numpy.typing import NDArray
from spikeloom.ann.graph import Ann
from spikeloom.bundled.load import load_bundle
from spikeloom.errors import FitError
from spikeloom.flows.conversion.smaller.distillation import distil
from spikeloom.flows.conversion.smaller.pruning import prune_network

Rows = NDArray[np.float64]
# Calibration rows; 4000 for the others, and for a CNN's conversions. Smaller networks learn from more.
ROWS = {"few": 12000, "pruning": 40000, "policy": 2000, "policy pruning": 8000}
EPISODES = 200


@dataclass(frozen=True)
class Figure:
    """A conversion and the points below the trained network that are allowed; None: reported only."""

    group: str
    net: str
    profile: str
    ticks: int
    bar: float | None
    override: dict[str, Any] = field(default_factory=dict)
    encoding: str | None = None
    overshoot: Literal["lose", "keep"] = "lose"
    neurons_per_unit: int = 1

    @property
    def name(self) -> str:
        """Net, chip, settings and ticks in one word."""
        settings = "".join(f" {key.split('.')[-1]} {value}" for key, value in self.override.items())
        settings += f" {self.encoding}" if self.encoding is not None else ""
        settings += " keep" if self.overshoot == "keep" else ""
        settings += f" x{self.neurons_per_unit}" if self.neurons_per_unit > 1 else ""
        return f"{self.net} {self.profile}{settings} T={self.ticks}"


def _grid(bits: int, mlp: float | None, cnn: float | None) -> tuple[Figure, Figure]:
    override = {"weights.bits": bits}
    return (
        Figure("grid", "relu", "loihi1", 32, mlp, override),
        Figure("grid", "cnn", "loihi1", 32, cnn, override),
    )


HARD = {"operation.fire.reset": "zero"}
LEAKY = {"params.decay_v.default": 205}  # of 4096 in every tick: a time constant of 20 ticks
# Settings beyond the default were chosen on the last 6000 training images, which are no calibration rows; only the
# bundled CNN has learned from them.
FIGURES = (
    Figure("few", "relu", "ideal", 2, 1.5, encoding="current"),
    Figure("few", "relu", "ideal", 4, 0.5, encoding="current"),
    Figure("few", "relu", "ideal", 8, 0.3, encoding="current"),
    Figure("few", "cnn", "ideal", 8, 1.0, encoding="current"),
    Figure("many", "relu", "ideal", 32, 0.2),
    Figure("many", "cnn", "ideal", 32, None),
    Figure("many", "cnn", "ideal", 32, 0.4, encoding="current", neurons_per_unit=2),
    Figure("many", "relu", "loihi1", 32, None),
    Figure("many", "relu", "loihi1", 32, None, overshoot="keep"),
    Figure("many", "relu", "ideal", 32, None, HARD),
    Figure("many", "relu", "ideal", 32, None, HARD, overshoot="keep"),
    Figure("many", "relu", "ideal", 32, None, HARD, overshoot="keep", neurons_per_unit=2),
    Figure("many", "relu", "loihi1", 64, 0.3, LEAKY),
    Figure("pairs", "tanh", "ideal", 64, 0.6),
    Figure("pairs", "tanh", "loihi1", 64, 1.2, LEAKY),
    Figure("pairs", "sigmoid", "ideal", 64, None),
    Figure("pairs", "sigmoid", "ideal", 64, None, neurons_per_unit=2),
    Figure("deep", "six", "loihi1", 64, None),
    Figure("deep", "six", "loihi1", 64, None, neurons_per_unit=2),
    Figure("deep", "six", "loihi1", 64, 0.5, overshoot="keep", neurons_per_unit=2),
    *_grid(4, 0.2, 0.7),
    *_grid(3, 0.4, 1.0),
    *_grid(2, 0.8, 2.5),
    *_grid(1, None, None),
)
PRUNING = {"relu": {0.5: 0.1, 0.25: 0.8, 0.1: 3.5}, "cnn": {0.75: 0.4, 0.5: 1.3, 0.25: 7.5}}
POLICY = (("ideal", 4, 95, None), ("ideal", 8, 100, 1.05), ("loihi1", 8, 95, None), ("loihi1", 16, 100, 1.10),
          ("loihi1", 32, 100, 1.05))  # fmt: skip
# Two neurons share a unit, out of step; on Loihi 1 they keep what a reset to zero would lose. Chosen on starts of
# their own, `pendulum.starts(np.random.default_rng(777), 200)`: with one neuron a draw of calibration rows in four
# costs a fifth more on `ideal` in 8 ticks.
POLICY_OPTIONS: dict[str, dict[str, Any]] = {
    "ideal": {"encoding": "current", "neurons_per_unit": 2},
    "loihi1": {"encoding": "bits", "neurons_per_unit": 2, "overshoot": "keep"},
}


@dataclass(frozen=True, eq=False)
class Task:
    """A trained network, rows to draw calibration rows from, and what it is judged on."""

    ann: Ann
    rows: Rows
    test: Rows
    labels: NDArray[np.uint8]

    def drawn(self, count: int, seed: int) -> Rows:
        """Calibration rows of one seed."""
        return self.rows[np.random.default_rng(seed).choice(len(self.rows), count, replace=False)]

    def accuracy(self, outputs: Rows) -> float:
        """Percent."""
        return 100.0 * float(np.mean(outputs.argmax(axis=1) == self.labels))


def task_of(net: str, data: Path, nets: Path, test: int) -> Task:
    """The images as the network takes them; its own training images, of which it never saw the last ones."""
    rows = fashion_networks.read(data, "train")[0][: -fashion_networks.LEFT_OUT]
    x, y = (part[:test] for part in fashion_networks.read(data, "t10k"))
    if net != "cnn":
        return Task(fashion_networks.trained(net, data, nets), rows, x, y)
    image = (-1, 1, 28, 28)
    cnn = sl.load_ann(load_bundle("cnn").onnx_path)
    return Task(cnn, 255.0 * rows.reshape(image), 255.0 * x.reshape(image), y)


def converted(figure: Figure, task: Task, seeds: int) -> str:
    """Points below, agreement and error, of the winner and of the copy."""
    wanted, profile = task.ann.predict(task.test), sl.load_profile(figure.profile, override=figure.override)
    found: dict[str, list[tuple[float, ...]]] = {"chosen": [], "copy": []}
    for seed in range(seeds):
        rows = task.drawn(rows_for(figure.group, figure.net), seed)
        options = {"ticks": figure.ticks, "seed": seed, "encoding": figure.encoding,
                   "overshoot": figure.overshoot, "neurons_per_unit": figure.neurons_per_unit}  # fmt: skip
        conversion = sl.convert(task.ann, profile, calibration=rows, **options)
        programs = {"chosen": conversion.program, "copy": conversion.programs["copy"]}
        for name, program in programs.items():
            got = sl.emulate(program, task.test).outputs
            agreement = 100.0 * float(np.mean(got.argmax(axis=1) == wanted.argmax(axis=1)))
            error = float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2))
            found[name].append((task.accuracy(wanted) - task.accuracy(got), agreement, error))
    parts = []
    for values in found.values():
        (below, agreement, error), spread = np.mean(values, axis=0), np.std(values, axis=0)[0]
        parts.append(f"{below:+.2f} +- {spread:.2f}, {agreement:.2f} %, {error:.4f}")
    return f"{parts[0]:32}{parts[1]:32}{'-' if figure.bar is None else figure.bar}"


def rows_for(group: str, net: str) -> int:
    """Calibration rows: a CNN's layers have fewer inputs, and its images are many patches each."""
    return 4000 if net == "cnn" and group != "pruning" else ROWS.get(group, 4000)


def pruned(net: str, share: float, task: Task, seeds: int) -> tuple[float, float, float]:
    """Points below with distillation, their spread, and with the refit only."""
    top, found = task.accuracy(task.ann.predict(task.test)), []
    for seed in range(seeds):
        rows = task.drawn(rows_for("pruning", net), seed)
        small, _ = prune_network(task.ann, rows, sizes_of(task.ann, share), seed=seed)
        nets = distil(small, task.ann, rows, seed=seed), small
        found.append([top - task.accuracy(net.predict(task.test)) for net in nets])
    (taught, refit), spread = np.mean(found, axis=0), np.std(found, axis=0)[0]
    return float(taught), float(spread), float(refit)


def sizes_of(ann: Ann, share: float) -> dict[str, int]:
    """This share of every hidden layer's nodes."""
    return {layer.name: max(1, round(share * layer.output_shape[-1])) for layer in ann.layers[:-1]}


def policies(nets: Path, seeds: int) -> Iterator[str]:
    """Success and cost of the pendulum's policy on chips and pruned, each over the same starts."""
    ann, rows = pendulum.trained(nets)
    begin = pendulum.starts(np.random.default_rng(12345), EPISODES)

    def judged(policy: pendulum.Policy, start: Rows) -> tuple[float, float]:
        success, cost, _ = pendulum.roll_out(policy, start)
        return 100.0 * float(success.mean()), float(cost.mean())

    top = judged(ann.predict, begin)
    yield f"{'policy':36}{top[0]:.0f} %, cost {top[1]:.1f}"

    def tried(policy: pendulum.Policy) -> float:
        success, cost = judged(policy, pendulum.starts(np.random.default_rng(99), 100))
        return 1000.0 * success - cost

    def drawn(seed: int, use: str = "policy") -> Rows:
        return rows[np.random.default_rng(seed).choice(len(rows), ROWS[use], replace=False)]

    for profile, ticks, success, cost in POLICY:
        scores = []
        for seed in range(seeds):
            conversion = sl.convert(
                ann, profile, calibration=drawn(seed), ticks=ticks, environment=tried, seed=seed,
                **POLICY_OPTIONS[profile],
            )  # fmt: skip
            scores.append([*judged(_acting(conversion.program), begin),
                           *judged(_acting(conversion.programs["copy"]), begin)])  # fmt: skip
        mine = np.mean(scores, axis=0)
        yield (f"{f'policy {profile} T={ticks}':36}{f'{mine[0]:.0f} %, {mine[1] / top[1]:.2f} x':32}"
               f"{f'{mine[2]:.0f} %, {mine[3] / top[1]:.2f} x':32}{success} %, {cost or '-'}")  # fmt: skip
    small = [
        prune_network(ann, drawn(seed, "policy pruning"), sizes_of(ann, 0.5), seed=seed)[0]
        for seed in range(5)
    ]
    found = [judged(net.predict, begin)[0] for net in small]
    yield f"{'policy, 50 % of the nodes':36}{' '.join(f'{one:.0f}' for one in found):64}100 % on 5 of 5"


def _acting(program: sl.ChipProgram) -> Callable[[Rows], Rows]:
    return lambda x: sl.emulate(program, x).outputs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    groups = sorted({figure.group for figure in FIGURES} | {"pruning", "policy"})
    parser.add_argument("--data", type=Path, default=fashion_networks.FOLDER)
    parser.add_argument("--nets", type=Path, default=Path("nets"))
    parser.add_argument("--figures", nargs="+", default=groups, choices=groups)
    parser.add_argument("--seeds", type=int, default=3, help="draws of calibration rows")
    parser.add_argument("--test", type=int, default=10_000, help="test images")
    parser.add_argument("--only", default="", help="part of the figure's name")
    given = parser.parse_args()
    print(f"{'figure':36}{'below it, agrees, NMSE':32}{'weight copy':32}bar", flush=True)
    for figure in FIGURES:
        if figure.group in given.figures and given.only in figure.name:
            started = process_time()
            task = task_of(figure.net, given.data, given.nets, given.test)
            try:
                line = converted(figure, task, given.seeds)
            except FitError as refusal:  # as one bit, which holds no two signs, on loihi1
                line = f"refused: {refusal}"
            print(f"{figure.name:36}{line}   ({process_time() - started:.0f} s CPU)", flush=True)
    for net, bars in PRUNING.items() if "pruning" in given.figures else ():
        for share, bar in bars.items():
            if given.only in net:
                task = task_of(net, given.data, given.nets, given.test)
                taught, spread, refit = pruned(net, share, task, given.seeds)
                print(f"{f'{net}, {100 * share:.0f} % of the nodes':36}{f'{taught:+.2f} +- {spread:.2f}':32}"
                      f"{f'refit only {refit:+.2f}':32}{bar}", flush=True)  # fmt: skip
    for line in policies(given.nets, given.seeds) if "policy" in given.figures else ():
        print(line, flush=True)


if __name__ == "__main__":
    main()
