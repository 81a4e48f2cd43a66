"""
The emulator core. Unchecked details belong to spikeloom.emulation; use that.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Chip', 'Program', 'decode_sphere', 'encode_bernoulli', 'encode_rate', 'exp', 'log', 'normal', 'philox', 'words']
class Program:
    """
    A chip program, checked once and ready to run. Immutable.
    """
    def __init__(self, spec: dict, arrays: dict) -> None:
        """
        Load the arrays of a program; ProgramError or ProfileError names what is wrong.
        """
    def run(self, inputs: typing.Annotated[numpy.typing.ArrayLike, numpy.uint8], *, ticks: typing.SupportsInt | typing.SupportsIndex, window: typing.SupportsInt | typing.SupportsIndex, depths: numpy.ndarray, probes: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, numpy.ndarray]], readings: collections.abc.Sequence[tuple[typing.SupportsInt | typing.SupportsIndex, numpy.ndarray, typing.SupportsInt | typing.SupportsIndex]], traced: typing.Annotated[numpy.typing.ArrayLike, numpy.uint8], overrides: collections.abc.Sequence[tuple[str, numpy.ndarray, numpy.ndarray]], cycles: bool, clocks: bool = False, threads: typing.SupportsInt | typing.SupportsIndex, neurons_per_thread: typing.SupportsInt | typing.SupportsIndex = 4096, trial_seed: typing.SupportsInt | typing.SupportsIndex = 0, sample_ids: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] = []) -> dict:
        """
        Run samples from the initial state. inputs: uint8 (samples, ticks, lines). Returns counts (samples,
        neurons), probes [(samples, ticks, neurons)], readings [(samples, neurons)], spikes rows (sample, tick,
        neuron), events (samples, 6) and rules (samples, counters); with `cycles` also what
        `cycle_names` names, with `clocks` also rows of every clock.
        """
    @property
    def accumulator(self) -> str:
        """
        Type of the accumulators, for inputs of any number of spikes: int16, int32, int64 or double.
        """
    @property
    def counters(self) -> list[str]:
        """
        What each column of `rules` counts.
        """
    @property
    def cycle_names(self) -> dict:
        """
        Names of the columns of `cycles`, and whether they are exact.
        """
    @property
    def elements(self) -> list[str]:
        """
        Register elements, in the order of their numbers.
        """
    @property
    def inputs(self) -> int:
        ...
    @property
    def kernels(self) -> str:
        """
        Processor level of the kernels in use.
        """
    @property
    def neurons(self) -> int:
        ...
    @property
    def one_pass(self) -> bool:
        """
        Whether the list of a tick is done in one pass over the neurons.
        """
class Chip:
    """
    Samples of one program, clocked tick by tick.
    """
    def __init__(self, program: Program, samples: typing.SupportsInt | typing.SupportsIndex, cycles: bool, trial_seed: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def clock(self, inputs: typing.Annotated[numpy.typing.ArrayLike, numpy.uint8] | None, clocks: typing.SupportsInt | typing.SupportsIndex) -> bool:
        """
        At most so many clocks of one tick, the first with its inputs. True where the tick ended.
        """
    def cycles(self) -> dict:
        """
        What was counted since the last reset or restore.
        """
    def registers(self, element: typing.SupportsInt | typing.SupportsIndex) -> numpy.ndarray:
        """
        Values of a register element, (samples, neurons).
        """
    def reset(self) -> None:
        """
        Back to the program's initial state.
        """
    def restore(self, state: bytes) -> None:
        """
        Take back what `save` gave.
        """
    def save(self) -> bytes:
        """
        Everything that changes, as bytes.
        """
    def schedule(self) -> list[int]:
        """
        Of the first sample: spike counts that wait for their tick, [slot][axon], flat.
        """
    def tick(self, inputs: typing.Annotated[numpy.typing.ArrayLike, numpy.uint8] | None) -> numpy.typing.NDArray[numpy.int32]:
        """
        One tick. inputs: uint8 (samples, lines) or None. Returns spikes (samples, neurons).
        """
    def view(self) -> dict:
        """
        What the last clock showed.
        """
    @property
    def ticks(self) -> int:
        """
        Ticks since the start.
        """
    @property
    def within_tick(self) -> bool:
        """
        True where a tick has begun and not ended.
        """
def decode_sphere(pivot: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], factor: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], scales: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], low: typing.SupportsFloat | typing.SupportsIndex, step: typing.SupportsFloat | typing.SupportsIndex, count: typing.SupportsInt | typing.SupportsIndex, codes: numpy.typing.NDArray[numpy.float64], limit: typing.SupportsInt | typing.SupportsIndex) -> tuple:
    """
    The codes (m, n) of least sum_i pivot_i (e_i + sum_j>i factor_ij e_j)^2, e = scale codes - weights,
    codes = low + step k, k < count. Starts from `codes` and overwrites them; visits at most `limit`
    nodes for each of the m outputs. Returns cost, lower bound and visited nodes, each (m,); a cost is
    proven where the bound equals it.
    """
def encode_bernoulli(x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], spikes: numpy.typing.NDArray[numpy.uint8], first: typing.SupportsInt | typing.SupportsIndex, trial_seed: typing.SupportsInt | typing.SupportsIndex, first_sample: typing.SupportsInt | typing.SupportsIndex, first_line: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    One independent draw a line and tick; x is the probability. Draws are numbered by trial_seed, tick,
    sample (from first_sample on) and line (from first_line on). spikes must be 0.
    """
def encode_rate(x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], spikes: numpy.typing.NDArray[numpy.uint8], first: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Integrate-and-emit, started half full: spikes[s, t, first + i] = floor(1/2 + (t+1) x[s, i]) -
    floor(1/2 + t x[s, i]), exactly. spikes must be 0.
    """
def exp(x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    e^x, the same bits on every machine; x in [-708, 709].
    """
def log(x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    ln x, the same bits on every machine; x > 0.
    """
def normal(words: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32]) -> numpy.typing.NDArray[numpy.float64]:
    """
    The normal number of each random word, up to 6.3 sigma.
    """
def philox(counter: typing.Annotated[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(4)"], key: typing.Annotated[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(2)"]) -> typing.Annotated[list[int], "FixedSize(4)"]:
    """
    Philox4x32-10: four words from a counter and a key.
    """
def words(key: typing.Annotated[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(2)"], counter: typing.Annotated[collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex], "FixedSize(3)"], count: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.uint32]:
    """
    Words of Philox for the indices 0 to count - 1: word index & 3 of the counter
    (index >> 2, *counter).
    """
