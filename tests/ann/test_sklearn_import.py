"""Does an imported scikit-learn network compute what scikit-learn says, and is any other estimator refused?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx_models import one_line
from spikeloom.ann.activation import activate
from spikeloom.ann.load import load_ann
from spikeloom.errors import AnnError

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, StandardScaler  # noqa: E402
from tolerances import FLOAT64  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Array = NDArray[Any]
RNG = np.random.default_rng(5)
X = RNG.normal(3.0, 2.0, (60, 4))
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "logistic": "sigmoid"}
TRAINED: dict[str, Any] = {"hidden_layer_sizes": (7, 5), "max_iter": 5, "random_state": 1}


@pytest.mark.parametrize(("activation", "ours"), ACTIVATIONS.items())
@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier(activation: str, ours: str, classes: int) -> None:
    model = MLPClassifier(activation=activation, **TRAINED).fit(X, np.arange(60) % classes)
    ann = load_ann(model)
    assert [layer.activation for layer in ann.layers] == [ours, ours, "identity"]
    assert [layer.name for layer in ann.layers] == ["fc1", "fc2", "fc3"]
    scores = ann.predict(X)
    if classes == 2:
        assert ann.tail == "sigmoid"
        got, expected = activate(scores, "sigmoid"), model.predict_proba(X)[:, 1:]
    else:
        assert ann.tail == "softmax"
        got, expected = np.diff(scores, axis=1), np.diff(model.predict_log_proba(X), axis=1)
    np.testing.assert_allclose(got, expected, rtol=FLOAT64, atol=FLOAT64)


def test_several_labels_at_once() -> None:
    model = MLPClassifier(**TRAINED).fit(X, np.stack([X[:, 0] > 3, X[:, 1] > 3, X[:, 2] > 3], axis=1))
    ann = load_ann(model)
    assert ann.tail == "sigmoid"
    np.testing.assert_allclose(activate(ann.predict(X), "sigmoid"), model.predict_proba(X), rtol=FLOAT64)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("activation", ["identity", *ACTIVATIONS])
def test_a_regressor(activation: str, outputs: int) -> None:
    model = MLPRegressor(activation=activation, **TRAINED).fit(X, X[:, :outputs].squeeze())
    ann = load_ann(model)
    assert len(ann.layers) == (1 if activation == "identity" else 3)
    np.testing.assert_allclose(ann.predict(X), model.predict(X).reshape(60, -1), rtol=FLOAT64, atol=FLOAT64)


@pytest.mark.parametrize(
    "scalers",
    [
        [StandardScaler()],
        [StandardScaler(with_mean=False)],
        [StandardScaler(with_std=False)],
        [MinMaxScaler((-1, 1)), MaxAbsScaler()],
        ["passthrough", MaxAbsScaler()],
    ],
)
def test_scalers_become_part_of_the_first_layer(scalers: list[Any]) -> None:
    model = make_pipeline(*scalers, MLPRegressor(**TRAINED)).fit(X, X[:, :2])
    ann = load_ann(model)
    assert len(ann.layers) == 3
    np.testing.assert_allclose(ann.predict(X), model.predict(X), rtol=FLOAT64, atol=FLOAT64)


def test_weights_of_float32_are_read_exactly() -> None:
    model = MLPRegressor(**TRAINED).fit(X.astype(np.float32), X[:, :2].astype(np.float32))
    assert model.coefs_[0].dtype == np.float32
    np.testing.assert_array_equal(load_ann(model).layers[0].weights, model.coefs_[0])


def fitted(network: Any) -> Any:
    return network.fit(X, np.arange(60) % 3)


REFUSED = {
    "another estimator": ("LogisticRegression", lambda: fitted(LogisticRegression())),
    "not fitted": ("not fitted", lambda: MLPClassifier()),
    "a scaler alone": ("StandardScaler", lambda: fitted(make_pipeline(StandardScaler()))),
    "not a scaling": ("Normalizer", lambda: fitted(make_pipeline(Normalizer(), MLPClassifier(**TRAINED)))),
    "a clipping scaler": (
        "MinMaxScaler",
        lambda: fitted(make_pipeline(MinMaxScaler(clip=True), MLPClassifier(**TRAINED))),
    ),
    "rates of events": ("exp", lambda: fitted(MLPRegressor(loss="poisson", **TRAINED))),
}


@pytest.mark.parametrize(("named", "build"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_the_estimators_name(named: str, build: Any) -> None:
    with pytest.raises(AnnError) as caught:
        load_ann(build())
    assert named in one_line(caught.value)


def test_a_contradicting_shape_is_refused() -> None:
    model = fitted(MLPClassifier(**TRAINED))
    assert load_ann(model, input_shape=(4,)).input_shape == (4,)
    with pytest.raises(AnnError, match="input_shape contradicts the estimator"):
        load_ann(model, input_shape=(5,))


def test_a_wrong_reading_is_noticed() -> None:
    """The comparison with scikit-learn finds an estimator that answers otherwise than its weights say."""

    class Shifted(MLPRegressor):  # type: ignore[misc]
        def predict(self, x: Array) -> Array:
            return np.asarray(super().predict(x)) + 0.1

    Shifted.__name__ = "MLPRegressor"
    with pytest.raises(AnnError, match="differs from scikit-learn"):
        load_ann(fitted(Shifted(**TRAINED)))
