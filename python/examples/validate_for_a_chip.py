"""How would a trained network do on a chip that one has no access to?

Converts the bundled network for clothes (Fashion-MNIST), judges it on images that the conversion has not seen,
step by step from the trained network to the emulated chip, and writes a report that opens in any browser.

    python python/examples/validate_for_a_chip.py [PROFILE] [REPORT.html]
"""

from __future__ import annotations

import sys

import spikeloom as sl
from spikeloom.bundled.load import load_bundle

CALIBRATION_ROWS = 600
JUDGED_ROWS = 300


def main(profile: str = "loihi1", report: str = "") -> None:
    bundle = load_bundle("mlp")
    images, labels = bundle.inputs[:JUDGED_ROWS], bundle.labels[:JUDGED_ROWS]
    conversion = sl.convert(
        bundle.onnx_path, profile, calibration=bundle.calibration[:CALIBRATION_ROWS], ticks=32
    )
    result = sl.validate(conversion, images, labels)

    for stage in result.stages:
        print(f"{stage.title:32} {stage.score:6.1%}, surely between {stage.low:.1%} and {stage.high:.1%}")
    for layer in result.layers:
        print(
            f"{layer.name}: correlates {layer.correlation:.4f} with the trained layer, {layer.dead} dead neurons"
        )
    if report:
        result.save(report)
    print("twin and Brian2 agree" if result.ok else f"a reference differs: {result.checks}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
