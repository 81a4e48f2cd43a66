"""What does a chip's mismatch cost a network, and what does tuning to each chip win back?

    python python/examples/measure_mismatch.py --spread 0.2 --chips 20

The bundled CNN on the ideal chip with lognormal weights, thresholds and biases of this spread. Of every chip it
prints the accuracy of the program as it is, tuned neuron by neuron (gain and offset), and tuned synapse by synapse,
each measurement off by 1 % of its nominal value; then the means, the share of the drop that was won back, and the
yield: the chips that lose less than one point against the perfect one.
"""

from __future__ import annotations

import argparse

import numpy as np
import spikeloom as sl
from spikeloom.bundled.load import load_bundle
from spikeloom.flows.conversion.chip_loop import tuned_by_synapses
from spikeloom.flows.conversion.neuron_tuning import tuned_by_neurons

SAMPLES = 300  # on which a neuron's gain and offset are measured


def uneven(spread: float) -> sl.Profile:
    """The ideal chip with mismatch of everything that is programmed."""
    kinds = (("weights", "weight", "synapse"), ("thresholds", "vth", "neuron"), ("biases", "bias", "neuron"))
    entries = [
        {
            "name": name,
            "kind": "mismatch",
            "of": of,
            "scope": scope,
            "distribution": "lognormal",
            "cv": spread,
        }
        for name, of, scope in kinds
    ]
    return sl.load_profile("ideal", override={"imperfection": entries})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spread", type=float, default=0.2)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--chips", type=int, default=20)
    parser.add_argument("--samples", type=int, default=1500, help="that judge")
    given = parser.parse_args()
    cnn = load_bundle("cnn")
    inputs, labels = cnn.inputs[: given.samples], cnn.labels[: given.samples]
    conversion = sl.convert(cnn.onnx_path, uneven(given.spread), calibration=cnn.calibration[:400])
    program = conversion.program

    def accuracy(tuned: sl.ChipProgram, **chip: object) -> float:
        return 100.0 * float(np.mean(sl.emulate(tuned, inputs, **chip).outputs.argmax(axis=1) == labels))

    ann = 100.0 * float(np.mean(conversion.ann.predict(inputs).argmax(axis=1) == labels))
    perfect = accuracy(program, effects=())
    print(f"ANN {ann:.2f} %, perfect chip {perfect:.2f} %", flush=True)
    scores: dict[str, list[float]] = {"as it is": [], "neurons": [], "synapses": []}
    for chip in range(given.chips):
        neurons = tuned_by_neurons(program, cnn.calibration[:SAMPLES], chip)
        synapses = tuned_by_synapses(program, chip, noise=given.noise)
        scores["as it is"].append(accuracy(program, chip_seed=chip))
        scores["neurons"].append(accuracy(neurons.program))
        scores["synapses"].append(accuracy(synapses.program))
        line = ", ".join(f"{name} {values[-1]:.2f} %" for name, values in scores.items())
        print(f"chip {chip}: {line}; runs {neurons.runs} and {synapses.runs}", flush=True)
    lost = perfect - float(np.mean(scores["as it is"]))
    for name, values in scores.items():
        won = (lost - (perfect - float(np.mean(values)))) / lost if lost > 0 else float("nan")
        good = np.mean([perfect - value < 1.0 for value in values])
        print(
            f"{name}: mean {np.mean(values):.2f} %, {100 * won:.0f} % of the drop won back, yield {100 * good:.0f} %"
        )


if __name__ == "__main__":
    main()
