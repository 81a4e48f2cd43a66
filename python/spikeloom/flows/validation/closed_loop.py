"""A control policy in its environment: the returns that the ANN and the chip get in the same episodes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.bundled.cartpole import episode_returns
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import SpikeloomError
from spikeloom.flows.validation.scoring import CONFIDENCE
from spikeloom.program.program import ChipProgram
from spikeloom.report.validation import ClosedLoop, PolicyReturn

Array = NDArray[np.float64]
Policy = Callable[[NDArray[Any]], Array]
Environment = Callable[[Policy], ArrayLike]
EPISODES = 10  # of each seed
JUDGING_SEEDS = (101, 102, 103, 104, 105)
CHOOSING_SEEDS = (1, 2)  # the environment that chooses among candidates never sees the judging seeds
CHOOSING_EPISODES = 8
RESAMPLES = 2000


def judging(name: str) -> Environment:
    """The returns of 50 episodes of a gymnasium environment, for `validate`."""
    return partial(_returns, name=name, seeds=JUDGING_SEEDS, episodes=EPISODES)


def choosing(name: str) -> Callable[[Policy], float]:
    """The mean return of other episodes, for `convert` to choose by."""

    def score(policy: Policy) -> float:
        return float(_returns(policy, name=name, seeds=CHOOSING_SEEDS, episodes=CHOOSING_EPISODES).mean())

    return score


def _returns(policy: Policy, *, name: str, seeds: tuple[int, ...], episodes: int) -> Array:
    return episode_returns(policy, seeds, episodes, environment=name).ravel()


def closed_loop(
    program: ChipProgram, ann: Policy, environment: Environment, chip_seed: int | None, threads: int | None
) -> ClosedLoop:
    """Let the ANN, the emulated chip and, where chips differ, one imperfect chip act in the same episodes.

    Parameters
    ----------
    ann : the policy that the program was made from.
    environment : takes a policy (N, *input_shape) -> (N, outputs) and gives the return of every episode, at least
        two; called again, it plays the same episodes.
    chip_seed : the imperfect chip; None for none.

    Raises SpikeloomError where the environment gives no such returns.
    """
    policies: dict[str, Policy] = {
        "ANN": ann,
        "emulated chip": lambda x: emulate(program, x, effects=(), threads=threads).outputs,
    }
    if chip_seed is not None:
        policies[f"imperfect chip {chip_seed}"] = lambda x: (
            emulate(program, x, chip_seed=chip_seed, threads=threads).outputs
        )
    returns = {title: _checked(environment(policy)) for title, policy in policies.items()}
    if len({len(each) for each in returns.values()}) > 1:
        raise SpikeloomError("environment", "gives another number of episodes to another policy",
                             value={title: len(each) for title, each in returns.items()})  # fmt: skip
    wanted = returns["ANN"]
    found = [_policy(title, each, wanted) for title, each in returns.items()]
    return ClosedLoop(len(wanted), tuple(found))


def _checked(returns: ArrayLike) -> Array:
    """One finite return an episode."""
    found = np.asarray(returns, dtype=np.float64)
    if found.ndim != 1 or len(found) < 2 or not np.isfinite(found).all():
        raise SpikeloomError("environment", "must give one finite return for each of several episodes",
                             value=found.shape, remedy="return an array (episodes,)")  # fmt: skip
    return found


def _policy(title: str, returns: Array, wanted: Array) -> PolicyReturn:
    """Means with bootstrap intervals over episodes; the loss is that of the same episodes."""
    rows = np.random.default_rng(0).integers(len(returns), size=(RESAMPLES, len(returns)))
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    lost = wanted - returns
    low, high = np.quantile(returns[rows].mean(axis=1), tails).tolist()
    least, most = np.quantile(lost[rows].mean(axis=1), tails).tolist()
    return PolicyReturn(title, float(returns.mean()), low, high, float(lost.mean()), least, most)
