"""Closed-loop score of a control policy on gymnasium's CartPole-v1, or another environment with such actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import SpikeloomError

CARTPOLE = "CartPole-v1"
SEED_STRIDE = 10_000  # episodes a seed may have before its reset seeds meet those of the next one


def episode_returns(
    policy: Callable[[NDArray[np.float32]], NDArray[np.floating]],
    seeds: Sequence[int],
    episodes: int = 50,
    *,
    environment: str = CARTPOLE,
) -> NDArray[np.float64]:
    """Return of each episode, (len(seeds), episodes): steps until the pole falls; 500 is best, 10 is idle.

    ``policy`` takes the observations (n, 4) of those n episodes of one seed that still run (m, m/s, rad,
    rad/s) and gives two outputs (n, 2); the larger one pushes the cart, the first to the left, the second
    to the right. Episode e of seed s starts from ``reset(seed=s * 10000 + e)``, so a score depends on nothing
    but the policy and these numbers. ``environment`` is any name that gymnasium knows of an environment with
    numbered actions. Raises SpikeloomError unless 0 < episodes <= 10000, or for another environment.

    >>> episode_returns(lambda observations: observations[:, 2:3] * [-1, 1], seeds=[3], episodes=3)
    array([[56., 38., 45.]])
    """
    if not 0 < episodes <= SEED_STRIDE:
        raise SpikeloomError("episodes", "out of range", value=episodes, limit=f"1 to {SEED_STRIDE}")
    return np.stack([
        _play(policy, [seed * SEED_STRIDE + e for e in range(episodes)], environment) for seed in seeds
    ])  # fmt: skip


def _made(name: str) -> Any:
    """A gymnasium environment whose actions are numbers."""
    import gymnasium

    try:
        found = gymnasium.make(name, disable_env_checker=True)
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        reason = " ".join(str(error).split())
        raise SpikeloomError(f"environment {name}", f"cannot be made: {reason}") from None
    if not isinstance(found.action_space, gymnasium.spaces.Discrete):
        raise SpikeloomError(f"environment {name}", "has actions that are no numbers", value=found.action_space,
                             remedy="choose one with a Discrete action space")  # fmt: skip
    return found


def _play(
    policy: Callable[[NDArray[np.float32]], NDArray[np.floating]], reset_seeds: Sequence[int], name: str
) -> NDArray[np.float64]:
    """Return of one episode per reset seed, side by side; one that has ended leaves the batch."""
    environments = [_made(name) for _ in reset_seeds]
    observations = [env.reset(seed=s)[0] for env, s in zip(environments, reset_seeds, strict=True)]
    returns = np.zeros(len(environments))
    running = list(range(len(environments)))
    while running:
        actions = np.asarray(policy(np.stack([observations[e] for e in running]))).argmax(axis=1)
        still = []
        for e, action in zip(running, actions.tolist(), strict=True):
            observations[e], reward, fallen, timed_out, _ = environments[e].step(action)
            returns[e] += reward
            if not (fallen or timed_out):
                still.append(e)
        running = still
    for env in environments:
        env.close()
    return returns
