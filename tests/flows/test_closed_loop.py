"""Is a control policy on the chip compared with the ANN in the same episodes, with honest intervals?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import spikeloom as sl
from conversions import converted
from spikeloom.bundled.cartpole import episode_returns
from spikeloom.bundled.load import load_bundle
from spikeloom.flows.terminal.validation_text import show_validation
from spikeloom.flows.validation import closed_loop as module
from spikeloom.flows.validation.closed_loop import Policy, closed_loop, judging
from spikeloom.report.html import page


def one_weight() -> sl.ChipProgram:
    network = sl.SpikingNetwork("ideal")
    source = network.input("x", 1, encoding="rate")
    out = network.population("out", 1)
    network.connect(source, out, np.array([[1.0]]))
    network.output(out, scale=1.0)
    return sl.place(network, ticks=4)


def short(policy: Policy) -> np.ndarray:
    """Four episodes of the cart, of one seed that no choice has seen."""
    return episode_returns(policy, seeds=[77], episodes=4).ravel()


@pytest.mark.xdist_group("cartpole")
def test_a_validation_lets_the_bundled_policy_balance_the_pole(capsys: Any) -> None:
    bundle, conversion = load_bundle("cartpole"), converted("cartpole")
    found = sl.validate(conversion, bundle.inputs[:40], references=(), environment=short)
    loop = found.closed_loop
    assert loop is not None and loop.episodes == 4
    assert [policy.title for policy in loop.policies] == ["ANN", "emulated chip"]
    ann, chip = loop.policies
    assert ann.mean == short(conversion.ann.predict).mean()
    assert chip.mean == short(lambda x: sl.emulate(conversion.program, x).outputs).mean()
    assert chip.lost == ann.mean - chip.mean
    assert "In closed loop" in page(found) and "lost against the ANN" in page(found)
    show_validation(found, None)
    assert "4 episodes" in capsys.readouterr().out


def test_intervals_hold_the_mean_and_losses_are_taken_episode_by_episode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    luck, answers = rng.normal(size=200), iter([0.0, 1.0, 2.0])
    monkeypatch.setattr(module, "emulate", None)  # the environment below asks no policy

    def environment(policy: Policy) -> np.ndarray:
        return np.asarray(10 * luck - next(answers) + 0.1 * rng.normal(size=200))

    loop = closed_loop(one_weight(), lambda x: x, environment, 3, None)
    assert [policy.title for policy in loop.policies] == ["ANN", "emulated chip", "imperfect chip 3"]
    ann, chip, imperfect = loop.policies
    assert (ann.lost, ann.lost_low, ann.lost_high) == (0.0, 0.0, 0.0)
    assert ann.high - ann.low == pytest.approx(2 * 1.96 * 10 * luck.std() / np.sqrt(200), rel=0.1)
    for policy, lost in ((chip, 1.0), (imperfect, 2.0)):  # shared luck cancels: much narrower than the means'
        assert policy.lost_low < lost < policy.lost_high
        assert policy.lost_high - policy.lost_low < 0.1


@pytest.mark.parametrize("returns", [3.0, [1.0], [[1.0, 2.0]], [1.0, np.nan]])
def test_an_environment_must_give_a_return_for_each_episode(returns: Any) -> None:
    with pytest.raises(sl.SpikeloomError, match="environment: must give one finite return for each"):
        closed_loop(one_weight(), lambda x: x, lambda policy: returns, None, None)


def test_an_environment_must_play_the_same_episodes() -> None:
    lengths = iter([3, 4])
    with pytest.raises(sl.SpikeloomError, match="another number of episodes to another policy"):
        closed_loop(one_weight(), lambda x: x, lambda policy: np.ones(next(lengths)), None, None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NoSuchThing-v0", "environment NoSuchThing-v0: cannot be made"),
        ("Pendulum-v1", "environment Pendulum-v1: has actions that are no numbers"),
    ],
)
def test_an_unknown_environment_is_refused(name: str, said: str) -> None:
    with pytest.raises(sl.SpikeloomError, match=said):
        judging(name)(lambda x: x)
