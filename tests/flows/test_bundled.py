"""Are the bundled networks and their rows what their README says they are?"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from spikeloom.bundled.cartpole import SEED_STRIDE, episode_returns
from spikeloom.bundled.load import BUNDLES, FOLDER, Bundle, load_bundle
from spikeloom.errors import SpikeloomError

LARGEST = 3_500_000  # bytes, all files of the folder together
ROWS = {
    "mlp": 1500,
    "cnn": 200,
    "small_cnn": 1500,
}  # the reference evaluator's AveragePool takes 20 ms an image


def _outputs(bundle: Bundle, rows: NDArray) -> NDArray:
    return np.asarray(ReferenceEvaluator(str(bundle.onnx_path)).run(None, {"x": rows})[0])


def _stated(pattern: str) -> list[float]:
    """The numbers that the README's first line matching a pattern holds in its groups."""
    found = re.search(pattern, (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert found, pattern
    return [float(text) for text in found.groups()]


def _lines(rows: NDArray) -> set[bytes]:
    return {row.tobytes() for row in rows}


def test_all_files_together_are_small() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert {"README.md", "fashion.npz", "cartpole.npz"} | {f"{name}.onnx" for name in BUNDLES} <= {
        path.name for path in files
    }
    assert sum(path.stat().st_size for path in files) < LARGEST


@pytest.mark.parametrize("name", BUNDLES)
def test_the_rows_are_what_the_network_takes(name: str) -> None:
    bundle = load_bundle(name)
    model = onnx.load(bundle.onnx_path)
    onnx.checker.check_model(model, full_check=True)
    wanted = [axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim][1:]
    for rows in (bundle.calibration, bundle.inputs):
        assert rows.dtype == np.float32
        assert list(rows.shape[1:]) == wanted
        assert np.isfinite(rows).all()
    assert bundle.name == name
    assert bundle.title
    assert bundle.licence


@pytest.mark.parametrize(("name", "largest"), [("mlp", 1.0), ("cnn", 255.0)])
def test_pixels_fill_their_range(name: str, largest: float) -> None:
    for rows in (load_bundle(name).calibration, load_bundle(name).inputs):
        assert (rows.min(), rows.max()) == (0.0, largest)


@pytest.mark.parametrize("name", BUNDLES)
def test_no_calibration_row_is_judged(name: str) -> None:
    bundle = load_bundle(name)
    assert _lines(bundle.calibration) & _lines(bundle.inputs) == set()


def test_any_ten_rows_hold_each_class_once() -> None:
    labels = load_bundle("mlp").labels
    assert labels is not None
    assert (np.sort(labels.reshape(-1, 10), axis=1) == np.arange(10)).all()


def test_small_images_are_means_of_the_large_ones() -> None:
    large, small = load_bundle("cnn").inputs[:3, 0], load_bundle("small_cnn").inputs[:3, 0]
    assert small[:, 4, 5] * 255 == pytest.approx(large[:, 11:14, 14:17].mean(axis=(1, 2)), rel=1e-6)
    assert small[:, 0, 9] * 255 * 9 == pytest.approx(
        large[:, :2, 26:].sum(axis=(1, 2)), rel=1e-6
    )  # and the edge of 0


@pytest.mark.parametrize("name", ROWS)
def test_the_readme_states_the_accuracy(name: str) -> None:
    bundle, count = load_bundle(name), ROWS[name]
    assert bundle.labels is not None
    (stated,) = _stated(rf"\| `{name}` \|.*?([\d.]+) % on the bundled rows")
    got = 100 * np.mean(_outputs(bundle, bundle.inputs[:count]).argmax(axis=1) == bundle.labels[:count])
    # All rows give the printed number; a part differs by its sampling error, three standard errors of it.
    missing = 1 / count - 1 / len(bundle.labels)
    assert got == pytest.approx(stated, abs=0.005 + 3 * np.sqrt(stated * (100 - stated) * missing))


def test_the_readme_states_the_return() -> None:
    bundle = load_bundle("cartpole")
    (stated,) = _stated(r"\n\| policy \|\s*([\d.]+) \|")
    returns = episode_returns(lambda rows: _outputs(bundle, rows), seeds=[101], episodes=50)
    assert returns.mean() == pytest.approx(stated, rel=0.01)


def test_an_episode_depends_on_its_seed_alone() -> None:
    def follow(observations: NDArray) -> NDArray:
        """Push to where the pole leans: it falls after some tens of steps, in each episode after others."""
        return np.asarray(observations[:, 2:3] * [-1, 1])

    together = episode_returns(follow, seeds=[3, 4], episodes=3)
    assert together.shape == (2, 3)
    assert np.array_equal(together, episode_returns(follow, seeds=[3, 4], episodes=3))
    assert np.array_equal(together[1:, :2], episode_returns(follow, seeds=[4], episodes=2))
    assert len(np.unique(together)) > 4


def test_the_policy_sees_the_episodes_of_a_seed_together_as_long_as_they_run() -> None:
    shapes = []

    def idle(observations: NDArray) -> NDArray:
        shapes.append(observations.shape)
        return np.zeros((len(observations), 2))

    (returns,) = episode_returns(idle, seeds=[0], episodes=4)
    assert len(set(returns)) > 1
    assert shapes == [(int((returns > step).sum()), 4) for step in range(int(returns.max()))]


def test_a_perfect_episode_ends_after_500_steps() -> None:
    def balance(observations: NDArray) -> NDArray:
        return np.outer(observations @ [2.6, 2.7, 14.8, 3.2], [-1, 1])

    assert episode_returns(balance, seeds=[0], episodes=2).tolist() == [[500.0, 500.0]]


@pytest.mark.parametrize("episodes", [0, SEED_STRIDE + 1])
def test_a_wrong_number_of_episodes_is_refused(episodes: int) -> None:
    with pytest.raises(SpikeloomError, match=f"episodes: out of range; got {episodes}, limit 1 to 10000"):
        episode_returns(lambda rows: rows[:, :2], seeds=[0], episodes=episodes)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(
        SpikeloomError, match="bundled network rnn: does not exist; limit mlp, cnn, small_cnn, cartpole"
    ):
        load_bundle("rnn")


def test_each_script_is_there_and_named_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    examples = Path(__file__).parents[2] / "python" / "examples"
    for script in ("train_fashion_mlp.py", "train_fashion_cnn.py", "train_small_cnn.py", "train_cartpole.py"):
        assert (examples / script).is_file()
        assert script in text
