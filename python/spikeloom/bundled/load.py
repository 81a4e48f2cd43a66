"""The bundled networks and their rows, as arrays that the network's file takes."""

from __future__ import annotations

from collections.abc import Callable
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
    ((4000, 1, 28, 28), (1500, 1, 28, 28), 64)
    """
    if name not in BUNDLES:
        raise SpikeloomError(f"bundled network {name}", "does not exist", limit=", ".join(BUNDLES))
    return _cartpole() if name == "cartpole" else _images(name)


def averaged(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, 28, 28) of pixels 0..255 as (n, 1, 10, 10) of 0..1: means of 3 x 3, with an edge of one 0 around."""
    edged = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    sums = edged.reshape(-1, 10, 3, 10, 3).sum(axis=(2, 4), dtype=np.int64)
    means: NDArray[np.float32] = (sums[:, None] / (9 * 255)).astype(np.float32)
    return means


def _images(name: str) -> Bundle:
    """Fashion-MNIST, as the network takes it."""
    rows, (network, ticks, prepared) = _arrays("fashion.npz"), IMAGE_NETWORKS[name]
    return Bundle(
        name=name,
        title=f"Fashion-MNIST{network}",
        onnx_path=FOLDER / f"{name}.onnx",
        calibration=prepared(rows["calibration"]),
        inputs=prepared(rows["evaluation"]),
        labels=rows["evaluation_labels"].astype(np.int64),
        ticks=ticks,
        licence=IMAGES_LICENCE,
    )


def _flat(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images as rows (n, 784) of 0..1."""
    return images.reshape(-1, 784).astype(np.float32) / np.float32(255)


def _raw(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, 1, 28, 28) of 0..255."""
    return images.reshape(-1, 1, 28, 28).astype(np.float32)


# What each network is, the ticks that it is shown with, and how it takes the images.
IMAGE_NETWORKS: dict[str, tuple[str, int, Callable[[NDArray[np.uint8]], NDArray[np.float32]]]] = {
    "mlp": (", MLP 784-200-100-10", 32, _flat),
    "cnn": (", CNN conv 5x5x8, conv 5x5x16, 64, 10", 64, _raw),
    "small_cnn": (" of 10 x 10 pixels, CNN conv 4x4x4, 48, 10", 32, averaged),
}


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
