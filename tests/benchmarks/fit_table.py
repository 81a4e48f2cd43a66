"""How fast is the fit, and how near to the optimum is it proven? One line a problem, in CPU time of one thread.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/fit_table.py [PART ...]

The activity is that of the bundled images, the weights are drawn. Ratios are to one `numpy.linalg.lstsq` of 784 x 256
with 3000 rows, measured in the same run.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.ann.load import load_ann
from spikeloom.bundled.load import load_bundle
from spikeloom.fit.bound import dual_bound
from spikeloom.fit.layer import copy_layer, fit_layer, make_loss
from spikeloom.fit.limited import minimise_limited
from spikeloom.fit.prior import gain_copy
from spikeloom.fit.problem import LayerProblem, Response, WeightGrid
from spikeloom.fit.ridge import choose_ridge
from spikeloom.flows.convert import convert
from spikeloom.profile.catalog import load_profile

ROWS, INPUTS, OUTPUTS = 3000, 784, 256
TICKS = 32
Array = NDArray[np.float64]


def images(rows: int) -> Array:
    """(rows, 784) rates; beyond the bundled ones, others of them mirrored."""
    pixels = load_bundle("mlp").calibration.reshape(-1, INPUTS)
    mirrored = pixels.reshape(-1, 28, 28)[:, :, ::-1].reshape(-1, INPUTS)
    return np.round(np.concatenate((pixels, mirrored))[:rows] * TICKS) / TICKS


def layer(rows: int, n: int, m: int, objective: str, *, linear: bool = False, **more: Any) -> LayerProblem:
    """A rectifier layer behind images (some of their pixels), or a linear one, with a noisy target."""
    rng = np.random.default_rng(0)
    activity = images(rows)
    active = np.sort(np.argsort(-activity.var(axis=0), kind="stable")[:n])
    activity, weights = activity[:, active], 0.1 * rng.normal(size=(n, m))
    z = activity @ weights
    z = z + 0.1 * z.std() * rng.normal(size=z.shape)
    if linear:
        return LayerProblem("fc", activity, z, "identity", weights, np.zeros(m), 1.0, 1.0, Response.linear(), 1.0,
                            objective="l2", **more)  # fmt: skip
    scale = 0.9 / float(np.percentile(np.maximum(z, 0.0), 99))
    return LayerProblem("fc", activity, z, "relu", weights, np.zeros(m), 1.0, scale, Response.clipped(0.9), 0.9,
                        objective=objective, **more)  # fmt: skip


def lstsq_seconds() -> float:
    """CPU seconds of the yardstick."""
    problem = layer(ROWS, INPUTS, OUTPUTS, "l2", linear=True)
    design = np.column_stack([problem.activity, np.ones(ROWS)])
    started = process_time()
    np.linalg.lstsq(design, problem.target, rcond=None)
    return process_time() - started


def limited(unit: float) -> None:
    """Boxes and signs."""
    cases = [("least squares", True, "l2", (0.5, 0.3, 0.2)), ("one-sided l2", False, "l2", (0.3,)),
             ("matching", False, "matching", (0.3, 0.15))]  # fmt: skip
    for name, linear, objective, boxes in cases:
        problem = layer(ROWS, INPUTS, OUTPUTS, objective, linear=linear)
        prior, _ = gain_copy(problem)
        ridge = 0.0 if linear else choose_ridge(problem, make_loss(problem), prior, keep_gain=False)
        for box in boxes:
            ends = np.full(prior.shape, box * np.abs(prior).max())
            _one(f"{name}, |V| <= {box} of the largest", problem, prior, ridge, (-ends, ends), unit)
        if not linear:
            some = np.random.default_rng(1).random((INPUTS, 1)) < 0.5
            low, high = np.where(some, 0.0, -np.inf), np.where(some, np.inf, 0.0)
            ends = np.broadcast_to(low, prior.shape), np.broadcast_to(high, prior.shape)
            _one(f"{name}, one sign a line", problem, prior, ridge, ends, unit)


def _one(
    name: str, problem: LayerProblem, prior: Array, ridge: float, ends: tuple[Array, Array], unit: float
) -> None:
    loss = make_loss(problem)
    started = process_time()
    found = minimise_limited(loss, problem.activity, prior, ridge, *ends)
    seconds = process_time() - started
    slope = loss.slope(problem.activity @ found.weights + found.bias)
    bound = dual_bound(loss, problem.activity, prior, slope, ridge=ridge, limits=ends).sum()
    gap = 1.0 - bound / found.loss.sum()
    held = np.mean((found.weights <= ends[0]) | (found.weights >= ends[1]))
    print(f"{name}: gap {100 * gap:.2f} %, {seconds:.1f} s = {seconds / unit:.1f} lstsq, "
          f"{100 * held:.0f} % of the weights at a limit", flush=True)  # fmt: skip


def programs(unit: float) -> None:
    """The least absolute error over a box that is chosen on held-out rows, all outputs side by side."""
    for rows, n, m in ((2000, 256, 128), (4000, INPUTS, OUTPUTS)):
        problem = layer(rows, n, m, "l1")
        started = process_time()
        fit = fit_layer(problem)
        seconds = process_time() - started
        print(f"l1 {n} x {m}, {rows} rows: gap {100 * fit.gap:.3f} % ({fit.bound_tag}), {seconds:.1f} s = "
              f"{seconds / unit:.0f} lstsq", flush=True)  # fmt: skip


def signs(unit: float) -> None:
    """One sign for all that a line sends: behind the first layer of the bundled network, 200 x 100."""
    bundle = load_bundle("mlp")
    first, second = load_ann(bundle.onnx_path).layers[:2]
    hidden = np.maximum(first.preactivation(bundle.calibration.reshape(-1, first.n_inputs)[:2000]), 0.0)
    scale = float(np.percentile(hidden, 99.9))
    activity = np.round(np.clip(hidden / scale, 0.0, 1.0) * TICKS) / TICKS
    problem = LayerProblem("fc2", activity, second.preactivation(hidden), "identity", second.matrix, second.bias,
                           1.0 / scale, 1.0, Response.linear(), 1.0, WeightGrid(one_sign=True),
                           objective="l2")  # fmt: skip
    started = process_time()
    fit = fit_layer(problem)
    seconds, chosen, copy = process_time() - started, fit.signs, copy_layer(problem)
    free = fit_layer(replace(problem, grid=WeightGrid(), ridge=fit.lambda_))
    assert chosen is not None
    losses = (
        f"clipped {copy.loss:.4f}, signs of the majority {chosen.majority_loss:.4f}, chosen {fit.loss:.4f}"
    )
    print(
        f"one sign a line, {problem.n_inputs} x {problem.n_outputs}: {losses} ({chosen.flipped} flipped), "
        f"without signs {free.loss:.4f}; {seconds:.1f} s = {seconds / unit:.0f} lstsq"
    )


def rounding(unit: float) -> None:
    """The bundled network's first layer at 3 bits, a scale for each output."""
    bundle = load_bundle("mlp")
    first, activity = load_ann(bundle.onnx_path).layers[0], images(4000)
    problem = LayerProblem("fc1", activity, first.preactivation(activity), "identity", first.matrix, first.bias, 1.0,
                           1.0, Response.linear(), 1.0, WeightGrid((-3, 3, 1)), objective="l2")  # fmt: skip
    started = process_time()
    fit = fit_layer(problem)
    seconds = process_time() - started
    print(
        f"3 bits, {problem.n_inputs} x {problem.n_outputs}: excess {fit.rounding_loss:.5f} of the variance, plain "
        f"rounding {fit.plain_rounding_loss:.5f}; {seconds:.1f} s = {seconds / unit:.0f} lstsq"
    )


