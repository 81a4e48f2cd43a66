"""Train the bundled MLP (784-128-64-10, ReLU) on Fashion-MNIST; write ``mlp.onnx`` and ``fashion.npz``.

    python python/examples/train_fashion_mlp.py --seed 0

Needs torch and Debian's package ``dataset-fashion-mnist``. Pixels are 0..1. Dropout spreads what a node
knows over several nodes; a small learning rate with weight decay keeps single weights and activations from
standing out. Both make the network easier to carry onto few ticks and few bits. The weights kept are a
running average over the steps: a flatter minimum.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import training
from numpy.typing import NDArray
from onnx import helper
from torch import nn

LAYERS = (784, 128, 64, 10)


def build() -> nn.Sequential:
    """The network with the dropout that only training sees."""
    fc1, fc2, fc3 = (nn.Linear(n, m) for n, m in zip(LAYERS[:-1], LAYERS[1:], strict=True))
    return nn.Sequential(fc1, nn.ReLU(), nn.Dropout(0.2), fc2, nn.ReLU(), nn.Dropout(0.1), fc3)


def train(images: torch.Tensor, labels: torch.Tensor, *, epochs: int, batch: int = 128) -> nn.Module:
    """Train on pixels (n, 784) in 0..1 by AdamW under a cosine schedule; return the averaged network."""
    model = build()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999)
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.02)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for rows in order[: len(images) // batch * batch].split(batch):
            loss = nn.functional.cross_entropy(model(images[rows]), labels[rows], label_smoothing=0.02)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            average.update_parameters(model)
    return average.module.eval()


def write(model: nn.Module, path: Path, note: str) -> None:
    """Write the three dense layers as Gemm nodes with ReLU between them."""
    constants: dict[str, NDArray[np.float32]] = {}
    for index, name in ((0, "fc1"), (3, "fc2"), (6, "fc3")):
        layer = model.get_submodule(str(index))
        constants |= {f"{name}.{part}": value.detach().numpy() for part, value in layer.named_parameters()}
    nodes = [
        *training.dense_nodes("fc1", "x", "a1"),
        helper.make_node("Relu", ["a1"], ["h1"], name="relu1"),
        *training.dense_nodes("fc2", "h1", "a2"),
        helper.make_node("Relu", ["a2"], ["h2"], name="relu2"),
        *training.dense_nodes("fc3", "h2", "y"),
    ]
    training.write_model(path, nodes, constants, input_shape=(LAYERS[0],), outputs=LAYERS[-1], note=note)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--data", type=Path, default=training.FASHION_FOLDER, help="folder of the four IDX files"
    )
    parser.add_argument("--out", type=Path, default=training.BUNDLED_FOLDER, help="folder to write to")
    parser.add_argument("--epochs", type=int, default=40)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    torch.use_deterministic_algorithms(True)

    images, labels = training.read_fashion(args.data, "train")
    pixels = torch.from_numpy(images.reshape(-1, 784).astype(np.float32) / 255)
    model = train(pixels, torch.from_numpy(labels.astype(np.int64)), epochs=args.epochs)
    path = args.out / "mlp.onnx"
    write(
        model,
        path,
        f"Fashion-MNIST, pixels 0..1; train_fashion_mlp.py --seed {args.seed} --epochs {args.epochs}",
    )

    rows = training.write_fashion_rows(args.data, args.out)
    for name, (x, y) in {
        "test set": training.read_fashion(args.data, "t10k"),
        "bundled": (rows["evaluation"], rows["evaluation_labels"]),
    }.items():
        inputs = x.reshape(-1, 784).astype(np.float32) / np.float32(255)
        with torch.no_grad():
            outputs = model(torch.from_numpy(inputs)).numpy()
        training.check_model(path, inputs[:20], outputs[:20])
        print(f"mlp  {name:9} {len(y):6} rows  accuracy {training.accuracy(outputs, y):.2f} %")


if __name__ == "__main__":
    main()
