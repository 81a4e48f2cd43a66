"""Train the bundled MLP (784-200-100-10, ReLU) on Fashion-MNIST; write ``mlp.onnx`` and ``fashion.npz``.

    python python/examples/train_fashion_mlp.py --seed 0

Needs torch and Debian's package ``dataset-fashion-mnist``. Pixels are 0..1. A spiking copy can only count:
in so many ticks an activation has so many levels, and the largest ones are cut off. Each batch therefore
goes through the network twice, exact and disturbed like that, and the loss adds how far the outputs of the
two lie apart, relative to the variance of the outputs. Dropout spreads what a node knows over several
nodes, and no weight may exceed three standard deviations of its layer: the largest sets the step of a
chip's grid. The weights kept are a running average over the steps: a flatter minimum.

The last images of the training set are left out of the training: settings are compared on them, and on
nothing else. ``--validate`` stops there, before any image of the test set is read.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import training
from numpy.typing import NDArray
from onnx import helper
from torch import nn

LAYERS = (784, 200, 100, 10)
LINEAR = ("0", "2", "4")  # the trained parts of build()
DROPOUT = 0.1  # of both hidden layers
TICKS = 32  # of the run that the disturbance stands for
TOP = 0.999  # the share of a layer's activations that a spiking copy can tell apart; the rest are cut
EPSILON = 0.1  # keeps the relative distance finite while the outputs are still all alike


@dataclass(frozen=True)
class Settings:
    """What was compared on the images left out.

    noise: standard deviation of the disturbance, in spike counts
    weight: of the distance between exact and disturbed outputs in the loss
    smoothing: of the labels
    """

    epochs: int
    noise: float
    weight: float
    smoothing: float


def build() -> nn.Sequential:
    """The network in use: the disturbances that only training sees are in `outputs`."""
    fc1, fc2, fc3 = (nn.Linear(n, m) for n, m in zip(LAYERS[:-1], LAYERS[1:], strict=True))
    return nn.Sequential(fc1, nn.ReLU(), fc2, nn.ReLU(), fc3)


def disturbed(preactivations: torch.Tensor, exact: torch.Tensor, noise: float) -> torch.Tensor:
    """Activations with normal noise of so many counts, cut at the layer's peak; `exact` gives the peak."""
    above = max(1, round((1 - TOP) * exact.numel()))
    peak = exact.detach().flatten().topk(above).values[-1]
    jitter = torch.randn_like(preactivations) * (noise * peak / TICKS)
    return (preactivations + jitter).relu().minimum(peak)


def keep(like: torch.Tensor) -> torch.Tensor:
    """A dropout mask, scaled to a mean of 1: exact and disturbed activations must share it."""
    return (torch.rand_like(like) > DROPOUT) / (1 - DROPOUT)


def outputs(model: nn.Module, images: torch.Tensor, noise: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact and disturbed outputs (n, 10) of a batch, under the same dropout."""
    fc1, fc2, fc3 = (model.get_submodule(name) for name in LINEAR)
    a1 = fc1(images)
    h1, mask1 = a1.relu(), keep(a1)
    a2 = fc2(h1 * mask1)
    h2, mask2 = a2.relu(), keep(a2)
    rough2 = disturbed(fc2(disturbed(a1, h1, noise) * mask1), h2, noise)
    return fc3(h2 * mask2), fc3(rough2 * mask2)


def train(images: torch.Tensor, labels: torch.Tensor, settings: Settings, batch: int = 256) -> nn.Module:
    """Train on pixels (n, 784) in 0..1 by AdamW under a cosine schedule; return the averaged network."""
    model = build()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    steps = len(images) // batch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs * steps)
    for epoch in range(settings.epochs):
        weight = settings.weight * min(1.0, (epoch + 0.1) / 2)
        order = torch.randperm(len(images))
        for rows in order[: steps * batch].split(batch):
            exact, rough = outputs(model, images[rows], settings.noise)
            distance = (rough - exact).square().mean() / (exact.detach().var(0).mean() + EPSILON)
            wrong = nn.functional.cross_entropy(exact, labels[rows], label_smoothing=settings.smoothing)
            optimiser.zero_grad()
            (wrong + weight * distance).backward()
            optimiser.step()
            training.restrain(model)
            schedule.step()
            average.update_parameters(model)
    return average.module.eval()


def write(model: nn.Module, path: Path, note: str) -> None:
    """Write the three dense layers as Gemm nodes with ReLU between them."""
    constants: dict[str, NDArray[np.float32]] = {}
    for index, name in zip(LINEAR, ("fc1", "fc2", "fc3"), strict=True):
        layer = model.get_submodule(index)
        constants |= {f"{name}.{part}": value.detach().numpy() for part, value in layer.named_parameters()}
    nodes = [
        *training.dense_nodes("fc1", "x", "a1"),
        helper.make_node("Relu", ["a1"], ["h1"], name="relu1"),
        *training.dense_nodes("fc2", "h1", "a2"),
        helper.make_node("Relu", ["a2"], ["h2"], name="relu2"),
        *training.dense_nodes("fc3", "h2", "y"),
    ]
    training.write_model(path, nodes, constants, input_shape=(LAYERS[0],), outputs=LAYERS[-1], note=note)


def predict(model: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Outputs (n, 10) on images (n, 28, 28)."""
    with torch.no_grad():
        return np.asarray(model(torch.from_numpy(pixels(images))))


def pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network takes: (n, 784), 0..1."""
    return images.reshape(-1, 784).astype(np.float32) / np.float32(255)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--data", type=Path, default=training.FASHION_FOLDER, help="folder of the four IDX files"
    )
    parser.add_argument("--out", type=Path, default=training.BUNDLED_FOLDER, help="folder to write to")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--noise", type=float, default=1.0, help="standard deviation in spike counts")
    parser.add_argument("--weight", type=float, default=10.0, help="of the distance in the loss")
    parser.add_argument("--smoothing", type=float, default=0.02, help="of the labels")
    parser.add_argument("--validate", action="store_true", help="read no test set, write no rows")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    settings = Settings(args.epochs, args.noise, args.weight, args.smoothing)
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    torch.use_deterministic_algorithms(True)

    images, labels = training.read_fashion(args.data, "train")
    (images, labels), left_out = training.split_train(images, labels)
    model = train(torch.from_numpy(pixels(images)), torch.from_numpy(labels.astype(np.int64)), settings)
    path = args.out / "mlp.onnx"
    write(model, path, f"Fashion-MNIST, pixels 0..1; train_fashion_mlp.py --seed {args.seed}; {settings}")

    parts = {"left out": left_out}
    if not args.validate:
        rows = training.write_fashion_rows(args.data, args.out)
        parts["test set"] = training.read_fashion(args.data, "t10k")
        parts["bundled"] = (rows["evaluation"], rows["evaluation_labels"])
    for name, (x, y) in parts.items():
        got = predict(model, x)
        training.check_model(path, pixels(x[:20]), got[:20])
        print(f"mlp  {name:9} {len(y):6} rows  accuracy {training.accuracy(got, y):.2f} %", flush=True)


if __name__ == "__main__":
    main()
