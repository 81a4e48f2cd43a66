"""Random chip programs for any profile, built directly as arrays, for `spikeloom check` and for the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.profile.schema import Param, Profile
from spikeloom.program.program import ChipProgram, Placed, Port, ProgramArrays
from spikeloom.reference.random_rows import RowDraw
from spikeloom.reference.random_values import DEFAULT, EDGES, EdgeValues, Options


@dataclass(frozen=True)
class RandomProgram:
    """A program, the input of one sample, and how often each edge was taken ("code.min", "delay=62")."""

    program: ChipProgram
    spikes: NDArray  # (ticks, input lines) uint8
    edges: Mapping[str, int]


def random_program(profile: Profile, seed: int, options: Options = DEFAULT) -> RandomProgram:
    """Draw a program and its input: several cores, dense, sparse and shared rows, delays, loops, parameters.

    >>> from spikeloom.profile.catalog import load_profile
    >>> case = random_program(load_profile("loihi1"), seed=1)
    >>> bool(case.program.n_neurons == case.program.arrays.core_neuron_start[-1])
    True
    """
    rng = np.random.default_rng([seed, 0x5B1])
    values = EdgeValues(rng, options.edges)
    builder = _Builder(profile, rng, values, options)
    program = builder.program(ticks=int(rng.integers(8, options.ticks + 1)))
    most = options.counts or (profile.delivery.spikes_max.input or 3) + 2
    spikes = _input_spikes(values, rng, program.ticks, program.n_inputs, most)
    return RandomProgram(program, spikes, dict(values.tally))


def _input_spikes(values: EdgeValues, rng: np.random.Generator, ticks: int, lines: int, most: int) -> NDArray:
    """Counts of 0, 1 and, on some lines, more; each line with a rate of its own."""
    rate = rng.choice([0.05, 0.3, 0.9], lines)
    several = np.where(rng.random(lines) < 0.3, values.integers("count", lines, 0, most), 1)
    return np.where(rng.random((ticks, lines)) < rate, several, 0).astype(np.uint8)


class _Builder:
    """Draws one program."""

    def __init__(
        self, profile: Profile, rng: np.random.Generator, values: EdgeValues, options: Options
    ) -> None:
        self.profile, self.rng, self.values, self.options = profile, rng, values, options
        cores = int(rng.integers(1, options.cores + 1)) if profile.event is None else 1
        self.sizes = rng.integers(2, options.neurons + 1, cores)
        self.neuron_start = np.concatenate([[0], np.cumsum(self.sizes)])
        self.n_neurons = int(self.neuron_start[-1])
        self.n_inputs = int(rng.integers(1, 8))
        self.fans: tuple[list[list[int]], list[list[int]]] = (
            [[] for _ in range(self.n_inputs)],
            [[] for _ in range(self.n_neurons)],
        )

    def program(self, ticks: int) -> ChipProgram:
        """The whole program with a window of `ticks`."""
        self.core_of = np.repeat(np.arange(len(self.sizes)), self.sizes)
        params = self.draw_params()
        self.drawn = RowDraw(self.profile, self.values, self.options, self.neuron_start, self.threshold)
        axon_start = [0]
        for core in range(len(self.sizes)):
            for _ in range(int(self.rng.integers(1, 4))):
                self.draw_projection(core)
            axon_start.append(len(self.drawn.rows.axons))
        arrays = self.arrays(axon_start, params)
        placed = tuple(self.place(core) for core in range(len(self.sizes)))
        neurons = placed[-1].neurons
        ones, zeros = np.ones(len(neurons)), np.zeros(len(neurons))
        inputs = (Port("in", self.n_inputs, encoding="spikes", scale=np.ones(self.n_inputs)),)
        readable = self.profile.outputs.readable
        read = "spikes" if "spikes" in readable else readable[0]
        outputs = (Port("out", len(neurons), scale=ones, offset=zeros, neurons=neurons, read=read),)
        return ChipProgram(self.profile, ticks, inputs, outputs, placed, arrays)

    def place(self, core: int) -> Placed:
        """One population a core; its window starts after 0, 1 or 2 hops."""
        neurons = np.arange(self.neuron_start[core], self.neuron_start[core + 1], dtype=np.int32)
        depth = int(self.rng.integers(0, 3)) * self.profile.time.spike_latency_ticks
        return Placed(f"core{core}", neurons, depth)

    def draw_params(self) -> dict[str, NDArray]:
        """Codes of every parameter, the threshold first: the others are drawn around it."""
        names = sorted(self.profile.params, key=lambda name: name != self.profile.threshold)
        codes: dict[str, NDArray] = {}
        self.threshold: NDArray | None = None
        for name in names:
            codes |= self.draw_param(name, self.profile.params[name])
            if name == self.profile.threshold:
                self.threshold = self.effective_threshold(codes[name], codes.get(f"{name}_exp"))
        return codes

    def draw_param(self, name: str, param: Param) -> dict[str, NDArray]:
        """One code a neuron, or a core where the scope says so, and the exponents of `mant_exp`."""
        n, near = self.n_neurons, self.threshold
        if param.is_real and param.min is not None and param.max is not None:
            drawn = self.values.between(f"param.{name}", n, param.min, param.max)
            return {name: self.shared_by_scope(param, drawn)}
        if param.is_real:
            drawn = self.values.floats(f"param.{name}", n, near=near, exact=self.options.exact)
            return {name: np.abs(drawn) + 0.25 if name == self.profile.threshold else drawn}
        if self.profile.alias is not None and name == self.profile.alias.offset:
            return {name: self.draw_alias()}
        found = {}
        unit: Any = 2**param.shift if param.format == "shift" else 1
        if param.format == "mant_exp":
            found[f"{name}_exp"] = self.shared_by_scope(param, self.rng.integers(0, param.exp_max + 1, n))
            unit = 2 ** found[f"{name}_exp"]
        if name in self.options.params:
            drawn = self.values.choice(name, n, self.options.params[name])
        else:
            near = None if near is None else near // unit
            low = int(param.min or 0)
            if name == self.profile.threshold and self.options.least_threshold is not None:
                low = max(low, self.options.least_threshold)
            drawn = self.values.integers(f"param.{name}", n, low, int(param.max or 0), near=near)
        if name == self.profile.threshold:
            drawn = self.lower_thresholds(param, drawn)
        found[name] = self.shared_by_scope(param, drawn)
        return {key: codes.astype(np.int32) for key, codes in found.items()}

    def shared_by_scope(self, param: Param, codes: NDArray) -> NDArray:
        """The first neuron's code for all of a core, where the core shares it."""
        first: NDArray = codes[self.neuron_start[self.core_of]]
        return first if param.scope in ("core", "population") else codes

    def draw_alias(self) -> NDArray:
        """Some neurons give their spikes to a neuron of their core; one that drew itself gives none."""
        own = np.arange(self.n_neurons)
        first, end = self.neuron_start[self.core_of], self.neuron_start[self.core_of + 1]
        gives = self.rng.random(self.n_neurons) < self.options.aliases
        return np.where(gives, self.rng.integers(first, end) - own, 0).astype(np.int32)

    def lower_thresholds(self, param: Param, codes: NDArray) -> NDArray:
        """Thresholds that the drawn synapses can reach, for half of the neurons."""
        if self.options.edges != EDGES:
            return codes
        low, high = max(int(param.min or 0), 1), int(param.max or 1)
        small = np.exp(self.rng.uniform(np.log(low), np.log(min(high, 1024) + 1), len(codes))).astype(
            np.int64
        )
        return np.where(self.rng.random(len(codes)) < 0.5, np.clip(small, low, high), codes)

    def effective_threshold(self, codes: NDArray, exponents: NDArray | None) -> NDArray:
        """The threshold in the register's own unit."""
        param = self.profile.params[str(self.profile.threshold)]
        scale = 2**param.shift if param.format == "shift" else 1
        return codes.astype(np.float64 if self.profile.is_analog else np.int64) * (
            scale if exponents is None else 2 ** exponents.astype(np.int64)
        )

    def draw_projection(self, core: int) -> None:
        """Axons of one core from the input or from one core's neurons, in one of three kinds of rows."""
        from_input = self.rng.random() < 0.4 or not self.drawn.rows.axons
        other = int(self.rng.integers(0, len(self.sizes)))
        sources = np.arange(self.n_inputs) if from_input else np.arange(*self.neuron_start[other : other + 2])
        if self.profile.event is not None:
            kinds = len(self.profile.delivery.into) if from_input else 1
            self.drawn.kind = int(self.rng.integers(0, kinds))
        kind = self.rng.choice(["dense", "sparse", "shared"])
        axons = self.drawn.draw(str(kind), core, int(self.rng.integers(1, len(sources) + 1)))
        fans = self.fans[0 if from_input else 1]
        for axon, source in zip(axons, self.rng.permutation(sources), strict=False):
            self.drive(fans[source], axon)
            if self.rng.random() < 0.2:  # a second source on the same axon, as pooling makes them
                self.drive(fans[int(self.rng.choice(sources))], axon)

    def drive(self, fan: list[int], axon: int) -> None:
        """Let a source drive an axon; in event mode it has one, whose row reaches every neuron once."""
        if axon not in fan and (self.profile.event is None or not fan):
            fan.append(axon)

    def arrays(self, axon_start: list[int], params: dict[str, NDArray]) -> ProgramArrays:
        """The lists as arrays."""
        rows = self.drawn.rows
        axons = np.array(rows.axons, dtype=np.int64).reshape(-1, 3).T
        runs = np.array(rows.runs, dtype=np.int64).reshape(-1, 6).T
        narrow = np.int32
        input_start, input_axons = _fan_arrays(self.fans[0])
        neuron_start, neuron_axons = _fan_arrays(self.fans[1])
        return ProgramArrays(
            core_neuron_start=self.neuron_start.astype(narrow),
            core_axon_start=np.array(axon_start, dtype=narrow),
            axon_template=axons[0].astype(narrow), axon_target=axons[1].astype(narrow), axon_weight=axons[2],
            template_run_start=np.array(rows.templates, dtype=narrow),
            run_target=runs[0].astype(narrow), run_length=runs[1].astype(narrow), run_weight=runs[2],
            run_delay=runs[3].astype(narrow), run_receptor=runs[4].astype(narrow), run_index=runs[5],
            index_target=np.array(rows.index, dtype=narrow),
            codes=np.concatenate(rows.codes), code_format=np.concatenate(rows.formats),
            format_mode=self.drawn.format_mode,
            input_fan_start=input_start, input_fan_axon=input_axons,
            neuron_fan_start=neuron_start, neuron_fan_axon=neuron_axons,
            format_shared=self.drawn.format_shared, params=params, init=self.draw_init(),
        )  # fmt: skip

    def draw_init(self) -> dict[str, NDArray]:
        """First values of the registers that the program may set."""
        found = {}
        for name in self.profile.element_names():
            base = name.split("[")[0]
            state, register = self.profile.state.get(base), self.profile.regs[base]
            if state is None or state.init != "free":
                continue
            if register.bits is None:
                found[name] = self.values.floats(
                    "init", self.n_neurons, near=self.threshold, exact=self.options.exact
                )
                continue
            low = -(2 ** (register.bits - 1)) if register.signed else 0
            high = low + 2**register.bits - 1
            drawn = self.values.integers("init", self.n_neurons, low, high, near=self.threshold)
            found[name] = drawn.astype(np.int32 if high < 2**31 else np.int64)
        return found


def _fan_arrays(fans: list[list[int]]) -> tuple[NDArray, NDArray]:
    """(start of each, axons ascending)."""
    start = np.concatenate([[0], np.cumsum([len(fan) for fan in fans])]).astype(np.int32)
    return start, np.array([axon for fan in fans for axon in sorted(fan)], dtype=np.int32)
