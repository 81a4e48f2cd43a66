"""One function per module or function of PyTorch: its call to the steps that it stands for.

Semantics are those of PyTorch's own pages at inference. What these functions do not carry over exactly is refused
by the module's path or the traced call's name.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from spikeloom.ann.checks import dilated
from spikeloom.ann.graph import FloatArray
from spikeloom.ann.steps import (
    Activation,
    Affine,
    AveragePool,
    Convolution,
    Dense,
    MaxPool,
    Padding,
    Reshape,
    Step,
    Transpose,
    leaky_relu,
    normalisation,
)
from spikeloom.ann.torch.call import Call

Steps = tuple[Step, ...]


def _numbers(tensor: Any) -> FloatArray:
    return np.asarray(tensor.detach().numpy(), dtype=np.float64)


def _linear(call: Call) -> Steps:
    weights, bias = _numbers(call.module.weight).T, call.module.bias
    vector = np.zeros(weights.shape[1]) if bias is None else _numbers(bias)
    return (Dense(*call.labels, weights, vector),)


def _conv(call: Call) -> Steps:
    """Conv1d, as an image of height 1, or Conv2d."""
    module = call.module
    kernels = _numbers(module.weight)  # (out, in, ky, kx)
    rank = kernels.ndim - 2
    call.demand("padding_mode", module.padding_mode, "zeros")
    kernels = kernels if rank == 2 else kernels[:, :, np.newaxis]
    stride, dilation = (1, *module.stride)[-2:], (1, *module.dilation)[-2:]
    padding = _conv_padding(call, dilated(kernels.shape[2:], dilation))
    bias = np.zeros(len(kernels)) if module.bias is None else _numbers(module.bias)
    return (
        Convolution(
            *call.labels, kernels.transpose(1, 2, 3, 0), bias, stride, padding, dilation, module.groups
        ),
    )


def _conv_padding(call: Call, kernel: tuple[int, int]) -> tuple[int, int, int, int]:
    padding = call.module.padding
    if padding == "same":  # one more at the end where the kernel is even
        totals = [side - 1 for side in kernel]
        top, left = (total // 2 for total in totals)
        return top, left, totals[0] - top, totals[1] - left
    down, right = (0, 0) if padding == "valid" else (0, *padding)[-2:]
    return down, right, down, right


def _average(call: Call) -> Steps:
    """AvgPool1d or AvgPool2d with windows that tile the image."""
    call.demand("divisor_override", call.option("divisor_override", 6), None)
    return (AveragePool(*call.labels, _tiles(call, ceil_mode=4)),)


def _max(call: Call) -> Steps:
    """MaxPool1d or MaxPool2d, which torch pads by half a window at most."""
    window, stride, padding = _windows(call, ceil_mode=5)
    call.demand("dilation", set(call.sides("dilation", 4, 1, len(window))), {1})
    call.demand("return_indices", call.option("return_indices", 6, False), False)
    (down, across), (top, left) = (1, *stride)[-2:], (0, *padding)[-2:]
    return (MaxPool(*call.labels, (1, *window)[-2:], (down, across), (top, left, top, left)),)  # type: ignore[arg-type]


def _windows(call: Call, ceil_mode: int) -> tuple[tuple[int, ...], ...]:
    """Window, stride and padding of a pooling; ceil_mode: the place of that argument."""
    rank = 1 if "1d" in call.operator.lower() else 2
    window = call.sides("kernel_size", 1, None, rank)
    stride = window if call.option("stride", 2) in (None, ()) else call.sides("stride", 2, None, rank)
    call.demand("ceil_mode", call.option("ceil_mode", ceil_mode, False), False)
    return window, stride, call.sides("padding", 3, 0, rank)


def _tiles(call: Call, ceil_mode: int) -> tuple[int, int]:
    """The windows of an average, which must tile the image."""
    window, stride, padding = _windows(call, ceil_mode)
    rank = len(window)
    call.demand("stride", stride, window)
    call.demand("padding", set(padding), {0})
    rest = [side % across for side, across in zip(call.shape[-rank:], window, strict=False)]
    if any(rest):
        raise call.refusal(
            "its window does not divide the image", "use a window that does", window, call.shape
        )
    return (1, *window)[-2:]  # type: ignore[return-value]


def _adaptive(call: Call) -> Steps:
    """AdaptiveAvgPool: windows of one size, where the output divides the image."""
    rank = 1 if "1d" in call.operator.lower() else 2
    sides = call.shape[-rank:]
    wanted = call.option("output_size", 1)
    wanted = tuple(wanted) if isinstance(wanted, tuple | list) else (wanted,) * rank
    wanted = tuple(side if want is None else want for want, side in zip(wanted, sides, strict=True))
    if any(side % want for side, want in zip(sides, wanted, strict=True)):
        raise call.refusal("its windows overlap", "use an output_size that divides the image", wanted, sides)
    window = tuple(side // want for side, want in zip(sides, wanted, strict=True))
    return (AveragePool(*call.labels, (1, *window)[-2:]),)


def _mean(call: Call) -> Steps:
    """x.mean((2, 3)): the mean over an image."""
    axes, rank = call.option("dim", 1), len(call.shape) - 1
    axes = {axis % (rank + 2) for axis in ((axes,) if isinstance(axes, int) else axes or ())}
    call.demand("dim", axes, set(range(2, rank + 2)))
    keep = call.option("keepdim", 2, False)
    pool = AveragePool(*call.labels, (1, *call.shape[1:])[-2:])  # type: ignore[arg-type]
    return (pool,) if keep else (pool, Reshape(*call.labels, call.shape[:1]))


def _batch_norm(call: Call) -> Steps:
    module, n = call.module, call.module.num_features
    if module.running_mean is None:
        problem = "it keeps no running statistics"
        raise call.refusal(problem, "train it with track_running_stats=True")
    scale = np.ones(n) if module.weight is None else _numbers(module.weight)
    offset = np.zeros(n) if module.bias is None else _numbers(module.bias)
    mean, variance = _numbers(module.running_mean), _numbers(module.running_var)
    rank = len(call.shape)
    return (normalisation(*call.labels, rank, mean, variance, module.eps, scale, offset),)


def _activation(kind: str) -> Callable[[Call], Steps]:
    return lambda call: (Activation(*call.labels, kind),)


def _leaky_relu(call: Call) -> Steps:
    return (leaky_relu(*call.labels, float(call.option("negative_slope", 1, 0.01))),)


def _relu6(call: Call) -> Steps:
    return (Activation(*call.labels, "clip", 6.0),)


def _clamp(call: Call) -> Steps:
    """Hardtanh, hardtanh and clamp from 0: a ReLU with a ceiling, or without one."""
    is_clamp = call.operator == "clamp"
    low = call.option("min" if is_clamp else "min_val", 1, None if is_clamp else -1.0)
    high = call.option("max" if is_clamp else "max_val", 2, None if is_clamp else 1.0)
    call.demand("the lower end", low, 0)
    return (Activation(*call.labels, "relu"),) if high is None else (
        Activation(*call.labels, "clip", float(high)),)  # fmt: skip


def _flatten(call: Call) -> Steps:
    """From the first axis of a sample on, or from a later one."""
    rank = len(call.shape) + 1
    start, stop = (call.option(name, k, default) % rank for name, k, default in
                   (("start_dim", 1, 1 if call.module is not None else 0), ("end_dim", 2, -1)))  # fmt: skip
    if start == 0:
        raise call.refusal("it does not keep the batch axis", "use start_dim = 1")
    first, last = start - 1, stop - 1
    shape = (*call.shape[:first], prod(call.shape[first : last + 1]), *call.shape[last + 1 :])
    return (Reshape(*call.labels, shape),)


def _view(call: Call) -> Steps:
    """x.view(x.size(0), ...) or x.view(-1, ...)."""
    target = call.arguments[1:]
    batch, *sides = target[0] if len(target) == 1 and isinstance(target[0], tuple | list) else target
    if not sides or not all(isinstance(side, int) for side in sides) or batch not in (None, -1):
        raise call.refusal(
            "it does not keep the batch axis", "use flatten(1), or view(x.size(0), -1)", target
        )
    known = prod(side for side in sides if side != -1)
    if sides.count(-1) == 1 and known > 0:
        sides[sides.index(-1)] = prod(call.shape) // known
    if min(sides) < 1 or prod(sides) != prod(call.shape):
        raise call.refusal(
            "it does not keep the batch axis", "use flatten(1), or view(x.size(0), -1)", target
        )
    return (Reshape(*call.labels, tuple(sides)),)


def _unsqueeze(call: Call) -> Steps:
    axis = call.option("dim", 1) % (len(call.shape) + 2)
    if axis == 0:
        raise call.refusal("it moves the batch axis", "use dim >= 1")
    return (Reshape(*call.labels, (*call.shape[: axis - 1], 1, *call.shape[axis - 1 :])),)


def _squeeze(call: Call) -> Steps:
    dims = call.option("dim", 1)
    if dims is None:
        raise call.refusal("without dim it may drop the batch axis", "name the axes")
    axes = {axis % (len(call.shape) + 1) for axis in ((dims,) if isinstance(dims, int) else dims)}
    shape = tuple(side for k, side in enumerate(call.shape, 1) if k not in axes or side != 1)
    return (Reshape(*call.labels, shape),)


def _permute(call: Call) -> Steps:
    axes = call.arguments[1] if isinstance(call.arguments[1], tuple | list) else call.arguments[1:]
    batch, *rest = (axis % (len(call.shape) + 1) for axis in axes)
    if batch != 0:
        raise call.refusal("it moves the batch axis", "leave axis 0 in its place", axes)
    return (Transpose(*call.labels, tuple(axis - 1 for axis in rest)),)


def _pad(call: Call) -> Steps:
    """F.pad and ZeroPad: (left, right, top, bottom), of zeros."""
    if call.module is None:
        call.demand("mode", call.option("mode", 2, "constant"), "constant")
        call.demand("value", call.option("value", 3) or 0, 0)
    sides = call.option("padding" if call.module is not None else "pad", 1)
    left, right, top, bottom = (*sides, 0, 0)[:4]
    if min(sides) < 0 or len(sides) > 4:
        raise call.refusal("its padding is not that of an image", "use two or four numbers >= 0", sides)
    return (Padding(*call.labels, (top, left, bottom, right)),)


def _scaling(call: Call) -> Steps:
    """add, sub, mul or truediv of the tensor on the chain and a constant."""
    values = [hasattr(argument, "users") for argument in call.arguments]
    if len(values) != 2 or values.count(True) != 1 or call.options:
        raise call.refusal("it has no constant operand", "export the network as a plain chain")
    place = values.index(True)
    constant = np.asarray(call.arguments[1 - place], dtype=np.float64)
    if constant.ndim > len(call.shape):
        constant = constant.reshape(constant.shape[constant.ndim - len(call.shape) :])
    one, zero = np.ones(1), np.zeros(1)
    operator = call.operator.removesuffix("_")
    if operator == "add":
        return (Affine(*call.labels, one, constant),)
    if operator == "mul":
        return (Affine(*call.labels, constant, zero),)
    if operator == "sub":
        return (Affine(*call.labels, one, -constant) if place == 0 else Affine(*call.labels, -one, constant),)
    if place == 1 or not constant.all():
        raise call.refusal("it divides by the network's signal, or by zero", "export the network without it")
    return (Affine(*call.labels, 1.0 / constant, zero),)


def _nothing(call: Call) -> Steps:
    return ()


def _dropout(call: Call) -> Steps:
    """Nothing at inference; a functional one must follow the module's own mode."""
    if call.module is None:
        call.demand("training", call.option("training", 2, True), False)
    return ()


