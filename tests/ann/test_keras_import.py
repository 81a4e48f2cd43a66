"""Does an imported Keras model compute what Keras says, and is an unsafe or unknown one refused in one line?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import one_line
from spikeloom.ann.load import load_ann
from spikeloom.ann.verify import RELATIVE_TOLERANCE
from spikeloom.errors import AnnError


def test_a_keras_file_without_keras_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    (tmp_path / "net.keras").write_bytes(b"")
    with pytest.raises(AnnError, match="Keras, which is not installed") as caught:
        load_ann(tmp_path / "net.keras")
    assert 'pip install "spikeloom[keras]"' in one_line(caught.value)


pytestmark = pytest.mark.filterwarnings("ignore")  # of the backends and their exporters


@pytest.fixture(scope="module")
def keras() -> Any:
    for exporter in ("onnxscript", "torch"):
        pytest.importorskip(exporter, reason=f"{exporter}, which Keras' export needs here, is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        return pytest.importorskip("keras", reason="Keras is not installed")


def dense(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, "relu"), layers.Dense(4, "tanh"), layers.Dense(3)]
    )


def image(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((8, 8, 2)), layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(),
         layers.AveragePooling2D(2), layers.Conv2D(3, 3, strides=2, activation="relu"), layers.Flatten(),
         layers.Dropout(0.2), layers.Dense(5, "softmax")]
    )  # fmt: skip


def pooled(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((6, 6, 2)), layers.DepthwiseConv2D(3), layers.LeakyReLU(negative_slope=0.1),
         layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid")]
    )  # fmt: skip


MODELS: dict[str, tuple[Callable[[Any], Any], str | None]] = {
    "dense": (dense, None), "image": (image, "softmax"), "pooled": (pooled, "sigmoid"),
}  # fmt: skip


@pytest.mark.parametrize(("build", "tail"), MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("as_file", [False, True])
def test_import_equals_keras(keras: Any, build: Any, tail: str | None, as_file: bool, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = build(keras)
    source: Any = model
    if as_file:
        source = tmp_path / "net.keras"
        model.save(source)
    ann = load_ann(source)
    assert ann.tail == tail
    assert ann.name == ("net" if as_file else model.name)
    x = np.random.default_rng(2).standard_normal((4, *ann.input_shape)).astype(np.float32)
    expected = keras.ops.convert_to_numpy(model(x, training=False))
    got = ann.predict(x)
    if tail == "softmax":
        got = np.exp(got) / np.exp(got).sum(axis=1, keepdims=True)
    if tail == "sigmoid":
        got = 1 / (1 + np.exp(-got))
    assert np.abs(got - expected).max() <= RELATIVE_TOLERANCE * np.abs(expected).max()


def test_code_in_a_file_is_refused(keras: Any, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(2)])
    model.save(tmp_path / "net.keras")
    with pytest.raises(AnnError, match="cannot be read in safe mode"):
        load_ann(tmp_path / "net.keras")


def test_what_is_not_understood_is_refused_by_its_operator(keras: Any) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softplus"), keras.layers.Dense(2)])
    with pytest.raises(AnnError, match="operator Softplus"):
        load_ann(model)


def test_an_open_shape_is_asked_for(keras: Any) -> None:
    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(AnnError, match="does not say the shape") as caught:
        load_ann(model)
    assert "input_shape" in one_line(caught.value)
    assert load_ann(model, input_shape=(3,)).input_shape == (3,)
