"""Synapse rows of a convolution: one template for each border and stride class, kernels stored once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.projection import Convolution
from spikeloom.placement.rows import EMPTY, Index, Rows, starts


class ConvolutionSynapses:
    """A kernel over an image: a run is the output channels of one position, or those of them in the range.

    All channels of a source position, of one group, and all positions of its pooling window, read the same
    template; so do positions and groups whose runs differ only by where they start.
    """

    def __init__(self, kernel: Convolution, delay: int, formats: NDArray) -> None:
        self._kernel, self._delay = kernel, delay
        self.codes = kernel.codes.ravel()
        self.formats = np.broadcast_to(formats, kernel.codes.shape).ravel()
        self._place, self._output, self._tap = _taps(kernel)
        self._by_output = np.argsort(self._output, kind="stable")
        self._sorted_output = self._output[self._by_output]

    def rows(self, first: int, stop: int) -> Rows:
        out = self._kernel.codes.shape[3]
        inside = slice(*np.searchsorted(self._sorted_output, (first // out, -(-stop // out))))
        picked = np.sort(self._by_output[inside])
        lane, begin, length, weight = self._runs(picked, first, stop)
        lanes, run_start = np.unique(lane, return_index=True)
        counts = np.diff(np.append(run_start, lane.size))
        base, base_weight = begin[run_start], _least(weight, run_start)
        runs = np.stack(
            (begin - np.repeat(base, counts), length, weight - np.repeat(base_weight, counts)), axis=1
        )
        template, example = _classes(runs, counts)
        used = _ranges(run_start[example], counts[example])
        source, channel, row = self._sources(lanes)
        return Rows(
            source=source,
            template=template[row],
            target=base[row] - first,
            weight=channel % self._kernel.codes.shape[0] * self._kernel.codes[0].size + base_weight[row],
            run_start=starts(counts[example]),
            run_target=runs[used, 0],
            run_length=runs[used, 1],
            run_weight=runs[used, 2],
            run_delay=np.full(used.size, self._delay),
            run_index=np.full(used.size, -1),
            index_target=EMPTY,
        )

    def _runs(self, picked: Index, first: int, stop: int) -> tuple[Index, Index, Index, Index]:
        """(lane, first target, length, weight) of each run into [first, stop), sorted by lane.

        A lane is what the channels of one group at one pooled position read: position * groups + group.
        """
        out, parts = self._kernel.codes.shape[3], self._kernel.groups
        own = out // parts
        group = np.arange(parts) * own
        lane = self._place[picked, None] * parts + np.arange(parts)
        target = self._output[picked, None] * out + group
        begin = np.maximum(target, first)
        length = np.minimum(target + own, stop) - begin
        weight = self._tap[picked, None] * out + group + begin - target
        order = np.argsort(lane, axis=None, kind="stable")
        order = order[length.ravel()[order] > 0]
        return lane.ravel()[order], begin.ravel()[order], length.ravel()[order], weight.ravel()[order]

    def _sources(self, lanes: Index) -> tuple[Index, Index, Index]:
        """(source neuron, input channel, index into `lanes`) of every axon, ascending in source neuron."""
        if not lanes.size:
            return lanes, lanes, lanes
        _, width, channels = self._kernel.input_shape
        rows, columns, _ = self._kernel.pooled_shape
        (pool_y, pool_x), parts = self._kernel.pool, self._kernel.groups
        places = lanes // parts
        top, bottom = places[0] // columns * pool_y, (places[-1] // columns + 1) * pool_y
        y, x = np.arange(top, bottom) // pool_y, np.arange(width) // pool_x
        index = np.full((rows, columns + 1, parts), -1)  # the last column: cut off by the pooling
        index[places // columns, places % columns, lanes % parts] = np.arange(lanes.size)
        row = np.repeat(index[y[:, None], np.minimum(x, columns)], channels // parts, axis=2).ravel()
        source = np.flatnonzero(row >= 0)
        return source + top * width * channels, source % channels, row[source]

    def fan_in(self) -> Index:
        per_tap = self._kernel.codes.shape[0] * self._kernel.pool[0] * self._kernel.pool[1]
        rows, columns, out = self._kernel.output_shape
        return np.repeat(np.bincount(self._output, minlength=rows * columns) * per_tap, out)

    def fan_out(self) -> Index:
        rows, columns, _ = self._kernel.pooled_shape
        parts = self._kernel.groups
        taps = np.bincount(self._place, minlength=rows * columns)
        source, _, row = self._sources(np.arange(rows * columns * parts))
        counts = np.zeros(int(np.prod(self._kernel.input_shape)), dtype=np.int64)
        counts[source] = taps[row // parts] * (self._kernel.codes.shape[3] // parts)
        return counts


def _taps(kernel: Convolution) -> tuple[Index, Index, Index]:
    """(pooled position, output position, kernel position) of every tap, sorted by the first two."""
    rows, columns, _ = kernel.pooled_shape
    out_rows, out_columns, _ = kernel.output_shape
    _, kernel_y, kernel_x, _ = kernel.codes.shape
    (down, right), (dy, dx), (top, left, _, _) = kernel.stride, kernel.dilation, kernel.padding
    y, out_y, tap_y = _axis(rows, kernel_y, out_rows, down, dy, top)
    x, out_x, tap_x = _axis(columns, kernel_x, out_columns, right, dx, left)
    place = (y[:, None] * columns + x).ravel()
    output = (out_y[:, None] * out_columns + out_x).ravel()
    tap = (tap_y[:, None] * kernel_x + tap_x).ravel()
    order = np.lexsort((output, place))
    return place[order], output[order], tap[order]


def _axis(
    size: int, taps: int, outputs: int, stride: int, apart: int, before: int
) -> tuple[Index, Index, Index]:
    """(position, output, tap) along one axis, for every tap that lies on the image and not on its padding."""
    output, tap = (index.ravel() for index in np.indices((outputs, taps)))
    position = output * stride + tap * apart - before
    on_image = (position >= 0) & (position < size)
    return position[on_image], output[on_image], tap[on_image]


def _classes(runs: Index, counts: Index) -> tuple[Index, Index]:
    """(class of each row, first row of each class): rows with the same list of runs are one class."""
    width = runs.shape[1]
    table = np.full((counts.size, counts.max(initial=0) * width + 1), -1)
    row = np.repeat(np.arange(counts.size), counts)
    rank = np.arange(row.size) - np.repeat(starts(counts)[:-1], counts)
    table[row[:, None], rank[:, None] * width + np.arange(width)] = runs
    keys = (
        np.ascontiguousarray(table).view(np.dtype((np.void, table.dtype.itemsize * table.shape[1]))).ravel()
    )
    _, example, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(example)  # classes in the order in which the image meets them
    return np.argsort(order)[inverse], example[order]


def _least(values: Index, first: Index) -> Index:
    """Smallest value of each group that starts at `first`."""
    return np.minimum.reduceat(values, first) if first.size else first


def _ranges(first: Index, counts: Index) -> Index:
    """The numbers first[k], first[k] + 1, ..., counts[k] of them, for each k in turn."""
    return np.arange(counts.sum()) + np.repeat(first - starts(counts)[:-1], counts)
