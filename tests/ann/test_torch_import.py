"""Does an imported PyTorch network compute what PyTorch says, and is what is not understood refused by name?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx_models import ROUNDING, one_line
from spikeloom.ann.load import load_ann
from spikeloom.errors import AnnError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
nn, functional = torch.nn, torch.nn.functional

Shape = tuple[int, ...] | None
LINE, IMAGE = (2, 8), (2, 6, 8)


def chain(*modules: Any) -> Any:
    return nn.Sequential(*modules)


class Traced(nn.Module):  # type: ignore[misc, name-defined]
    """A network whose forward pass is the given function of itself and its input."""

    def __init__(self, forward: Callable[[Any, Any], Any], **modules: Any) -> None:
        super().__init__()
        self._forward = forward
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x: Any) -> Any:
        return self._forward(self, x)


def traced(forward: Callable[[Any, Any], Any], shape: Shape = IMAGE) -> tuple[Any, Shape]:
    """A forward pass over one layer that fits the shape."""
    layer = {1: lambda: nn.Linear(6, 6), 2: lambda: nn.Conv1d(2, 3, 3), 3: lambda: nn.Conv2d(2, 3, 3)}
    return Traced(forward, a=layer[len(shape or (0,))](), fc=nn.Linear(72, 4)), shape


def settled(module: Any) -> Any:
    """Running statistics and weights as training leaves them, not as they begin."""
    torch.manual_seed(3)
    for part in module.modules():
        if "BatchNorm" in type(part).__name__ and part.running_mean is not None:
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
            if part.weight is not None:
                part.weight.data.normal_()
                part.bias.data.normal_()
    return module


class Residual(nn.Module):  # type: ignore[misc, name-defined]
    """A stem with max pooling, a block with a strided skip, and a concatenation behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = chain(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
        self.straight = chain(nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU(),
                              nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6))  # fmt: skip
        self.skip = chain(nn.Conv2d(4, 6, 1, stride=2), nn.BatchNorm2d(6))
        self.depthwise = chain(nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.BatchNorm2d(6), nn.ReLU())
        self.readout = nn.Linear(48, 3)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        x = functional.relu(self.straight(x) + self.skip(x))
        return self.readout(torch.cat([x, self.depthwise(x)], dim=1).flatten(1))


NETWORKS: dict[str, Callable[[], tuple[Any, Shape]]] = {
    "residual": lambda: (Residual(), (2, 8, 8)),
    "max of a line": lambda: (
        chain(nn.Conv1d(2, 3, 3, padding=1), nn.MaxPool1d(2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3)), LINE),
    "overlapping maxima": lambda: (
        chain(nn.Conv2d(2, 3, 3), nn.MaxPool2d(3, 2, 1), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Conv2d(3, 2, 1)), IMAGE),
    "a functional maximum": lambda: traced(lambda n, x: functional.max_pool2d(n.a(x).relu(), 2)),
    "a sum": lambda: traced(lambda n, x: n.a(x).relu() + x, (6,)),
    "mlp": lambda: (chain(nn.Linear(6, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 3)), None),
    "no bias": lambda: (chain(nn.Linear(6, 5, bias=False), nn.ReLU(), nn.Linear(5, 3)), None),
    "activations": lambda: (
        chain(nn.Linear(6, 5), nn.ReLU6(), nn.Linear(5, 4), nn.LeakyReLU(0.2), nn.Linear(4, 4), nn.Tanh(),
              nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 3), nn.Hardtanh(0, 2), nn.Linear(3, 2)), None),
    "batch norm behind a layer": lambda: (
        chain(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)), (6,)),
    "batch norm behind relu": lambda: (
        chain(nn.Linear(6, 5), nn.ReLU(), nn.BatchNorm1d(5, affine=False), nn.Linear(5, 3)), (6,)),
    "batch norm of images": lambda: (
        chain(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 4, (2, 3), stride=2),
              nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)), IMAGE),
    "batch norm before an unpadded convolution": lambda: (
        chain(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 3)), IMAGE),
    "a line": lambda: (
        chain(nn.Conv1d(2, 3, 3, padding=1, stride=2), nn.BatchNorm1d(3), nn.ReLU(), nn.AvgPool1d(2),
              nn.Conv1d(3, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(2, 2)), LINE),
    "padding same, even kernel": lambda: (
        chain(nn.Conv2d(2, 3, (2, 3), padding="same"), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)), IMAGE),
    "groups and dilation": lambda: (
        chain(nn.Conv2d(2, 4, (3, 2), groups=2, dilation=(1, 3)), nn.ReLU(),
              nn.Conv2d(4, 4, 3, groups=4, padding="same", dilation=2)), IMAGE),
    "zeros around": lambda: (chain(nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(2, 3, 3)), IMAGE),
    "pools": lambda: (
        chain(nn.AvgPool2d(2), nn.Conv2d(2, 3, 2), nn.AvgPool2d((1, 3)), nn.ReLU(), nn.Conv2d(3, 2, 1)), IMAGE),
    "functional": lambda: traced(
        lambda n, x: n.fc(torch.flatten(functional.relu(n.a(x)), 1))),
    "methods": lambda: traced(lambda n, x: n.fc(n.a(x).relu().flatten(1))),
    "view with a size": lambda: traced(lambda n, x: n.fc(n.a(x).relu().view(x.size(0), -1))),
    "reshape with a shape": lambda: traced(lambda n, x: n.fc(n.a(x).relu().reshape(x.shape[0], 72))),
    "functional dropout": lambda: traced(
        lambda n, x: n.fc(functional.dropout(n.a(x).relu(), 0.5, n.training).flatten(1))),
    "functional pools": lambda: traced(
        lambda n, x: functional.avg_pool2d(functional.leaky_relu(n.a(x), 0.3), (2, 3))),
    "mean over the image": lambda: traced(lambda n, x: n.a(x).sigmoid().mean((2, 3)) * 2),
    "clamp": lambda: traced(lambda n, x: n.a(torch.clamp(n.a(x), 0, 1.5)).clamp(min=0), (6,)),
    "scaling": lambda: traced(lambda n, x: n.a((x - 0.5) / 2.0).relu() * 3 + 1, (6,)),
    "constant minus signal": lambda: traced(lambda n, x: (1.0 - n.a(x)).tanh(), (6,)),
    "padding of a line": lambda: traced(lambda n, x: n.a(functional.pad(x, (1, 2))), LINE),
    "axes": lambda: traced(
        lambda n, x: n.a(x.permute(0, 2, 1).unsqueeze(1).squeeze(1).contiguous()), (8, 2)),
    "scores": lambda: traced(lambda n, x: functional.log_softmax(n.a(x), dim=1), (6,)),
    "classes": lambda: traced(lambda n, x: torch.argmax(n.a(x), dim=1), (6,)),
    "probabilities": lambda: (chain(nn.Linear(6, 3), nn.Softmax(1)), None),
    "a probability": lambda: (chain(nn.Linear(6, 1), nn.Sigmoid()), None),
}  # fmt: skip
TAILS = {"scores": "softmax", "classes": "argmax", "probabilities": "softmax", "a probability": "sigmoid"}


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # PyTorch may copy the input
@pytest.mark.parametrize("name", NETWORKS)
def test_import_equals_pytorch(name: str) -> None:
    module, shape = NETWORKS[name]()
    module = settled(module)
    ann = load_ann(module, input_shape=shape)
    assert ann.tail == TAILS.get(name)
    x = np.random.default_rng(7).standard_normal((5, *ann.input_shape))
    with torch.no_grad():
        expected = module.eval().double()(torch.from_numpy(x))
    got = torch.from_numpy(ann.predict(x))
    if ann.tail is not None:
        kind = "log_softmax" if name == "scores" else ann.tail
        got = got.sigmoid() if kind == "sigmoid" else getattr(torch, kind)(got, dim=1)
    if expected.ndim > 2:  # images are numbered channels-last
        expected = expected.movedim(1, -1).reshape(5, -1)
    assert (got - expected).abs().max() <= ROUNDING * max(1.0, expected.abs().max())


