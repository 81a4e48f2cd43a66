"""scikit-learn networks on loihi1, loaded directly and by way of skl2onnx.

    python python/examples/measure_sklearn.py --ticks 64

Needs skl2onnx. Twelve networks: relu, tanh and logistic units on digits, wine, breast cancer and diabetes, behind a
scaling to mean 0 and variance 1. Prints the score of the network and of its program on rows that neither has seen
(accuracy, or R squared), and whether both ways of loading give the same graph.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable

import numpy as np
import spikeloom as sl
from numpy.typing import NDArray
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

DATA: dict[str, Callable[..., tuple[NDArray, NDArray]]] = {
    "digits": load_digits, "wine": load_wine, "breast cancer": load_breast_cancer, "diabetes": load_diabetes,
}  # fmt: skip
UNITS = ("relu", "tanh", "logistic")


def train(name: str, units: str) -> tuple[object, NDArray, NDArray, NDArray]:
    """A trained pipeline, its rows, and others with their answers."""
    x, y = DATA[name](return_X_y=True)
    x = x.astype(np.float32)
    rows, others, answers, truth = train_test_split(x, y, test_size=0.4, random_state=0)
    kind = MLPRegressor if name == "diabetes" else MLPClassifier
    net = kind(hidden_layer_sizes=(32,), activation=units, alpha=1.0, max_iter=600, random_state=0)
    target = (answers - y.mean()) / y.std() if name == "diabetes" else answers
    truth = (truth - y.mean()) / y.std() if name == "diabetes" else truth
    return make_pipeline(StandardScaler(), net).fit(rows, target), rows, others, truth


def alike(first: sl.Ann, second: sl.Ann) -> bool:
    """The same layers, to the float32 of the file."""
    pairs = zip(first.layers, second.layers, strict=True)
    return first.tail == second.tail and all(
        a.activation == b.activation and np.allclose(a.weights, b.weights, rtol=1e-5, atol=1e-6)
        and np.allclose(a.bias, b.bias, rtol=1e-4, atol=1e-5) for a, b in pairs
    )  # fmt: skip


def score(outputs: NDArray, truth: NDArray) -> float:
    """Accuracy in percent, or R squared."""
    if truth.dtype.kind == "f":
        return float(r2_score(truth, outputs[:, 0]))
    chosen = outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
    return float(100 * (chosen == truth).mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=DATA, help="one data set")
    parser.add_argument("--ticks", type=int, default=64)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in [args.only] if args.only else DATA:
        for units in UNITS:
            pipeline, rows, others, truth = train(name, units)
            exported = to_onnx(pipeline, rows[:1], options={"zipmap": False} if name != "diabetes" else None)
            direct, by_onnx = sl.load_ann(pipeline), sl.load_ann(exported)
            program = sl.convert(by_onnx, "loihi1", calibration=rows, ticks=args.ticks).program
            ann, chip = (
                score(direct.predict(others), truth),
                score(sl.emulate(program, others).outputs, truth),
            )
            same = "the same graph" if alike(direct, by_onnx) else "GRAPHS DIFFER"
            print(
                f"{name:14} {units:9} network {ann:7.3f}  chip {chip:7.3f}  lost {ann - chip:6.3f}  {same}",
                flush=True,
            )


if __name__ == "__main__":
    main()
