"""Does every chain that the import claims to carry come out as ONNX computes it? Chains by Hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx_models import ModelBuilder, assert_equal
from spikeloom.ann.load import load_ann

Draw = st.DrawFn


def affine(draw: Draw, builder: ModelBuilder, *, shift: bool = True) -> None:
    """A constant operand: a scalar, one number per channel, or one per element of a vector."""
    operator = draw(st.sampled_from(["Mul", "Div", "Add", "Sub"] if shift else ["Mul", "Div"]))
    shape = builder.shape
    shapes = [(), (1,), (shape[0], *[1] * (len(shape) - 1)), (1, shape[0], *[1] * (len(shape) - 1))]
    values = builder.rng.uniform(0.5, 2.0, draw(st.sampled_from(shapes)))
    first = operator == "Div" or draw(st.booleans())
    builder.add(operator, builder.constant(values), first=first)


def convolution(draw: Draw, builder: ModelBuilder, *, shifted: bool) -> None:
    """Kernels up to 3 x 3, strides up to 2, and a padding of any kind unless a constant was added before."""
    _, height, width = builder.shape
    kernel = draw(st.integers(1, min(3, height))), draw(st.integers(1, min(3, width)))
    attributes: dict[str, object] = {"strides": [draw(st.integers(1, 2)), draw(st.integers(1, 2))]}
    padding = "VALID" if shifted else draw(st.sampled_from(["VALID", "SAME_UPPER", "SAME_LOWER", "pads"]))
    if padding == "pads":
        attributes["pads"] = [draw(st.integers(0, 2)) for _ in range(4)]
    else:
        attributes["auto_pad"] = padding
    builder.conv(draw(st.integers(1, 3)), kernel, **attributes)
    if draw(st.booleans()):
        affine(draw, builder)


def pool(draw: Draw, builder: ModelBuilder) -> None:
    """A window that divides the image."""
    _, height, width = builder.shape
    down = draw(st.sampled_from([d for d in (1, 2, 3) if height % d == 0]))
    right = draw(st.sampled_from([d for d in (1, 2, 3) if width % d == 0]))
    builder.pool(down, right)


def scaling_before(draw: Draw, builder: ModelBuilder) -> bool:
    """Perhaps a pooling and a scaling in front of a layer; whether a constant may have been added."""
    kinds = draw(st.lists(st.sampled_from(["pool", "scale", "shift"]), max_size=3))
    for kind in kinds:
        if kind == "pool" and len(builder.shape) == 3:
            pool(draw, builder)
        elif kind != "pool":
            affine(draw, builder, shift=kind == "shift")
    return "shift" in kinds


@st.composite
def chains(draw: Draw) -> ModelBuilder:
    """An image, up to two convolutional and two dense layers, with all that may lie between them."""
    shape = tuple(draw(st.integers(1, high)) for high in (3, 7, 7))
    n_convolutions = draw(st.integers(0, 2))
    builder = ModelBuilder(shape)
    for _ in range(n_convolutions):
        convolution(draw, builder, shifted=scaling_before(draw, builder))
        if draw(st.booleans()):
            pool(draw, builder)
        builder.relu()
    if n_convolutions == 2 and draw(st.booleans()):
        return builder
    scaling_before(draw, builder)
    builder.flatten()
    for _ in range(draw(st.integers(1, 2))):
        builder.gemm(draw(st.integers(1, 4)), transB=draw(st.integers(0, 1)))
        if draw(st.booleans()):
            affine(draw, builder)
        if draw(st.booleans()):
            builder.relu()
    return builder


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(chains())
def test_random_chains_equal_onnx(builder: ModelBuilder) -> None:
    model = builder.build()
    ann = load_ann(model)
    assert np.array_equal(np.sort(ann.input_order), np.arange(ann.layers[0].n_inputs))
    assert_equal(ann, model, rows=3)
