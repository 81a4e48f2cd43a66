"""Closed-loop score of a control policy on gymnasium's Pendulum-v1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import SpikeloomError

STEPS = 200  # length of an episode of Pendulum-v1; it never ends earlier
SEED_STRIDE = 10_000  # episodes a seed may have before its reset seeds meet those of the next one


def episode_returns(
    policy: Callable[[NDArray[np.float32]], NDArray[np.floating]], seeds: Sequence[int], episodes: int = 50
) -> NDArray[np.float64]:
    """Return of each episode, (len(seeds), episodes); 0 is best, about -1500 is a pendulum left hanging.

    ``policy`` takes the observations (episodes, 3) of all episodes of one seed, (cos, sin, rad/s), and gives
    their torques (episodes, 1) in N m, which the environment cuts to +-2. Episode e of seed s starts from
    ``reset(seed=s * 10000 + e)``, so a score depends on nothing but the policy and these numbers. Raises
    SpikeloomError unless 0 < episodes <= 10000.

    >>> episode_returns(lambda observations: 0.0 * observations[:, :1], seeds=[0], episodes=2).round(1)
    array([[-978.8, -680. ]])
    """
    if not 0 < episodes <= SEED_STRIDE:
        raise SpikeloomError("episodes", "out of range", value=episodes, limit=f"1 to {SEED_STRIDE}")
    return np.stack([_play(policy, [seed * SEED_STRIDE + e for e in range(episodes)]) for seed in seeds])


def _play(
    policy: Callable[[NDArray[np.float32]], NDArray[np.floating]], reset_seeds: Sequence[int]
) -> NDArray[np.float64]:
    """Return of one episode per reset seed, all stepped side by side."""
    import gymnasium

    environments = [gymnasium.make("Pendulum-v1", disable_env_checker=True) for _ in reset_seeds]
    observations = np.stack([env.reset(seed=s)[0] for env, s in zip(environments, reset_seeds, strict=True)])
    returns = np.zeros(len(environments))
    for _ in range(STEPS):
        torques = np.asarray(policy(observations), dtype=np.float64).reshape(-1, 1)
        results = [env.step(torque) for env, torque in zip(environments, torques, strict=True)]
        observations = np.stack([result[0] for result in results])
        returns += [float(result[1]) for result in results]
    for env in environments:
        env.close()
    return returns
