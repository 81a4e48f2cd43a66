"""The rows of random programs: axons whose synapses are dense, sparse, or one kernel at shifted targets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikeloom.profile.schema import Profile, WeightMode
from spikeloom.reference.random_values import EdgeValues, Options

Run = tuple[int, int, int, int, int, int]  # target, length, weight, delay, receptor, index


@dataclass
class Rows:
    """The growing lists of axons, templates, runs and codes."""

    axons: list[tuple[int, int, int]] = field(default_factory=list)  # template, target, weight
    templates: list[int] = field(default_factory=lambda: [0])  # first run of each, and the end
    runs: list[Run] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    codes: list[NDArray] = field(default_factory=list)
    formats: list[NDArray] = field(default_factory=list)
    n_codes: int = 0

    def template(self, runs: list[Run]) -> int:
        """Add a template; its runs sorted by delay, receptor and first target."""
        self.runs += sorted(runs, key=lambda run: (run[3], run[4], run[0]))
        self.templates.append(len(self.runs))
        return len(self.templates) - 2


class RowDraw:
    """Draws rows into `rows`; `starts` are the first neurons of the cores, `threshold` one value a neuron."""

    def __init__(
        self,
        profile: Profile,
        values: EdgeValues,
        options: Options,
        starts: NDArray,
        threshold: NDArray | None,
    ) -> None:
        self.profile, self.values, self.options = profile, values, options
        self.rng = values.rng
        self.starts, self.sizes = starts, np.diff(starts)
        self.threshold = threshold
        self.kind: int | None = None  # event mode: the receptor of all rows of a projection
        self.rows = Rows()
        self.draw_formats()

    def draw_formats(self) -> None:
        """A few weight formats: a mode and one value of each shared weight value."""
        weights = self.profile.weights
        n = int(self.rng.integers(1, 4))
        modes = self.rng.integers(0, len(weights.mode), n) if weights.mode else np.full(n, -1)
        self.format_mode: NDArray = modes.astype(np.int32)
        self.format_shared: dict[str, NDArray] = {}
        for value in weights.shared:
            drawn = self.values.integers(f"shared.{value.name}", n, value.min, value.max)
            self.format_shared[value.name] = drawn.astype(np.int32)

    def draw_codes(self, columns: int, rows: int) -> int:
        """A matrix of codes, one format a column; where its first code is stored."""
        format_of = np.tile(self.rng.integers(0, len(self.format_mode), columns), rows)
        if self.profile.weights.formula == "type_table":  # a type belongs to an axon
            format_of = np.repeat(self.rng.integers(0, len(self.format_mode), rows), columns)
        codes = np.zeros(
            rows * columns, dtype=np.float64 if self.profile.weights.formula == "float" else np.int32
        )
        for format_ in range(len(self.format_mode)):
            where = np.flatnonzero(format_of == format_)
            codes[where] = self.codes_of_format(format_, len(where))
        first = self.rows.n_codes
        codes = self.allowed(codes.reshape(rows, columns)).ravel()
        self.rows.codes.append(codes)
        self.rows.formats.append(format_of.astype(np.uint8))
        self.rows.n_codes += len(codes)
        return first

    def allowed(self, codes: NDArray) -> NDArray:
        """The codes of rows with the sign of their source, and without the zeros that no virtual event has."""
        event = self.profile.event
        virtual = event is not None and event.receptors[self.kind or 0] == "virtual"
        if virtual:
            return np.where(codes == 0, 1, codes).astype(codes.dtype)
        if self.profile.weights.formula == "sign_pre":
            codes = np.abs(codes) * self.rng.choice([-1, 1], (len(codes), 1)).astype(codes.dtype)
        return codes

    def codes_of_format(self, format_: int, n: int) -> NDArray:
        """n codes of one format, around a threshold in the codes' unit."""
        near = None if self.threshold is None else self.rng.choice(self.threshold, n)
        weights = self.profile.weights
        if weights.formula == "float":
            return self.values.floats("code", n, near=near, exact=self.options.exact)
        exponents = {} if weights.formula == "palette" else self.format_shared
        shift = sum(int(values[format_]) for values in exponents.values()) + weights.unit_shift
        near = None if near is None else near // 2 ** max(shift, 0)
        low, high, step = levels(self.profile, weights.mode[int(self.format_mode[format_])])
        return self.values.integers("code", n, low, high, step=step, near=near)

    def draw_delay(self) -> int:
        """One synaptic delay of the profile's range, or of the list that was asked for."""
        time = self.profile.time
        if time.delay_scope == "none":
            return 0
        if self.options.delays is not None:
            return int(self.values.choice("delay", 1, self.options.delays)[0])
        return int(self.values.integers("delay", 1, time.delay_min, time.delay_max)[0])

    def draw(self, kind: str, core: int, rows: int) -> list[int]:
        """`rows` axons of one kind on one core; their numbers."""
        kinds = {"dense": self.draw_dense, "sparse": self.draw_sparse, "shared": self.draw_shared}
        return kinds[kind](core, rows)

    def draw_dense(self, core: int, rows: int) -> list[int]:
        """Rows of one template that covers a stretch of the core in one to three runs."""
        size = int(self.sizes[core])
        first = int(self.rng.integers(0, size))
        width = int(self.rng.integers(1, size - first + 1))
        cuts = np.unique(np.r_[0, self.rng.integers(0, width + 1, 2), width])
        delay, receptor = self.draw_delay(), self.draw_receptor()
        runs = []
        for start, end in zip(cuts, cuts[1:], strict=False):
            if self.profile.time.delay_scope == "synapse":
                delay, receptor = self.draw_delay(), self.draw_receptor()
            runs.append((first + int(start), int(end - start), int(start), delay, receptor, -1))
        template = self.rows.template(runs)
        codes = self.draw_codes(width, rows)
        return [self.add_axon(template, core, codes + row * width) for row in range(rows)]

    def draw_sparse(self, core: int, rows: int) -> list[int]:
        """Rows with a template each: targets by index, sorted by delay, receptor and target."""
        return [self.draw_sparse_row(core) for _ in range(rows)]

    def draw_sparse_row(self, core: int) -> int:
        """One row; a target may be met once for each of its delays and receptors."""
        size = int(self.sizes[core])
        groups = int(self.rng.integers(1, 4))
        delay = self.draw_delay()
        keys = set()
        for _ in range(groups):
            delay = self.draw_delay() if self.profile.time.delay_scope == "synapse" else delay
            keys.add((delay, self.draw_receptor()))
        runs, codes = [], 0
        for delay, receptor in sorted(keys):
            targets = np.sort(self.rng.permutation(size)[: int(self.rng.integers(1, size + 1))])
            runs.append((0, len(targets), codes, delay, receptor, len(self.rows.index)))
            self.rows.index += targets.tolist()
            codes += len(targets)
        return self.add_axon(self.rows.template(runs), core, self.draw_codes(codes, 1))

    def draw_shared(self, core: int, rows: int) -> list[int]:
        """Rows that read one kernel at shifted targets, as a convolution does."""
        size = int(self.sizes[core])
        length = int(self.rng.integers(1, max(size // 3, 1) + 1))
        taps = int(self.rng.integers(1, max(size // length // 2, 1) + 1))
        delay, receptor = self.draw_delay(), self.draw_receptor()
        runs = [(k * length, length, k * length, delay, receptor, -1) for k in range(taps)]
        template = self.rows.template(runs)
        codes = self.draw_codes(taps * length, 1)
        shifts = self.rng.integers(0, size - taps * length + 1, rows)
        return [self.add_axon(template, core, codes, int(shift)) for shift in shifts]

    def draw_receptor(self) -> int:
        """One of the profile's receptors; in event mode that of the projection."""
        if self.kind is not None:
            return self.kind
        return int(self.rng.integers(0, len(self.profile.delivery.into)))

    def add_axon(self, template: int, core: int, codes: int, shift: int = 0) -> int:
        """One more axon; its number."""
        self.rows.axons.append((template, int(self.starts[core]) + shift, codes))
        return len(self.rows.axons) - 1


def levels(profile: Profile, mode: WeightMode) -> tuple[int, int, int]:
    """(lowest, highest, step) of the codes of a mode."""
    weights = profile.weights
    bits = weights.bits or 1
    step = 2 ** ((weights.mantissa_bits or bits) - bits + mode.sign_bit)
    return -(-mode.min // step) * step, mode.max // step * step, step
