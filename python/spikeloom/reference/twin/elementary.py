"""The twin's elementary functions and random numbers, in plain Python from the contract.

Python's floats are binary64 and its + - * / and square root round as the contract asks, so the bits are those
of the core. Nothing here calls the C library's exp or log.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
SMALLEST = 2.0**-1022

# z / x of the normal distribution, x = 2 P - 1: in w = -ln(1 - x^2) to 5, and in sqrt(w) beyond.
MIDDLE = (
    2.1233134670428684, 0.8720050611762219, -0.03692262390361028, -0.02768120005547204, 0.012056782394492937,
    -0.0006899615279124273, -0.0011799169362733818, 0.0004131423823346528, 2.973731223938311e-05,
    -5.854905887836021e-05, 1.1060098704365998e-05, 4.145253956186078e-06, -1.7305699309705327e-06,
)  # fmt: skip
TAIL = (
    4.671505672557389, 1.754773175845961, 0.0074739385170720304, -0.005845350569038066, 0.003939552044359968,
    -0.003081749011957478, 0.0023892066661738384, -0.0014898758845461532, 0.0006012122362710241,
    -1.931304909961593e-05, -0.0002037234850583825, 0.0001688337358207003, -3.615124999203851e-05,
    -2.9129248292892087e-05, 1.442204883097608e-05,
)  # fmt: skip


def polynomial(coefficients: Sequence[float], t: float) -> float:
    """c0 + t (c1 + t (c2 + ...)), from the inside out."""
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = coefficient + t * total
    return total


def exp(x: float) -> float:
    """e^x, x taken into [-708, 709]: 2^k times the series of e^r to r^13, k nearest to x / ln 2.

    >>> abs(exp(1.0) - math.e) < 1e-15
    True
    """
    x = min(max(x, -708.0), 709.0)
    k = round(x * LOG2_E)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    return math.ldexp(polynomial([1.0 / math.factorial(n) for n in range(14)], r), k)


def log(x: float) -> float:
    """ln x, x taken up to the smallest normal number: x = m 2^e, m in [0.75, 1.5).

    >>> abs(log(10.0) - math.log(10.0)) < 1e-15
    True
    """
    m, e = math.frexp(max(x, SMALLEST))
    if m < 0.75:
        m, e = 2.0 * m, e - 1
    s = (m - 1.0) / (m + 1.0)
    series = polynomial([1.0 / (2 * n + 1) for n in range(11)], s * s)
    return e * LN2_HIGH + (2.0 * s * series + e * LN2_LOW)


def normal(word: int) -> float:
    """The normal number z with P(z) = (word + 1/2) / 2^32.

    >>> round(normal(0x80000000), 9), round(normal(0xFFFFFFFF), 6)
    (0.0, 6.337958)
    """
    above = (word + 0.5) * 2.0**-31
    w = -log(above * (2.0 - above))
    if w <= 5.0:
        return (above - 1.0) * polynomial(MIDDLE, w / 2.5 - 1.0)
    return (above - 1.0) * polynomial(TAIL, (math.sqrt(w) - 3.468) / 1.232)


def philox(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Philox4x32-10 (Salmon et al., SC 2011): four words of 32 bits.

    >>> [hex(word) for word in philox([0, 0, 0, 0], [0, 0])]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    mask = 0xFFFFFFFF
    a, b, c, d = counter
    low, high = key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (second >> 32) ^ b ^ low, second & mask, (first >> 32) ^ d ^ high, first & mask
        low, high = (low + 0x9E3779B9) & mask, (high + 0xBB67AE85) & mask
    return [a, b, c, d]


def word(key: Sequence[int], index: int, rest: Sequence[int]) -> int:
    """The word of one index: word index mod 4 of the counter (index div 4, *rest)."""
    return philox([index // 4, *rest], key)[index % 4]
