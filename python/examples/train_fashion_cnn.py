"""Train the bundled CNN on Fashion-MNIST; write ``cnn.onnx`` and ``fashion.npz``.

    python python/examples/train_fashion_cnn.py --seed 0

Needs torch and Debian's package ``dataset-fashion-mnist``. The file takes raw pixels 0..255, NCHW, and
scales them itself in its first node; then conv 5x5x8, ReLU, mean of 2x2, conv 5x5x16, ReLU, mean of 2x2, 64
ReLU, 10 outputs. Each batch is mirrored and shifted by up to one pixel at random, with dropout around the
dense layer, and no weight may exceed three standard deviations of its layer: such a network loses less on a
coarse grid.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import training
from onnx import NodeProto, helper
from torch import nn

LAYERS = {"conv1": 0, "conv2": 3, "fc1": 8, "fc2": 11}  # the name in the file of each trained part of build()


def build() -> nn.Sequential:
    """The network on pixels 0..1, with the dropout that only training sees."""
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(8, 16, 5), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.05), nn.Linear(256, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10)),
    )


def vary(images: torch.Tensor) -> torch.Tensor:
    """Mirror a batch (n, 1, 28, 28) or not, and shift it by up to a pixel along each axis, filling with 0."""
    if torch.rand(()) < 0.5:
        images = images.flip(3)
    top, left = torch.randint(0, 3, (2,)).tolist()
    return nn.functional.pad(images, (1, 1, 1, 1))[:, :, top : top + 28, left : left + 28]


def train(images: torch.Tensor, labels: torch.Tensor, *, epochs: int, batch: int = 64) -> nn.Module:
    """Train on pixels (n, 1, 28, 28) in 0..1 by AdamW, one cycle of rates; return the averaged network."""
    model = build()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999)
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.15)
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for rows in order[: len(images) // batch * batch].split(batch):
            loss = nn.functional.cross_entropy(model(vary(images[rows])), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            training.restrain(model)
            schedule.step()
            average.update_parameters(model)
    return average.module.eval()


def convolution_nodes(index: int, source: str) -> list[NodeProto]:
    """Convolution, ReLU and mean pooling number ``index``; the result is named ``p<index>``."""
    name = f"conv{index}"
    inputs = [source, f"{name}.weight", f"{name}.bias"]
    return [
        helper.make_node("Conv", inputs, [f"a{index}"], name=name, kernel_shape=[5, 5]),
        helper.make_node("Relu", [f"a{index}"], [f"h{index}"], name=f"relu{index}"),
        helper.make_node(
            "AveragePool",
            [f"h{index}"],
            [f"p{index}"],
            name=f"pool{index}",
            kernel_shape=[2, 2],
            strides=[2, 2],
        ),
    ]


def write(model: nn.Module, path: Path, note: str) -> None:
    """Write the network with its scaling of raw pixels."""
    constants = {"scale": np.asarray(1 / 255, np.float32)}
    for name, index in LAYERS.items():
        layer = model.get_submodule(str(index))
        constants |= {f"{name}.{part}": value.detach().numpy() for part, value in layer.named_parameters()}
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["pixels"], name="scaling"),
        *convolution_nodes(1, "pixels"),
        *convolution_nodes(2, "p1"),
        helper.make_node("Flatten", ["p2"], ["flat"], name="flatten"),
        *training.dense_nodes("fc1", "flat", "a3"),
        helper.make_node("Relu", ["a3"], ["h3"], name="relu3"),
        *training.dense_nodes("fc2", "h3", "y"),
    ]
    training.write_model(path, nodes, constants, input_shape=(1, 28, 28), outputs=10, note=note)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--data", type=Path, default=training.FASHION_FOLDER, help="folder of the four IDX files"
    )
    parser.add_argument("--out", type=Path, default=training.BUNDLED_FOLDER, help="folder to write to")
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    torch.use_deterministic_algorithms(True)

    images, labels = training.read_fashion(args.data, "train")
    pixels = torch.from_numpy(images[:, None].astype(np.float32) / 255)
    model = train(pixels, torch.from_numpy(labels.astype(np.int64)), epochs=args.epochs)
    path = args.out / "cnn.onnx"
    write(
        model,
        path,
        f"Fashion-MNIST, pixels 0..255; train_fashion_cnn.py --seed {args.seed} --epochs {args.epochs}",
    )

    rows = training.write_fashion_rows(args.data, args.out)
    for name, (x, y) in {
        "test set": training.read_fashion(args.data, "t10k"),
        "bundled": (rows["evaluation"], rows["evaluation_labels"]),
    }.items():
        inputs = x[:, None].astype(np.float32)
        with torch.no_grad():
            outputs = model(torch.from_numpy(inputs / 255)).numpy()
        training.check_model(path, inputs[:20], outputs[:20])
        print(f"cnn  {name:9} {len(y):6} rows  accuracy {training.accuracy(outputs, y):.2f} %")


if __name__ == "__main__":
    main()
