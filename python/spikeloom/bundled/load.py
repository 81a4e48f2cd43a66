"""The bundled networks and their rows, as arrays that the network's file takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import SpikeloomError

BUNDLES = ("mlp", "cnn", "small_cnn", "cartpole")
SHOWN = ("mlp", "cnn", "cartpole")  # those of the demo
FOLDER = Path(__file__).resolve().parent
IMAGES_LICENCE = "images: Expat (MIT), Copyright 2017 Zalando SE"


@dataclass(frozen=True, eq=False)
class Bundle:
    """A trained network with rows to calibrate on and others to judge on; README.md has scores and origins.

    onnx_path: the network
    calibration: rows (n, ...) for the fit; no row of `inputs` is among them
    inputs: rows (m, ...) to judge on
    labels: class (m,) of each of these rows, 0 to 9; None for a control policy, which is judged by
        `spikeloom.bundled.cartpole.episode_returns`
    ticks: length of a run that the network is shown with
    licence: of the data, in one line
    """

    name: str
    title: str
    onnx_path: Path
    calibration: NDArray[np.float32]
    inputs: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    ticks: int
    licence: str


def load_bundle(name: str) -> Bundle:
    """Read one of `BUNDLES`. Raises SpikeloomError for another name.

    >>> bundle = load_bundle("cnn")
    >>> bundle.calibration.shape, bundle.inputs.shape, bundle.ticks
    ((3200, 1, 28, 28), (1500, 1, 28, 28), 64)
    """
    if name not in BUNDLES:
        raise SpikeloomError(f"bundled network {name}", "does not exist", limit=", ".join(BUNDLES))
    if name == "cartpole":
        return _cartpole()
    return _small_images() if name == "small_cnn" else _images(name)


def averaged(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, 28, 28) of pixels 0..255 as (n, 1, 10, 10) of 0..1: means of 3 x 3, with an edge of one 0 around."""
    edged = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    sums = edged.reshape(-1, 10, 3, 10, 3).sum(axis=(2, 4), dtype=np.int64)
    means: NDArray[np.float32] = (sums[:, None] / (9 * 255)).astype(np.float32)
    return means


def _images(name: str) -> Bundle:
    """Fashion-MNIST: the MLP takes flat pixels in 0..1, the CNN raw ones in 0..255 with a channel axis."""
    rows = _arrays("fashion.npz")
    flat = name == "mlp"
    shape, top = ((-1, 784), np.float32(255)) if flat else ((-1, 1, 28, 28), np.float32(1))
    return Bundle(
        name=name,
        title=f"Fashion-MNIST, {'MLP 784-200-100-10' if flat else 'CNN conv 5x5x8, conv 5x5x16, 64, 10'}",
        onnx_path=FOLDER / f"{name}.onnx",
        calibration=rows["calibration"].reshape(shape).astype(np.float32) / top,
        inputs=rows["evaluation"].reshape(shape).astype(np.float32) / top,
        labels=rows["evaluation_labels"].astype(np.int64),
        ticks=32 if flat else 64,
        licence=IMAGES_LICENCE,
    )


def _small_images() -> Bundle:
    """The same images of 10 x 10 pixels, for chips with few lines and few synapses a neuron."""
    rows = _arrays("fashion.npz")
    return Bundle(
        name="small_cnn",
        title="Fashion-MNIST of 10 x 10 pixels, CNN conv 4x4x4, 48, 10",
        onnx_path=FOLDER / "small_cnn.onnx",
        calibration=averaged(rows["calibration"]),
        inputs=averaged(rows["evaluation"]),
        labels=rows["evaluation_labels"].astype(np.int64),
        ticks=32,
        licence=IMAGES_LICENCE,
    )


def _cartpole() -> Bundle:
    """Observations (m, m/s, rad, rad/s) of disturbed roll-outs of the policy itself."""
    rows = _arrays("cartpole.npz")
    return Bundle(
        name="cartpole",
        title="CartPole-v1, balancing policy 4-32-32-2",
        onnx_path=FOLDER / "cartpole.onnx",
        calibration=rows["calibration"],
        inputs=rows["evaluation"],
        labels=None,
        ticks=32,
        licence="observations: made by this project, under its licence",
    )


def _arrays(name: str) -> dict[str, NDArray]:
    """All arrays of a bundled file, none of them a pickle."""
    with np.load(FOLDER / name, allow_pickle=False) as file:
        return dict(file)