def conversion(unit: float) -> None:
    """A whole network at 4 bits, with its memory."""
    rng, sizes = np.random.default_rng(0), (INPUTS, 256, 128, 10)
    layers = tuple(
        AnnLayer(f"fc{k + 1}", rng.normal(size=(n, m)) * np.sqrt(2 / n), np.zeros(m),
                 "identity" if m == sizes[-1] else "relu", (n,), (m,))
        for k, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False))
    )  # fmt: skip
    ann = Ann("mlp", (INPUTS,), layers, None, np.arange(INPUTS))
    chip = load_profile("loihi1", override={"weights.bits": 4})
    before, wall, started = _memory(), perf_counter(), process_time()
    convert(ann, chip, calibration=images(2000), ticks=TICKS)
    seconds, wall = process_time() - started, perf_counter() - wall
    print(f"784-256-128-10 at 4 bits, 2000 rows: {seconds:.1f} s CPU, {wall:.1f} s by the clock, "
          f"at most {_memory():.2f} GiB ({before:.2f} before)")  # fmt: skip


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


PARTS: dict[str, Callable[[float], None]] = {
    "limited": limited, "programs": programs, "signs": signs, "rounding": rounding, "conversion": conversion,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "part",
        nargs="*",
        default=["conversion", "limited", "programs", "rounding", "signs"],
        help=", ".join(PARTS),
    )
    unit = lstsq_seconds()
    print(f"lstsq {INPUTS} x {OUTPUTS}, {ROWS} rows: {unit:.2f} s")
    for part in parser.parse_args().part:
        PARTS[part](unit)


if __name__ == "__main__":
    main()
