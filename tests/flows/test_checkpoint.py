"""Does an interrupted conversion end like one that was not, and is a conversion the same for any thread count?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.errors import FitError
from spikeloom.flows.conversion import chain
from spikeloom.flows.convert import Conversion, convert


def ann_of(seed: int = 7) -> Ann:
    rng, sizes = np.random.default_rng(seed), (5, 12, 9, 3)
    layers = tuple(
        AnnLayer(f"fc{k + 1}", rng.normal(size=(n, m)) * np.sqrt(2 / n), rng.normal(size=m) / 10,
                 "identity" if m == 3 else "relu", (n,), (m,))
        for k, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False))
    )  # fmt: skip
    return Ann("small", (5,), layers, None, np.arange(5))


ROWS = np.random.default_rng(1).uniform(-1.0, 1.0, (200, 5))


def converted(**options: Any) -> Conversion:
    return convert(ann_of(), "loihi1", calibration=ROWS, ticks=24, **options)


def saved(conversion: Conversion, folder: Path) -> bytes:
    conversion.program.save(folder / "one.spikeloom")
    return (folder / "one.spikeloom").read_bytes()


def test_threads_do_not_change_a_byte(tmp_path: Path) -> None:
    assert saved(converted(threads=1), tmp_path) == saved(converted(threads=3), tmp_path)


def test_a_conversion_that_was_interrupted_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real, done = tmp_path / "layers.npz", chain.convert_layer, []

    def interrupted(task: Any, method: Any) -> Any:
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append((method, task.layer.name))
        return real(task, method)

    monkeypatch.setattr(chain, "convert_layer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        converted(checkpoint=path)
    assert done == [("copy", "fc1"), ("copy", "fc2"), ("copy", "fc3"), ("fit", "fc1")]
    again: list[str] = []
    monkeypatch.setattr(
        chain, "convert_layer", lambda task, method: (again.append(task.layer.name), real(task, method))[1]
    )
    resumed = converted(checkpoint=path)
    assert again == ["fc2", "fc3"]
    monkeypatch.undo()
    assert saved(resumed, tmp_path) == saved(converted(), tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".spikeloom"] == ["layers.npz"]


def test_progress_is_told_of_every_layer() -> None:
    told: list[tuple[str, int, int]] = []
    converted(progress=lambda *what: told.append(what))
    names = [f"{method} fc{k}" for method in ("copy", "fit") for k in (1, 2, 3)]
    assert told == [(name, k + 1, 6) for k, name in enumerate(names)]


@pytest.mark.parametrize(
    "changed", [{"ticks": 20}, {"objective": "l2"}, {"seed": 1}, {"calibration": ROWS[:190]}]
)
def test_a_checkpoint_of_another_conversion_is_refused(changed: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "layers.npz"
    convert(ann_of(), "ideal", calibration=ROWS, ticks=16, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(FitError, match="belongs to a conversion of another network, chip, data or options"):
        convert(ann_of(), "ideal", **({"calibration": ROWS, "ticks": 16} | changed), checkpoint=path)
    with pytest.raises(FitError, match="belongs to a conversion of another"):
        convert(ann_of(8), "ideal", calibration=ROWS, ticks=16, checkpoint=path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_checkpoint_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing of the kind")
    with pytest.raises(FitError, match="is no checkpoint file"):
        converted(checkpoint=path)
    assert path.read_text() == "nothing of the kind"
    with pytest.raises(FitError, match="cannot be written"):
        converted(checkpoint=tmp_path / "no" / "such" / "folder.npz")


def test_layers_after_the_time_limit_take_the_copy_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter([False, False, True, True, True])
    monkeypatch.setattr(chain.TimeLimit, "is_over", property(lambda self: next(left)))
    conversion = converted(time_limit_s=1000.0)
    assert set(conversion.candidates) == {"copy", "fit"}
    assert [fit.method for fit in conversion.layers][1:] == ["copy", "copy"]


def test_a_time_limit_that_is_over_leaves_the_copy() -> None:
    conversion = converted(time_limit_s=1e-9)
    assert set(conversion.candidates) == {"copy"}


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), float("inf")])
def test_time_limits_that_make_no_sense_are_refused(limit: float) -> None:
    with pytest.raises(FitError, match="time_limit_s: must be a positive number of seconds"):
        converted(time_limit_s=limit)