MODULES: dict[str, Callable[[Call], Steps]] = {
    "Linear": _linear, "Conv1d": _conv, "Conv2d": _conv,
    "MaxPool1d": _max, "MaxPool2d": _max, "AvgPool1d": _average, "AvgPool2d": _average,
    "AdaptiveAvgPool1d": _adaptive, "AdaptiveAvgPool2d": _adaptive,
    "BatchNorm1d": _batch_norm, "BatchNorm2d": _batch_norm,
    "ReLU": _activation("relu"), "ReLU6": _relu6, "LeakyReLU": _leaky_relu, "Hardtanh": _clamp,
    "Sigmoid": _activation("sigmoid"), "Tanh": _activation("tanh"),
    "Flatten": _flatten, "ZeroPad1d": _pad, "ZeroPad2d": _pad,
    "Identity": _nothing, "Dropout": _nothing, "Dropout1d": _nothing, "Dropout2d": _nothing,
}  # fmt: skip
CALLS: dict[str, Callable[[Call], Steps]] = {
    "max_pool1d": _max, "max_pool2d": _max, "avg_pool1d": _average, "avg_pool2d": _average,
    "adaptive_avg_pool1d": _adaptive, "adaptive_avg_pool2d": _adaptive, "mean": _mean,
    "relu": _activation("relu"), "relu_": _activation("relu"), "relu6": _relu6, "leaky_relu": _leaky_relu,
    "hardtanh": _clamp, "clamp": _clamp, "sigmoid": _activation("sigmoid"), "tanh": _activation("tanh"),
    "flatten": _flatten, "view": _view, "reshape": _view, "unsqueeze": _unsqueeze, "squeeze": _squeeze,
    "permute": _permute, "pad": _pad, "contiguous": _nothing, "dropout": _dropout,
    "add": _scaling, "sub": _scaling, "mul": _scaling, "truediv": _scaling, "div": _scaling,
}  # fmt: skip
TAILS = {
    "Softmax": "softmax", "LogSoftmax": "softmax", "softmax": "softmax", "log_softmax": "softmax",
    "argmax": "argmax",
}  # fmt: skip
