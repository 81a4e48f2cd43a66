"""The workloads W1 to W4, W3n and W4u as chip programs with their input and the spikes that must come out.

W1: an MLP 784-512-512-10. W2: a CNN 28x28 - 16c5s2 - 32c3s2 - 10. Both of 100 ticks, leaky neurons that start at 0,
and inputs that spike in a tenth of the ticks. W3: 4000 current-based neurons in real numbers, 10000 steps; W3n: the
same with 0.05 mV of noise on every potential in every step. W4: 128 cores of 256 neurons that drive 256 targets
each, in 8 cores (W4) or anywhere (W4u), 1000 ticks. The golden counts are those of exact arithmetic: any exact
simulator hits them. W3 and W3n are chaotic, so that their rate alone is golden.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spikeloom as sl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from spikeloom.network.projection import Convolution, Population
from splitmix import below, int8_weights, tenths, top_bits, words

PROFILES = Path(__file__).parent / "profiles"
TICKS = {"W1": 100, "W2": 100, "W3": 1000, "W3n": 1000, "W4": 1000, "W4u": 1000}
THRESHOLDS = {"W1": (500, 700, 900), "W2": (100, 400, 200)}  # each layer fires in about a tenth of the ticks
FAN_OUT = 256
CUBA = 4000  # neurons of W3
CORES, SIZE = 128, 256  # of W4 and W4u, neurons of a core
NOISE = {"W3": 0.0, "W3n": 0.05}  # mV
# Its spikes: binary32 makes 22969 of them and binary64 23131, each with fused multiply-adds; a loop of numpy makes
# 23131, with its own noise 23342, 23143, 23209.
RATE = range(21_500, 24_500)
GOLDEN: dict[
    tuple[str, int], tuple[tuple[int | range, ...], int]
] = {  # spikes of each population by number of samples; synaptic events
    ("W1", 1): ((5228, 5118, 102), 6_673_388),
    ("W1", 256): ((1352112, 1366401, 25317), 1_734_010_634),
    ("W2", 1): ((22187, 8534, 105), 1_782_300),
    ("W2", 256): ((5589480, 2166997, 25357), 448_446_898),
    ("W3", 1): ((RATE,), 23_000 * 80),
    ("W3n", 1): ((RATE,), 23_000 * 80),
    ("W4", 1): ((289082,), 289082 * FAN_OUT),
    ("W4u", 1): ((289065,), 289065 * FAN_OUT),
}


@dataclass(frozen=True, eq=False)
class Workload:
    """A program, its input (samples, ticks, lines), and the golden counts of a whole run."""

    name: str
    program: sl.ChipProgram
    spikes: NDArray[np.uint8]
    golden: tuple[int | range, ...]
    events: int  # synaptic
    updates: int  # of neurons

    def is_hit(self, counts: tuple[int, ...]) -> bool:
        """Whether these are the golden spikes of each population."""
        pairs = zip(counts, self.golden, strict=True)
        return all(made in wanted if isinstance(wanted, range) else made == wanted for made, wanted in pairs)


def workload(name: str, samples: int = 1) -> Workload:
    """One of the workloads; W3 to W4u have one sample and no input."""
    make = {"W1": _mlp, "W2": _cnn, "W3": _cuba, "W3n": _cuba, "W4": _many_core, "W4u": _many_core}
    program = make[name](name)
    silent = np.zeros((1, TICKS[name], 0), dtype=np.uint8)
    spikes = _inputs(name, samples) if program.n_inputs else silent
    golden, events = GOLDEN[name, samples]
    steps = TICKS[name] * program.profile.time.steps_per_tick
    return Workload(name, program, spikes, golden, events, samples * steps * program.n_neurons)


def _inputs(name: str, samples: int) -> NDArray[np.uint8]:
    shape = (samples, TICKS[name], 784)
    return tenths(201 if name == "W1" else 202, 0, int(np.prod(shape))).reshape(shape).astype(np.uint8)


def _mlp(name: str) -> sl.ChipProgram:
    return mlp_chip(name, PROFILES / "leaky.toml")


def mlp_chip(name: str, profile: sl.Profile | Path) -> sl.ChipProgram:
    """W1 on a chip with the registers and the list of `leaky.toml`."""
    network = sl.SpikingNetwork(profile)
    source = network.input("pixels", 784)
    for layer, size in enumerate((512, 512, 10)):
        target = network.population(f"layer{layer}", size, vth=THRESHOLDS[name][layer])
        network.connect(source, target, int8_weights(101 + layer, (size, source.size)).T)
        source = target
    network.output(source)
    return sl.place(network, ticks=TICKS[name])


def _cnn(name: str) -> sl.ChipProgram:
    network = sl.SpikingNetwork(PROFILES / "leaky.toml")
    thresholds = THRESHOLDS[name]
    pixels = network.input("pixels", 784)
    first = network.population("layer0", 12 * 12 * 16, vth=thresholds[0])
    second = network.population("layer1", 5 * 5 * 32, vth=thresholds[1])
    last = network.population("layer2", 10, vth=thresholds[2])
    network.connect(pixels, first, _kernel(111, (16, 1, 5, 5), (28, 28, 1)))
    network.connect(first, second, _kernel(112, (32, 16, 3, 3), (12, 12, 16)))
    by_channel = int8_weights(113, (10, 32, 5, 5))  # as the workload numbers it: channel, row, column
    network.connect(second, last, by_channel.transpose(2, 3, 1, 0).reshape(800, 10))
    network.output(last)
    return sl.place(network, ticks=TICKS[name])


def _kernel(seed: int, shape: tuple[int, int, int, int], source: tuple[int, int, int]) -> Convolution:
    """A kernel that is numbered (out, in, y, x), of stride 2 and without padding."""
    return Convolution(int8_weights(seed, shape).transpose(1, 2, 3, 0), source, stride=(2, 2))


def _cuba(name: str) -> sl.ChipProgram:
    """Vogels and Abbott's network: four fifths of the neurons excite, the others inhibit (80 targets each)."""
    network = sl.SpikingNetwork(PROFILES / "current_based.toml")
    neurons = network.population("neurons", CUBA, noise=NOISE[name], init={"v": cuba_start()})
    targets = cuba_targets()
    sources = np.repeat(np.arange(CUBA), targets.shape[1])
    for receptor, weight in enumerate((1.62, -9.0)):  # mV
        mine = (sources >= CUBA * 4 // 5) == bool(receptor)
        values = np.full(int(mine.sum()), weight)
        matrix = coo_array((values, (sources[mine], targets.ravel()[mine])), shape=(CUBA, CUBA)).tocsr()
        network.connect(neurons, neurons, matrix, receptor=receptor)
    network.output(neurons)
    return sl.place(network, ticks=TICKS[name])


def cuba_start() -> NDArray[np.float64]:
    """The potentials at the start, in mV above the reset."""
    return 10.0 * (words(302, np.arange(CUBA)) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def cuba_targets() -> NDArray[np.int64]:
    """(neurons, 80) the targets of every neuron."""
    fan_out = CUBA // 50
    return below(301, np.arange(CUBA * fan_out), CUBA).reshape(CUBA, fan_out)


def _many_core(name: str) -> sl.ChipProgram:
    return many_core_chip(name, CORES, SIZE)


def many_core_chip(name: str, cores: int, size: int) -> sl.ChipProgram:
    """So many cores of so many neurons, all of one population, without input."""
    network = sl.SpikingNetwork(PROFILES / "many_core.toml")
    total = cores * size
    neurons = network.population("neurons", total, vth=1000, bias=10, init={"v": many_core_start(total)})
    connect_many(network, neurons, many_core_targets(name, cores, size))
    network.output(neurons)
    return sl.place(network, ticks=TICKS[name])


def connect_many(network: sl.SpikingNetwork, neurons: Population, targets: NDArray[np.int64]) -> None:
    """Synapses of one neuron onto the same target become one: their weights add."""
    weights = many_core_weights(neurons.size).ravel()
    sources = np.repeat(np.arange(neurons.size), FAN_OUT)
    matrix = coo_array((weights, (sources, targets.ravel())), shape=(neurons.size, neurons.size)).tocsr()
    network.connect(neurons, neurons, matrix)


def many_core_start(neurons: int) -> NDArray[np.int64]:
    """The potentials at the start."""
    return below(404, np.arange(neurons), 1000)


def many_core_targets(name: str, cores: int, size: int) -> NDArray[np.int64]:
    """(neurons, 256) the targets of every neuron."""
    neurons = cores * size
    synapses = np.arange(neurons * FAN_OUT)
    if name == "W4u":
        return top_bits(412, synapses, int(np.log2(neurons))).reshape(neurons, FAN_OUT)
    core = np.repeat(top_bits(401, np.arange(neurons * 8), int(np.log2(cores))), FAN_OUT // 8)
    return (core * size + top_bits(402, synapses, 8)).reshape(neurons, FAN_OUT)


def many_core_weights(neurons: int) -> NDArray[np.int64]:
    """(neurons, 256) integers from -8 to 7."""
    return (top_bits(403, np.arange(neurons * FAN_OUT), 4) - 8).reshape(neurons, FAN_OUT)
