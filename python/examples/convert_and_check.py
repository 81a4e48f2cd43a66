"""From a trained network to spikes on a chip, and the proof that they are right.

Converts the bundled network for clothes (Fashion-MNIST), runs it on images that the conversion has not seen,
and compares every spike and register of three of them with Brian2.

    python python/examples/convert_and_check.py [PROFILE]
"""

from __future__ import annotations

import sys

import numpy as np
import spikeloom as sl
from spikeloom.bundled.load import load_bundle

CALIBRATION_ROWS = 1000
JUDGED_ROWS = 300


def main(profile: str = "loihi1") -> None:
    bundle = load_bundle("mlp")
    images, labels = bundle.inputs[:JUDGED_ROWS], bundle.labels[:JUDGED_ROWS]
    calibration = bundle.calibration[:CALIBRATION_ROWS]
    conversion = sl.convert(bundle.onnx_path, profile, calibration=calibration, ticks=32)
    for layer in conversion.layers:
        print(f"{layer.name}: loss {layer.loss:.4f}, proven to be at least {layer.bound:.4f}")

    spiking = sl.emulate(conversion.program, images).outputs.argmax(axis=1)
    trained = conversion.ann.predict(images).argmax(axis=1)
    print(f"{np.mean(trained == labels):.1%} right before, {np.mean(spiking == labels):.1%} on {profile}")

    check = sl.crosscheck(conversion.program, images[:3], reference="brian2")
    print("Brian2 agrees:" if check.equal else f"Brian2 differs, {check.first_divergence}:", check.compared)


if __name__ == "__main__":
    main(*sys.argv[1:2])
