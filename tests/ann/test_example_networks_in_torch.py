"""Do the example networks come in alike as PyTorch modules and as ONNX files, and compute what torch does?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from spikeloom.ann.load import load_ann
from tolerances import STORED_EPSILON

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
EXAMPLES = Path(__file__).resolve().parents[2] / "python" / "examples"
SHAPES = {"residual": (1, 28, 28), "depthwise": (1, 28, 28), "pooled": (1, 8, 8), "line": (1, 64)}


def trained(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module as its script builds it, with the numbers of the committed file."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    scripts = set(sys.modules)
    from train_branches import build

    module = build(name)
    file = onnx.load(EXAMPLES / "networks" / f"{name}.onnx")
    numbers = {tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
               for tensor in file.graph.initializer}  # fmt: skip
    missing, unexpected = module.load_state_dict(numbers, strict=False)
    assert not unexpected
    assert all(key.endswith("num_batches_tracked") for key in missing)
    for script in set(sys.modules) - scripts:  # another test may have modules of these names
        if script in ("train_branches", "training", "small_data"):
            monkeypatch.delitem(sys.modules, script)
    return module.eval().double()


def alike(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.abs(got - wanted).max() <= STORED_EPSILON * np.abs(wanted).max())


@pytest.mark.parametrize("name", SHAPES)
def test_both_ways_give_the_same_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = trained(name, monkeypatch)
    by_module = load_ann(module, input_shape=SHAPES[name])
    by_file = load_ann(EXAMPLES / "networks" / f"{name}.onnx")
    assert by_module.sources == by_file.sources
    assert by_module.tail == by_file.tail
    np.testing.assert_array_equal(by_module.input_order, by_file.input_order)
    for a, b in zip(by_module.layers, by_file.layers, strict=True):
        assert (a.activation, a.input_shape, a.output_shape) == (b.activation, b.input_shape, b.output_shape)
        assert [(p.stride, p.padding, p.dilation, p.groups, p.input_pool) for p in a.parts] == [
            (p.stride, p.padding, p.dilation, p.groups, p.input_pool) for p in b.parts]  # fmt: skip
        assert alike(a.matrix, b.matrix)
        assert alike(a.bias, b.bias)
    x = np.random.default_rng(0).random((5, *SHAPES[name]))
    with torch.no_grad():
        wanted = module(torch.from_numpy(x)).numpy()
    assert alike(by_file.predict(x), wanted)
