"""Multi-layer perceptrons of scikit-learn, alone or behind scalers in a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.ann.activation import activate
from spikeloom.ann.graph import Ann, FloatArray
from spikeloom.ann.lower import Lowering
from spikeloom.ann.steps import Activation, Affine, Dense, Step
from spikeloom.ann.verify import Framework, Seen, softmax, verify
from spikeloom.errors import AnnError

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "logistic": "sigmoid"}
_TAILS = {"identity": None, "softmax": "softmax", "logistic": "sigmoid"}
_KNOWN = "give a fitted MLPClassifier or MLPRegressor, alone or at the end of a Pipeline of scalers"


def load_sklearn(source: BaseEstimator, *, input_shape: tuple[int, ...] | None = None) -> Ann:
    """Read a fitted `MLPClassifier` or `MLPRegressor`, or a `Pipeline` of scalers that ends in one.

    A scaler (StandardScaler, MinMaxScaler, MaxAbsScaler) becomes part of the first layer. The softmax or
    logistic function behind a classifier's last layer is cut off and remembered. The result is compared with
    `predict`, of a classifier `predict_proba`, on random input.

    Args:
        source: the estimator.
        input_shape: (features,), which the estimator knows already.

    Raises:
        AnnError: if it is not fitted, is another estimator, or holds a step that is not carried over.
    """
    stages = _stages(source)
    *scalers, (name, network) = stages
    if type(network).__name__ not in ("MLPClassifier", "MLPRegressor"):
        raise _refusal(name, network, "this estimator is not supported")
    if not hasattr(network, "coefs_"):
        raise _refusal(name, network, "it is not fitted")
    shape = (int(stages[0][1].n_features_in_),)
    if input_shape is not None and tuple(input_shape) != shape:
        problem, remedy = "input_shape contradicts the estimator", "leave input_shape out"
        raise AnnError(f"estimator {name}", problem, value=input_shape, limit=shape, remedy=remedy)
    if network.out_activation_ not in _TAILS:
        raise _refusal(name, network, f"its output function {network.out_activation_} is not supported")
    lowering = Lowering(name, shape)
    for scaler_name, scaler in scalers:
        lowering.add(_scaling(scaler_name, scaler))
    for step in _layers(network):
        lowering.add(step)
    ann = lowering.finish(_TAILS[network.out_activation_])
    dtype = network.coefs_[0].dtype
    verify(ann, "scikit-learn", _answer(source, network), dtype=dtype, seen=_seen(network))
    return ann


def _stages(source: Any) -> list[tuple[str, Any]]:
    """(name, estimator) of each stage, without those that pass their input through."""
    steps = source.steps if type(source).__name__ == "Pipeline" else [(type(source).__name__, source)]
    return [(name, stage) for name, stage in steps if stage is not None and stage != "passthrough"] or [
        (type(source).__name__, source)
    ]


def _refusal(name: str, stage: object, problem: str) -> AnnError:
    return AnnError(f"estimator {type(stage).__name__} ({name!r})", problem, remedy=_KNOWN)


def _scaling(name: str, scaler: Any) -> Affine:
    """What a scaler does to a feature x, as scale * x + offset."""
    match type(scaler).__name__:
        case "StandardScaler":
            scale = 1.0 / scaler.scale_ if scaler.with_std else np.ones(1)
            offset = -scaler.mean_ * scale if scaler.with_mean else np.zeros(1)
        case "MinMaxScaler" if not scaler.clip:
            scale, offset = scaler.scale_, scaler.min_
        case "MaxAbsScaler":
            scale, offset = 1.0 / scaler.scale_, np.zeros(1)
        case _:
            raise _refusal(name, scaler, "this step is not supported before the network")
    return Affine(f"estimator {type(scaler).__name__} ({name!r})", name, scale, offset)


def _layers(network: Any) -> Iterator[Step]:
    """Each layer's weights and the activation behind it; the last one's is the tail."""
    for k, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_, strict=True), 1):
        name = f"fc{k}"
        where = f"layer {name} of {type(network).__name__}"
        yield Dense(where, name, weights.astype(np.float64), bias.astype(np.float64))
        if k < len(network.coefs_) and network.activation != "identity":
            yield Activation(where, name, _ACTIVATIONS[network.activation])


def _answer(source: Any, network: Any) -> Framework:
    ask: Callable[[Any], Any] = source.predict_proba if hasattr(network, "classes_") else source.predict
    return lambda x: np.asarray(ask(x)).reshape(len(x), -1)


def _seen(network: Any) -> Seen | None:
    """From the last layer's numbers to what scikit-learn shows: the probability of each class."""
    if network.out_activation_ == "softmax":
        return softmax
    return _two_classes if network.out_activation_ == "logistic" and network.n_outputs_ == 1 else None


def _two_classes(z: FloatArray) -> FloatArray:
    return np.hstack([activate(-z, "sigmoid"), activate(z, "sigmoid")])
