"""Dense networks on Fashion-MNIST, trained with plain numpy and nothing that looks ahead to a chip.

    python python/examples/fashion_networks.py --out nets

Needs Debian's package ``dataset-fashion-mnist``. Writes one file for each of NETWORKS; a name that has its file is
not trained again. Cross entropy by Adam, its rate falling to 0, with dropout and weight decay (decoupled, Loshchilov
and Hutter 2019). The last 6000 training images are left out and never shown to a network: settings may be compared
on them. There decay costs some tenths of a point, and wins as much back wherever the network is made smaller.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spikeloom.ann.adam import Adam
from spikeloom.ann.gradients import gradients
from spikeloom.ann.graph import Ann, AnnLayer

FOLDER = Path("/usr/share/datasets/fashion-mnist")
LEFT_OUT = 6000
BATCH, RATE = 128, 1e-3
Rows = NDArray[np.float64]
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Recipe:
    """A network and how it learns.

    activation: between the layers; dropout: share of hidden nodes that a step leaves out
    decay: of the weights in every step, in units of its rate
    """

    sizes: tuple[int, ...]
    activation: str
    epochs: int = 20
    dropout: float = 0.2
    decay: float = 0.2


NETWORKS = {
    "relu": Recipe((784, 256, 128, 10), "relu"),
    "sigmoid": Recipe((784, 256, 128, 10), "sigmoid"),
    "tanh": Recipe((784, 256, 128, 10), "tanh"),
    "six": Recipe((784, *6 * (200,), 10), "sigmoid", 20, dropout=0.0, decay=0.0),
}


def read(folder: Path, part: str) -> tuple[Rows, Labels]:
    """Images (n, 784), 0..1, and labels (n,) of ``part`` "train" (n = 60000) or "t10k" (n = 10000)."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784) / 255.0
    return pixels, np.frombuffer(labels, np.uint8, offset=8)


def trained(name: str, data: Path, nets: Path, seed: int = 0) -> Ann:
    """The network of this name, read from its file in ``nets``, or trained and written there."""
    path, recipe = nets / f"{name}.npz", NETWORKS[name]
    if not path.exists():
        rows, labels = read(data, "train")
        layers = train(rows[:-LEFT_OUT], labels[:-LEFT_OUT], recipe, seed)
        arrays = {f"{one.name}.{part}": getattr(one, part) for one in layers for part in ("weights", "bias")}
        nets.mkdir(parents=True, exist_ok=True)
        np.savez(path, **arrays)  # type: ignore[arg-type]
    with np.load(path) as saved:
        layers = tuple(
            replace(one, weights=saved[f"{one.name}.weights"], bias=saved[f"{one.name}.bias"])
            for one in fresh(recipe.sizes, recipe.activation, seed)
        )
    return Ann(f"mlp-{name}", (recipe.sizes[0],), layers, None, np.arange(recipe.sizes[0]))


def fresh(sizes: Sequence[int], activation: str, seed: int) -> tuple[AnnLayer, ...]:
    """Untrained layers: normal weights, wide enough that activations neither grow nor die from layer to layer."""
    rng, last = np.random.default_rng(seed), len(sizes) - 2
    gain = {"relu": 2.0, "tanh": 1.0, "sigmoid": 16.0}[activation]
    return tuple(
        AnnLayer(f"fc{k + 1}", rng.normal(size=(n, m)) * np.sqrt((2.0 if k == 0 and gain > 2 else gain) / n),
                 np.zeros(m), "identity" if k == last else activation, (n,), (m,))
        for k, (n, m) in enumerate(zip(sizes[:-1], sizes[1:], strict=True))
    )  # fmt: skip


def train(rows: Rows, labels: Labels, recipe: Recipe, seed: int) -> tuple[AnnLayer, ...]:
    """Layers that give the largest output to the label."""
    rng, layers = np.random.default_rng(seed), fresh(recipe.sizes, recipe.activation, seed)
    adam, each = Adam(layers), len(rows) // BATCH
    for step in range(recipe.epochs * each):
        if step % each == 0:
            order = rng.permutation(len(rows))
        batch = order[step % each * BATCH :][:BATCH]
        inputs, z, masks = _dropped(layers, rows[batch], recipe.dropout, rng)
        rate = RATE * (1.0 - step / (recipe.epochs * each))
        found = gradients(layers, inputs, z, _slope(z[-1], labels[batch]), masks)
        smaller = tuple(replace(one, weights=one.weights * (1.0 - rate * recipe.decay)) for one in layers)
        layers = adam.moved(smaller, found, rate)
    return layers


def _dropped(
    layers: Sequence[AnnLayer], x: Rows, share: float, rng: np.random.Generator
) -> tuple[list[Rows], list[Rows], list[Rows]]:
    """Inputs and pre-activations of every layer with this share of the hidden nodes left out, and their masks."""
    inputs, z, masks = [], [], []
    for layer in layers:
        inputs.append(x)
        z.append(layer.preactivation(x))
        masks.append((rng.random(z[-1].shape) >= share) / (1.0 - share))
        x = layer.activate(z[-1]) * masks[-1]
    return inputs, z, masks


def _slope(outputs: Rows, labels: Labels) -> Rows:
    """Of the mean cross entropy, in the outputs."""
    chances = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chances[np.arange(len(labels)), labels] -= 1.0
    return np.asarray(chances / len(labels))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--out", type=Path, default=Path("nets"))
    parser.add_argument("--nets", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    given = parser.parse_args()
    x, y = read(given.data, "t10k")
    for name in given.nets:
        outputs = trained(name, given.data, given.out).predict(x)
        print(f"{name:8} {100 * np.mean(outputs.argmax(axis=1) == y):.2f} % of the test images", flush=True)


if __name__ == "__main__":
    main()
