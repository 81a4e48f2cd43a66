"""How does one convolutional network do on chips of few lines and few synapses? One report a chip.

    python python/examples/measure_small_cnn.py                        # some minutes
    python python/examples/measure_small_cnn.py --chips loihi1 --folder reports

Converts the bundled network for images of 10 x 10 pixels on 800 rows and judges it on 500 others, on the perfect chip
and, where chips differ, on some that the conversion has not seen. Analog chips with continuous weights are tuned to
one of them first. How many ticks a chip gets was not tuned.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import spikeloom as sl
from spikeloom.bundled.load import load_bundle

TICKS = {"loihi1": 32, "pcm_crossbar": 32, "brainscales2": 64, "dynap_se2": 96}
TUNED_TO = {"pcm_crossbar": 100}  # chip seeds
CALIBRATION_ROWS, JUDGED_ROWS = 800, 500


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chips", nargs="+", default=list(TICKS), help="profiles to measure")
    parser.add_argument("--imperfect", type=int, default=3, help="imperfect chips to judge on")
    parser.add_argument("--folder", type=Path, default=None, help="write a report of each chip here")
    given = parser.parse_args()
    net = load_bundle("small_cnn")
    for chip in given.chips:
        conversion = sl.convert(
            net.onnx_path, chip, calibration=net.calibration[:CALIBRATION_ROWS], ticks=TICKS.get(chip, 32),
            chip_seed=TUNED_TO.get(chip),
        )  # fmt: skip
        rows = slice(JUDGED_ROWS)
        result = sl.validate(conversion, net.inputs[rows], net.labels[rows], chips=given.imperfect)
        print(chip, "twin and Brian2 agree" if result.ok else "A REFERENCE DIFFERS", flush=True)
        for stage in result.stages:
            print(
                f"    {stage.title:44} {stage.score:7.2%} ({stage.low:.2%} to {stage.high:.2%})", flush=True
            )
        if given.folder is not None:
            result.save(given.folder / f"{chip}.html")


if __name__ == "__main__":
    main()
