"""Conversions of the bundled networks that several tests look at, each made once a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.bundled.load import Bundle, load_bundle
from spikeloom.emulation.emulate import emulate
from spikeloom.flows.convert import Conversion, convert
from spikeloom.profile.catalog import load_profile


@dataclass(frozen=True, eq=False)
class Judged:
    """A converted classifier and its figures on the bundle's unseen rows, in per cent where not said otherwise."""

    conversion: Conversion
    ann_accuracy: float
    accuracy: float
    agreement: float
    nmse: float  # of the outputs, not in per cent


@cache
def converted(name: str, bits: int = 8) -> Conversion:
    """The bundle `name` on loihi1 at its own number of ticks."""
    bundle = load_bundle(name)
    profile = load_profile("loihi1", override={} if bits == 8 else {"weights.bits": bits})
    return convert(bundle.onnx_path, profile, calibration=bundle.calibration, ticks=bundle.ticks)


@cache
def judged(name: str, bits: int = 8, candidate: str | None = None) -> Judged:
    """The chosen program, or that of one candidate ("copy"), on the unseen rows."""
    bundle, conversion = load_bundle(name), converted(name, bits)
    program = conversion.program if candidate is None else conversion.programs[candidate]
    wanted = conversion.ann.predict(bundle.inputs)
    got = emulate(program, bundle.inputs).outputs
    return Judged(
        conversion,
        _accuracy(wanted, bundle),
        _accuracy(got, bundle),
        100.0 * float(np.mean(got.argmax(axis=1) == wanted.argmax(axis=1))),
        float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2)),
    )


def _accuracy(outputs: NDArray[np.float64], bundle: Bundle) -> float:
    return 100.0 * float(np.mean(outputs.argmax(axis=1) == bundle.labels))


def small_image_net() -> Ann:
    """A convolution and two dense layers on images of 7 x 7, untrained."""
    rng = np.random.default_rng(1)
    layers = (
        AnnLayer(
            "conv", rng.normal(size=(1, 2, 2, 3)) / 2, rng.normal(size=3) / 5, "relu", (7, 7, 1), (6, 6, 3)
        ),
        AnnLayer(
            "fc", rng.normal(size=(27, 10)) / 5, np.full(10, 0.1), "relu", (6, 6, 3), (10,), input_pool=(2, 2)
        ),
        AnnLayer("out", rng.normal(size=(10, 3)) / 3, np.full(3, 0.2), "identity", (10,), (3,)),
    )
    return Ann("image", (7, 7, 1), layers, None, np.arange(49))
