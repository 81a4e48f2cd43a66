"""Train the bundled small CNN on Fashion-MNIST of 10 x 10 pixels; write ``small_cnn.onnx``.

    python python/examples/train_small_cnn.py --seed 0

Needs torch and Debian's package ``dataset-fashion-mnist``. It is made for chips of few lines and few synapses a
neuron: 100 inputs, means of 3 x 3 pixels, 0..1; conv 4x4x4 with stride 2, 48 ReLU, 10 outputs, so that no neuron
has more than 64 sources. Each batch is mirrored at random. Analog neurons differ and spikes only count, so in
training every hidden neuron has a gain of its own, drawn anew in each batch, and each activation errs by a part of
a count. No weight may exceed three standard deviations of its layer.

The last images of the training set are left out of the training: settings are compared on them, and on nothing else.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import training
from numpy.typing import NDArray
from onnx import helper
from spikeloom.bundled.load import averaged
from torch import nn

CHANNELS, HIDDEN = 4, 48
LAYERS = {"conv1": 0, "fc1": 3, "fc2": 5}  # the name in the file of each trained part of build()
TICKS = 32  # of the run that the disturbance stands for


def build() -> nn.Sequential:
    """The network in use: the disturbances that only training sees are in `disturbed`."""
    return nn.Sequential(
        *(nn.Conv2d(1, CHANNELS, 4, stride=2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(16 * CHANNELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, training.CLASSES)),
    )


def disturbed(model: nn.Sequential, images: torch.Tensor, gain: float, noise: float) -> torch.Tensor:
    """Outputs (n, 10) of a chip: each neuron with its own gain, each activation off by a part of a count."""
    values = images
    for layer in model:
        values = layer(values)
        if isinstance(layer, nn.ReLU):
            gains = 1 + gain * torch.randn(values.shape[1:])
            step = values.detach().amax() / TICKS
            values = (values * gains + noise * step * torch.randn_like(values)).relu()
    return values


def train(
    images: torch.Tensor, labels: torch.Tensor, *, epochs: int, gain: float, noise: float, batch: int = 128
) -> nn.Module:
    """Train on images (n, 1, 10, 10) by AdamW, one cycle of rates; return the averaged network."""
    model = build()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps, pct_start=0.15)
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for rows in order[: len(images) // batch * batch].split(batch):
            seen = images[rows].flip(3) if torch.rand(()) < 0.5 else images[rows]
            loss = nn.functional.cross_entropy(disturbed(model, seen, gain, noise), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            training.restrain(model)
            schedule.step()
            average.update_parameters(model)
    return average.module.eval()


def write(model: nn.Module, path: Path, note: str) -> None:
    """Write the convolution and the two dense layers with ReLU between them."""
    constants: dict[str, NDArray[np.float32]] = {}
    for name, index in LAYERS.items():
        layer = model.get_submodule(str(index))
        constants |= {f"{name}.{part}": value.detach().numpy() for part, value in layer.named_parameters()}
    inputs = ["x", "conv1.weight", "conv1.bias"]
    nodes = [
        helper.make_node("Conv", inputs, ["a1"], name="conv1", kernel_shape=[4, 4], strides=[2, 2]),
        helper.make_node("Relu", ["a1"], ["h1"], name="relu1"),
        helper.make_node("Flatten", ["h1"], ["flat"], name="flatten"),
        *training.dense_nodes("fc1", "flat", "a2"),
        helper.make_node("Relu", ["a2"], ["h2"], name="relu2"),
        *training.dense_nodes("fc2", "h2", "y"),
    ]
    training.write_model(path, nodes, constants, input_shape=(1, 10, 10), outputs=training.CLASSES, note=note)


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
    parser.add_argument("--gain", type=float, default=0.1, help="spread of the neurons' gains")
    parser.add_argument("--noise", type=float, default=0.5, help="of an activation, in spike counts")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    torch.use_deterministic_algorithms(True)

    (images, labels), left_out = training.split_train(*training.read_fashion(args.data, "train"))
    model = train(
        torch.from_numpy(averaged(images)), torch.from_numpy(labels.astype(np.int64)),
        epochs=args.epochs, gain=args.gain, noise=args.noise,
    )  # fmt: skip
    path = args.out / "small_cnn.onnx"
    write(model, path, f"Fashion-MNIST of 10 x 10 pixels, 0..1; train_small_cnn.py --seed {args.seed}")
    for name, (x, y) in {
        "left out": left_out,
        "test set": training.read_fashion(args.data, "t10k"),
    }.items():
        rows = averaged(x)
        with torch.no_grad():
            outputs = model(torch.from_numpy(rows)).numpy()
        training.check_model(path, rows[:20], outputs[:20])
        print(
            f"small_cnn  {name:8} {len(y):6} rows  accuracy {training.accuracy(outputs, y):.2f} %", flush=True
        )


if __name__ == "__main__":
    main()
