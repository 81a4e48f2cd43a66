"""What the positions of a convolution see of its images, and the way back; means over windows likewise.

Images are (N, height, width, channels). The numbers keep their type: float64, or float32 where a network learns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from spikeloom.ann.checks import dilated

Numbers = NDArray[Any]
Pair = tuple[int, int]
Sizes = tuple[int, ...]  # height and width
Padding = tuple[int, int, int, int]


def window_means(images: Numbers, window: Pair) -> Numbers:
    """The mean over each window, which is also its stride; windows tile the image."""
    count, height, width, channels = images.shape
    (down, right), rows = window, height // window[0]
    lines = _added(images.reshape(count, rows, down, width * channels))
    columns = _added(lines.reshape(count, rows, width // right, right, channels))
    return columns / (down * right)


def spread_means(means: Numbers, window: Pair) -> Numbers:
    """The transpose of `window_means`: each window gets its number in equal shares."""
    return (means / (window[0] * window[1])).repeat(window[0], axis=1).repeat(window[1], axis=2)


def unfolded(images: Numbers, kernel: Sizes, stride: Pair, dilation: Pair, padding: Padding) -> Numbers:
    """(N, rows, columns, channels, kernel y, kernel x) of the zero-padded images.

    padding: top, left, bottom, right
    """
    top, left, bottom, right = padding
    padded = np.pad(images, ((0, 0), (top, bottom), (left, right), (0, 0))) if any(padding) else images
    window = (1, *dilated(kernel, dilation), 1)
    seen: Numbers = sliding_window_view(padded, window)[:, :: stride[0], :: stride[1]]
    return seen[..., 0, :: dilation[0], :: dilation[1], 0]


def folded(taps: Numbers, image: Sizes, stride: Pair, dilation: Pair, padding: Padding) -> Numbers:
    """The transpose of `unfolded`: images (N, height, width, channels) of this height and width, overlaps added.

    taps: (kernel y, kernel x, N, rows, columns, channels)
    """
    (top, left, bottom, right), (rows, columns) = padding, taps.shape[3:5]
    shape = (taps.shape[2], image[0] + top + bottom, image[1] + left + right, taps.shape[5])
    padded = np.zeros(shape, dtype=taps.dtype)
    for down, across in np.ndindex(taps.shape[:2]):
        y, x = down * dilation[0], across * dilation[1]
        inside = padded[:, y : y + stride[0] * rows : stride[0], x : x + stride[1] * columns : stride[1]]
        inside += taps[down, across]
    return padded[:, top : top + image[0], left : left + image[1]]


def _added(parts: Numbers) -> Numbers:
    """The sum over the last axis but one, part by part: a window has few, which a reduction would be slow for."""
    total: Numbers = parts[..., 0, :]
    for k in range(1, parts.shape[-2]):
        total = total + parts[..., k, :]
    return total
