"""How far below its trained network is a small classifier on every chip? One line a chip.

    python python/examples/measure_chips.py                          # all chips, about half an hour on one core
    python python/examples/measure_chips.py --chips ranc xylo_a2 --seeds 1

Trains two networks with scikit-learn on data that come with it: digits 64-64-32-10 and, for the chip of few inputs,
wines 13-32-3, scaled to 0..1. Half of the rows are for training and for calibration, which draws from them by a seed;
every figure is of all the other rows, on chips without mismatch and noise. Beside each accuracy stand that of the
weight copy (the trained weights in the chip's codes, gain and bias fitted), that of plain rounding (the fitted
weights at their nearest codes, biases fitted again), and how often a register wrapped.

How many ticks a chip gets was chosen by eye on split 0 of the rows, as were two neurons a unit for RANC, ODIN's on
split 2. The default is split 1, where nothing was chosen.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass, field
from time import process_time

import numpy as np
import spikeloom as sl
from numpy.typing import NDArray
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

Rows = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """A chip and how it is used."""

    profile: str
    ticks: int
    data: str = "digits"
    options: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Profile, options and ticks in one word."""
        return "".join([self.profile, *(f", {key}={value}" for key, value in self.options.items())])


SETTINGS = (
    Setting("open_core", 32),
    Setting("loihi1", 32),
    Setting("pcm_crossbar", 32),
    Setting("ranc", 64),
    Setting("ranc", 64, options={"axons_per_source": 1}),
    Setting("ranc", 64, options={"axons_per_source": 1, "neurons_per_unit": 2}),
    Setting("truenorth", 32),
    Setting("tinyodin", 64),
    Setting("odin", 128),
    Setting("odin", 128, options={"axons_per_source": 1}),
    Setting("brainscales2", 96),
    Setting("dynap_se2", 256),
    Setting("xylo_a2", 32, "wine"),
)
HIDDEN = {"digits": (64, 32), "wine": (32,)}
ALPHA = 0.5  # of the weights' squares: best by cross validation on the digits' training rows, splits 0 and 2
CALIBRATION = 0.8  # share of the training rows that one seed draws


@dataclass(frozen=True)
class Classifier:
    """A trained network with the rows that it learned from, and those that it is judged on."""

    model: MLPClassifier
    rows: Rows
    test: Rows
    labels: NDArray[np.int64]


def train(name: str, split: int) -> Classifier:
    """The network for one of the two data sets, its rows drawn by the number of the split."""
    x, y = (load_digits if name == "digits" else load_wine)(return_X_y=True)
    rows, test, known, labels = train_test_split(x, y, test_size=0.5, random_state=split, stratify=y)
    low, high = rows.min(axis=0), rows.max(axis=0)
    span = np.where(high > low, high - low, 1.0) if name == "wine" else 16.0
    low = low if name == "wine" else 0.0
    rows, test = (rows - low) / span, (test - low) / span
    model = MLPClassifier(HIDDEN[name], max_iter=1000, alpha=ALPHA, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, known)
    return Classifier(model, rows, test, labels)


def accuracy(outputs: Rows, labels: NDArray[np.int64]) -> float:
    """Percent of the rows whose largest output is the right one."""
    return float(100.0 * np.mean(outputs.argmax(axis=1) == labels))


def measure(setting: Setting, net: Classifier, seeds: int) -> str:
    """Points below the network, mean and spread over seeds; the same of copy and plain rounding; wraps."""
    top = accuracy(sl.load_ann(net.model).predict(net.test), net.labels)
    below, wraps, started = [], 0, process_time()
    for seed in range(seeds):
        drawn = np.random.default_rng(seed).permutation(len(net.rows))[: int(CALIBRATION * len(net.rows))]
        conversion = sl.convert(
            net.model, setting.profile, calibration=net.rows[drawn], ticks=setting.ticks, seed=seed,
            plain_rounding=True, **setting.options,
        )  # fmt: skip
        programs = (conversion.program, conversion.programs["copy"], conversion.programs["plain"])
        runs = [sl.emulate(one, net.test, effects=()) for one in programs]
        below.append([top - accuracy(run.outputs, net.labels) for run in runs])
        wraps += sum(int(count.sum()) for rule, count in runs[0].rules.items() if rule.endswith(".wrap"))
    means = [f"{np.mean(each):+8.2f} +- {np.std(each):.2f}" for each in np.transpose(below)]
    return (
        f"{setting.name:46}{setting.data:8}{setting.ticks:5}{top:8.2f}{''.join(means)}{wraps:7}"
        f"{(process_time() - started) / seeds:8.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chips", nargs="+", default=None, help="profiles to measure; all unless given")
    parser.add_argument("--seeds", type=int, default=3, help="draws of calibration rows")
    parser.add_argument("--split", type=int, default=1, help="draw of training and test rows")
    given = parser.parse_args()
    nets: dict[str, Classifier] = {}
    columns = f"{'below it':>16}{'copy':>16}{'plain':>16}{'wraps':>7}{'CPU s':>8}"
    print(f"{'chip':46}{'data':8}{'ticks':>5}{'ANN':>8}{columns}")
    for setting in SETTINGS:
        if given.chips is None or setting.profile in given.chips:
            net = nets.setdefault(setting.data, nets.get(setting.data) or train(setting.data, given.split))
            print(measure(setting, net, given.seeds), flush=True)


if __name__ == "__main__":
    main()
