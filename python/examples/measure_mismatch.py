"""What does a chip's mismatch cost a network, and what does tuning to each chip win back?

    python python/examples/measure_mismatch.py --spread 0.2 --chips 20
    python python/examples/measure_mismatch.py --data /usr/share/datasets/fashion-mnist      # all 10 000 test images
    python python/examples/measure_mismatch.py --net mlp --bits 4 --spread 0.1 --rows 4000   # integer weights
    python python/examples/measure_mismatch.py --net cartpole --rows 2000 --robust 20         # for unknown chips

A bundled network on the ideal chip with lognormal weights, thresholds and biases of this spread. Of every chip it
prints accuracy, and agreement with the ANN, of the program as it is, tuned by gain and offset of each neuron (by
counts and outputs), and tuned synapse by synapse, each measurement off by 1 % of its nominal value, with the chip
runs of both; then the means, the share of the drop against the perfect chip that was won back, and the yield: the
chips that lose less than one point of accuracy against it. With `--bits` weights are integers, and instead of being
divided by their gains they are solved anew for them. With `--robust` the network is also fitted for unknown chips,
and shown untuned beside the usual one, whichever has the better yield on virtual chips and calibration rows. A
network without labels is judged by the ANN's answers. Nothing was chosen on the rows that judge.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import fashion_networks
import numpy as np
import spikeloom as sl
from spikeloom.bundled.load import BUNDLES, Bundle, load_bundle
from spikeloom.flows.conversion.tuning.bench import Tuned
from spikeloom.flows.conversion.tuning.chip_loop import SOLVED, TAUGHT, tuned_by_synapses
from spikeloom.flows.conversion.tuning.code_tuning import tuned_by_codes
from spikeloom.flows.conversion.tuning.neuron_tuning import tuned_by_neurons
from spikeloom.flows.conversion.tuning.perfect_run import PerfectRun


def uneven(spread: float, bits: int | None = None) -> sl.Profile:
    """The ideal chip with mismatch of everything that is programmed, its weights signed integers of so many bits."""
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
    changes: dict[str, object] = {"imperfection": entries}
    if bits is not None:
        most = 2 ** (bits - 1) - 1
        changes |= {
            "chip.synapse": "digital",
            "weights.formula": "int",
            "weights.bits": bits,
            "weights.mode": [{"name": "signed", "min": -most, "max": most}],
        }
    return sl.load_profile("ideal", override=changes)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spread", type=float, default=0.2)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--chips", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first chip")
    parser.add_argument("--samples", type=int, default=10_000, help="that judge, at most")
    parser.add_argument(
        "--data", type=Path, default=None, help="Fashion-MNIST; else the bundled 1500 images judge"
    )
    parser.add_argument("--net", choices=BUNDLES, default="cnn")
    parser.add_argument("--bits", type=int, default=None, help="of the weights; else they are real numbers")
    parser.add_argument("--rows", type=int, default=400, help="that calibrate the conversion")
    parser.add_argument("--robust", type=int, default=None, help="virtual chips that judge the robust fit")
    given = parser.parse_args()
    net = load_bundle(given.net)
    inputs, labels = judging(net, given.data, given.samples)
    profile, rows = uneven(given.spread, given.bits), net.calibration[: given.rows]
    conversion = sl.convert(net.onnx_path, profile, calibration=rows, robust_chips=given.robust)
    program = conversion.program
    if given.robust is not None:
        judged = conversion.program.report["robust"]
        program = conversion.programs[next(name for name in judged["yield"] if name != "robust")]
        print(f"on calibration rows: {judged}", flush=True)
    single = "synapses" if given.bits is None else "codes"

    def tuned_singly(chip: int) -> Tuned:
        if given.bits is None:
            return tuned_by_synapses(program, chip, noise=given.noise)
        return tuned_by_codes(program, conversion.ideal["fitted"], rows[:SOLVED], chip, noise=given.noise)

    perfect_run = PerfectRun.of(program, net.calibration[:TAUGHT])
    wanted = conversion.ann.predict(inputs).argmax(axis=1)
    labels = wanted if labels is None else labels

    def scores(tuned: sl.ChipProgram, **chip: object) -> np.ndarray:
        answers = sl.emulate(tuned, inputs, **chip).outputs.argmax(axis=1)
        return 100.0 * np.array([np.mean(answers == labels), np.mean(answers == wanted)])

    perfect = scores(program, effects=())
    print(f"ANN {100 * np.mean(wanted == labels):.2f} %, perfect chip {said(perfect)}", flush=True)
    found: dict[str, list[np.ndarray]] = {"as it is": [], "neurons": [], single: []}
    for chip in range(given.first, given.first + given.chips):
        neurons = tuned_by_neurons(program, perfect_run, chip)
        synapses = tuned_singly(chip)
        found["as it is"].append(scores(program, chip_seed=chip))
        found["neurons"].append(scores(neurons.program))
        found[single].append(scores(synapses.program))
        if given.robust is not None:
            found.setdefault("robust", []).append(scores(conversion.programs["robust"], chip_seed=chip))
        line = "; ".join(f"{name} {said(each[-1])}" for name, each in found.items())
        print(f"chip {chip}: {line}; runs {neurons.runs} and {synapses.runs}", flush=True)
    lost = perfect - np.mean(found["as it is"], axis=0)
    for name, each in found.items():
        won = 100.0 * (np.mean(each, axis=0) - perfect + lost) / lost
        good = 100.0 * np.mean([perfect[0] - one[0] < 1.0 for one in each])
        print(
            f"{name}: mean {said(np.mean(each, axis=0))}, of the drop won back {said(won)}, yield {good:.0f} %"
        )


def judging(net: Bundle, data: Path | None, most: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows that judge and their labels, if they have any: the bundled ones, or test images of the folder."""
    if data is None:
        return net.inputs[:most], None if net.labels is None else net.labels[:most]
    images, labels = fashion_networks.read(data, "t10k")
    pixels = np.rint(255.0 * images) if net.inputs.max() > 1.0 else images
    return pixels.reshape(-1, *net.inputs.shape[1:])[:most], labels[:most]


def said(scores: np.ndarray) -> str:
    """Accuracy, and agreement in brackets."""
    return f"{scores[0]:.2f} % ({scores[1]:.2f} %)"


if __name__ == "__main__":
    main()
