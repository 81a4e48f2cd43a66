"""Train four small networks with branches, pools and lines; write them to ``python/examples/networks``.

    python python/examples/train_branches.py --only residual

Needs torch and onnxscript. On Fashion-MNIST, pixels 0..1, from Debian's package ``dataset-fashion-mnist``:
``residual`` has batch normalisation, max pooling and a skip, ``depthwise`` has depthwise kernels. On scikit-learn's
digits: ``pooled`` has one convolution and one 4 x 4 max pool. ``line`` is a 1-D network that tells four wave forms
apart. Each is small and trained for a few minutes: what matters here is what a chip makes of them, and
``measure_branches.py`` says that.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import small_data
import torch
import training
from torch import nn

FOLDER = Path(__file__).resolve().parent / "networks"
NAMES = ("residual", "depthwise", "pooled", "line")


def _block(n_in: int, n_out: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution that keeps the image's size (or halves it) and its normalisation."""
    padding = kernel // 2
    conv = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=padding, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(n_out)]


class Residual(nn.Module):
    """A stem, a max pool, a block whose skip is a 1 x 1 convolution, and a readout."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_block(1, 8, stride=2), nn.ReLU(), nn.MaxPool2d(2))
        self.straight = nn.Sequential(*_block(8, 16), nn.ReLU(), *_block(16, 16))
        self.skip = nn.Sequential(*_block(8, 16, kernel=1))
        self.readout = nn.Linear(784, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        return self.readout(torch.relu(self.straight(x) + self.skip(x)).flatten(1))


def build(name: str) -> nn.Module:
    """The untrained network."""
    match name:
        case "residual":
            return Residual()
        case "depthwise":
            return nn.Sequential(
                *(*_block(1, 16, stride=2), nn.ReLU()),
                *(*_block(16, 16, stride=2, groups=16), nn.ReLU(), *_block(16, 32, kernel=1), nn.ReLU()),
                *(*_block(32, 32, groups=32), nn.ReLU(), *_block(32, 16, kernel=1), nn.ReLU()),
                *(nn.Flatten(), nn.Linear(784, 10)),
            )
        case "pooled":
            conv = nn.Conv2d(1, 12, 3, padding=1)
            return nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(48, 10))
    return nn.Sequential(
        *(nn.Conv1d(1, 8, 5, stride=2, padding=2), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Conv1d(8, 16, 5, padding=2), nn.BatchNorm1d(16), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(256, len(small_data.FORMS))),
    )


def train(model: nn.Module, x: torch.Tensor, labels: torch.Tensor, *, epochs: int, batch: int = 64) -> None:
    """AdamW with one cycle of rates."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    steps = epochs * (len(x) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x))[: len(x) // batch * batch].split(batch):
            loss = nn.functional.cross_entropy(model(x[rows]), labels[rows], label_smoothing=0.02)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    model.eval()


def write(model: nn.Module, x: torch.Tensor, path: Path, note: str) -> None:
    """As PyTorch exports it: normalisation, pools and sums are operators of their own or folded by the exporter."""
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        model, (x[:2],), dynamo=True, dynamic_shapes=({0: batch},), optimize=False, verbose=False
    )
    assert program is not None
    proto = program.model_proto
    proto.doc_string, proto.graph.name = note, path.stem
    del proto.metadata_props[:]
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        del value.metadata_props[:]
    onnx.save(proto, path)


def data(name: str, folder: Path, images: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows to learn from, with their classes."""
    if name == "line":
        x, labels = small_data.draw(6000, seed=1)
        return torch.from_numpy(x), torch.from_numpy(labels)
    if name == "pooled":
        x, labels = small_data.digits()[0]
        return torch.from_numpy(x).repeat(20, 1, 1, 1), torch.from_numpy(labels).repeat(20)
    (pixels, classes), _ = training.split_train(*training.read_fashion(folder, "train"))
    x = torch.from_numpy(pixels[:images, None].astype(np.float32) / 255)
    return x, torch.from_numpy(classes[:images].astype(np.int64))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=NAMES, help="one of them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--data", type=Path, default=training.FASHION_FOLDER, help="folder of the four IDX files"
    )
    parser.add_argument("--images", type=int, default=20_000, help="of the training set")
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    for name in [args.only] if args.only else NAMES:
        torch.manual_seed(args.seed)
        model = build(name)
        x, labels = data(name, args.data, args.images)
        train(model, x, labels, epochs=args.epochs)
        note = f"train_branches.py --only {name} --seed {args.seed} --images {len(x)} --epochs {args.epochs}"
        write(model, x, FOLDER / f"{name}.onnx", note)
        with torch.no_grad():
            correct = (model(x[:2000]).argmax(1) == labels[:2000]).float().mean()
        print(f"{name:10} {100 * correct:.2f} % of the rows learnt from")


if __name__ == "__main__":
    main()
