"""What a chip makes of the networks of ``train_branches.py``: accuracy of the ANN and of its program.

    python python/examples/measure_branches.py --only pooled --pool race
    python python/examples/measure_branches.py --only pooled --overshoot keep

Fashion-MNIST rows come with the package; the digits are those left out, the wave forms are drawn by other seeds.
Prints the accuracy on rows that the conversion has not seen, how often chip and ANN agree, and the error of the
outputs over their variance.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import small_data
import spikeloom as sl
from numpy.typing import NDArray
from spikeloom.bundled.load import load_bundle

FOLDER = Path(__file__).resolve().parent / "networks"
NAMES = ("residual", "depthwise", "pooled", "line")


def rows(name: str) -> tuple[NDArray, NDArray, NDArray]:
    """Rows to calibrate on, others to judge on, and the classes of those."""
    if name == "line":
        return small_data.draw(2000, seed=2)[0], *small_data.draw(2000, seed=3)
    if name == "pooled":
        (calibration, _), judged = small_data.digits()
        return calibration, *judged
    bundle = load_bundle("cnn")
    assert bundle.labels is not None
    return bundle.calibration / 255, bundle.inputs / 255, bundle.labels


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=NAMES, help="one of them")
    parser.add_argument("--pool", choices=("tree", "race", "or"), default="tree")
    parser.add_argument("--overshoot", choices=("lose", "keep"), default="lose")
    parser.add_argument("--ticks", type=int, default=64)
    parser.add_argument("--calibration", type=int, default=1000, help="rows, of which a fifth judges")
    parser.add_argument("--profile", default="loihi1")
    args = parser.parse_args()
    for name in [args.only] if args.only else NAMES:
        calibration, x, labels = rows(name)
        ann = sl.load_ann(FOLDER / f"{name}.onnx")
        conversion = sl.convert(ann, args.profile, calibration=calibration[: args.calibration], ticks=args.ticks,
                                pool=args.pool, overshoot=args.overshoot)  # fmt: skip
        wanted, got = ann.predict(x), sl.emulate(conversion.program, x).outputs
        nmse = np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2)
        right, on_chip = ((scores.argmax(axis=1) == labels).mean() for scores in (wanted, got))
        agreement = (got.argmax(axis=1) == wanted.argmax(axis=1)).mean()
        twin = sl.crosscheck(conversion.program, x[:1], reference="twin").equal
        scores = f"ANN {100 * right:.2f}, chip {100 * on_chip:.2f}, agrees {100 * agreement:.2f} %, NMSE {nmse:.4f}"
        equal = "equal" if twin else "differs"
        print(f"{name:10} {args.pool:4} {scores}, {conversion.program.n_cores} cores, twin {equal}")


if __name__ == "__main__":
    main()
