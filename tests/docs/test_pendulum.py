"""Is the pendulum of the examples gymnasium's, and can its expert swing it up?"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from readme_blocks import ROOT


@pytest.fixture
def pendulum(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "python" / "examples"))
    import pendulum as module

    yield module
    for name in ("pendulum", "fashion_networks"):
        sys.modules.pop(name)


def test_it_moves_and_costs_as_pendulum_v1_does(pendulum) -> None:
    import gymnasium

    environment = gymnasium.make("Pendulum-v1").unwrapped
    environment.reset(seed=0)
    rng = np.random.default_rng(0)
    torques = rng.uniform(-3.0, 3.0, pendulum.LENGTH)
    start = pendulum.starts(rng, 1)
    environment.state, given, costs = start[0].copy(), iter(torques), 0.0
    _, cost, met = pendulum.roll_out(lambda _: np.array([[next(given)]]), start)
    for torque, state in zip(torques, met[:, 0], strict=True):
        np.testing.assert_allclose(environment.state, state, rtol=1e-9, atol=1e-9)
        costs -= environment.step(np.array([torque]))[1]
    assert cost[0] == pytest.approx(costs, rel=1e-6)


def test_the_expert_stands_in_the_end_from_anywhere(pendulum) -> None:
    gain = pendulum.regulator()

    def expert(x: np.ndarray) -> np.ndarray:
        state = np.stack([np.arctan2(x[:, 1], x[:, 0]), x[:, 2] * pendulum.FASTEST], axis=1)
        return pendulum.expert(state, gain)[:, np.newaxis]

    success, _, _ = pendulum.roll_out(expert, pendulum.starts(np.random.default_rng(3), 100))
    assert success.all()
    fallen, _, _ = pendulum.roll_out(
        lambda x: np.zeros((len(x), 1)), pendulum.starts(np.random.default_rng(3), 100)
    )
    assert not fallen.all()
