"""How far below its trained network is an MLP on a chip? Fashion-MNIST, one line a setting.

    python python/examples/measure_fashion_mlp.py --activation relu --settings ideal:4 loihi1+weights.bits=4:32

Trains 784-256-128-10 with plain numpy on the training images of Debian's package ``dataset-fashion-mnist`` and
converts it for each setting, PROFILE[+KEY=VALUE...]:TICKS. Calibration rows come from the training images; all
figures are of test images. Beside every accuracy stands that of the best weight copy.
"""

from __future__ import annotations

import argparse
import gzip
import tomllib
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import spikeloom as sl
from numpy.typing import NDArray
from spikeloom.ann.gradients import gradients, run_layers
from spikeloom.ann.graph import Ann, AnnLayer

FOLDER = Path("/usr/share/datasets/fashion-mnist")
SIZES = (784, 256, 128, 10)
BATCH, RATE = 128, 1e-3
Rows = NDArray[np.float64]
Labels = NDArray[np.uint8]


def read(folder: Path, part: str) -> tuple[Rows, Labels]:
    """Images (n, 784), 0..1, and labels (n,)."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784) / 255.0
    return pixels, np.frombuffer(labels, np.uint8, offset=8)


def train(rows: Rows, labels: Labels, activation: str, epochs: int, seed: int) -> Ann:
    """Adam on the cross entropy; the rate falls to 0."""
    rng = np.random.default_rng(seed)
    layers = tuple(
        AnnLayer(f"fc{k + 1}", rng.normal(size=(n, m)) * np.sqrt(2.0 / n), np.zeros(m),
                 activation if m != SIZES[-1] else "identity", (n,), (m,))
        for k, (n, m) in enumerate(zip(SIZES, SIZES[1:], strict=False))
    )  # fmt: skip
    moments = [
        (np.zeros_like(part), np.zeros_like(part)) for one in layers for part in (one.weights, one.bias)
    ]
    steps = epochs * (len(rows) // BATCH)
    for step in range(steps):
        if step % (len(rows) // BATCH) == 0:
            order = rng.permutation(len(rows))
        batch = order[(step * BATCH) % (len(rows) - BATCH + 1) :][:BATCH]
        layers = _one_step(layers, rows[batch], labels[batch], moments, step + 1, RATE * (1.0 - step / steps))
    return Ann(f"mlp-{activation}", (784,), layers, None, np.arange(784))


def _one_step(
    layers: tuple[AnnLayer, ...],
    x: Rows,
    y: Labels,
    moments: list[tuple[Rows, Rows]],
    step: int,
    rate: float,
) -> tuple[AnnLayer, ...]:
    inputs, z = run_layers(layers, x)
    chances = np.exp(z[-1] - z[-1].max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chances[np.arange(len(y)), y] -= 1.0
    found = gradients(layers, inputs, z, chances / len(y))
    moved = []
    for k, (layer, slope) in enumerate(zip(layers, found, strict=True)):
        parts = []
        for part, mine, (first, second) in zip(
            (layer.weights, layer.bias), (slope.weights, slope.bias), moments[2 * k : 2 * k + 2], strict=True
        ):
            first += 0.1 * (mine - first)
            second += 0.001 * (mine**2 - second)
            share = first / (1.0 - 0.9**step) / (np.sqrt(second / (1.0 - 0.999**step)) + 1e-8)
            parts.append(part - rate * share)
        moved.append(replace(layer, weights=parts[0], bias=parts[1]))
    return tuple(moved)


def profile_of(text: str) -> sl.Profile:
    """PROFILE[+KEY=VALUE...]."""
    name, *settings = text.split("+")
    override = {
        key: tomllib.loads(f"v = {value}")["v"] for key, value in (one.split("=") for one in settings)
    }
    return sl.load_profile(name, override=override)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--activation", default="relu", choices=("relu", "sigmoid", "tanh"))
    parser.add_argument("--settings", nargs="+", default=["ideal:4", "ideal:8", "ideal:32"])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--calibration", type=int, default=4000)
    parser.add_argument("--test", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows, labels = read(given.data, "train")
    ann = train(rows, labels, given.activation, given.epochs, given.seed)
    drawn = np.random.default_rng(given.seed).choice(len(rows), given.calibration, replace=False)
    x, y = (part[: given.test] for part in read(given.data, "t10k"))
    wanted = ann.predict(x)
    top = 100 * np.mean(wanted.argmax(axis=1) == y)
    print(f"{ann.name}: {top:.2f} % on {len(y)} test images", flush=True)
    for setting in given.settings:
        name, _, ticks = setting.rpartition(":")
        started = process_time()
        conversion = sl.convert(ann, profile_of(name), calibration=rows[drawn], ticks=int(ticks))
        seconds = process_time() - started
        line = []
        for program in (conversion.program, conversion.programs["copy"]):
            got = sl.emulate(program, x).outputs
            agreement = 100 * np.mean(got.argmax(axis=1) == wanted.argmax(axis=1))
            error = np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2)
            below = top - 100 * np.mean(got.argmax(axis=1) == y)
            line.append(f"{below:+.2f} below, {agreement:.2f} % agree, NMSE {error:.4f}")
        print(
            f"{setting}: {conversion.chosen}: {line[0]} | copy: {line[1]} | {seconds:.0f} s CPU", flush=True
        )


if __name__ == "__main__":
    main()