def test_the_module_stays_as_it_is() -> None:
    module = chain(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 3))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    load_ann(module, input_shape=(6,))
    assert module.training
    assert all(value.dtype == before[name].dtype for name, value in module.state_dict().items())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_layers_are_named_after_their_modules() -> None:
    module = chain(chain(nn.Linear(6, 5), nn.ReLU()), nn.Linear(5, 3))
    assert [layer.name for layer in load_ann(module, input_shape=(6,)).layers] == ["layer_0_0", "layer_1"]


REFUSED: dict[str, tuple[str, Callable[[], tuple[Any, Shape]]]] = {
    "unknown module": (r"operator GELU \(module '1'\)", lambda: (chain(nn.Linear(6, 5), nn.GELU()), None)),
    "unknown function": (r"operator cumsum \(call 'cumsum'\)", lambda: traced(lambda n, x: n.a(x).cumsum(1), (6,))),
    "a product of signals": ("joins branches", lambda: traced(lambda n, x: n.a(x) * n.a(x), (6,))),
    "flow that depends on values": (
        "cannot trace", lambda: traced(lambda n, x: n.a(x) if x.sum() > 0 else x, (6,))),
    "two outputs": ("not the end of a chain", lambda: traced(lambda n, x: (n.a(x), 1), (6,))),
    "reflection": ("padding_mode", lambda: (nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), IMAGE)),
    "overlapping pool": ("stride", lambda: (nn.AvgPool2d(2, 1), IMAGE)),
    "pool with a rest": ("does not divide", lambda: (nn.AvgPool2d(4), IMAGE)),
    "padded pool": ("padding", lambda: (nn.AvgPool2d(2, padding=1), IMAGE)),
    "uneven adaptive pool": ("overlap", lambda: (nn.AdaptiveAvgPool2d(4), IMAGE)),
    "ceiling below zero": ("lower end", lambda: (chain(nn.Linear(6, 5), nn.Hardtanh()), None)),
    "no statistics": ("statistics", lambda: (nn.BatchNorm1d(6, track_running_stats=False), (6,))),
    "dropout in use": (
        "training", lambda: traced(lambda n, x: functional.dropout(n.a(x), 0.5), (6,))),
    "padding before an activation": (
        "padded", lambda: traced(lambda n, x: functional.pad(n.a(x), (1, 1)).relu(), LINE)),
    "batch moved": ("batch axis", lambda: traced(lambda n, x: n.a(x).flatten(), (6,))),
    "transposed batch": ("batch axis", lambda: traced(lambda n, x: n.a(x).permute(1, 0), (6,))),
    "division of a constant": ("divides", lambda: traced(lambda n, x: 1.0 / n.a(x), (6,))),
    "open shape": ("input_shape", lambda: (nn.Conv2d(2, 2, 3), None)),
    "no shape": ("input_shape", lambda: (nn.Linear(6, 2), ())),
    "wrong shape": ("flat vector", lambda: (nn.Linear(6, 2), (5,))),
}  # fmt: skip


@pytest.mark.parametrize(("problem", "build"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_name(problem: str, build: Callable[[], tuple[Any, Shape]]) -> None:
    module, shape = build()
    with pytest.raises(AnnError, match=problem) as caught:
        load_ann(module, input_shape=shape)
    one_line(caught.value)
