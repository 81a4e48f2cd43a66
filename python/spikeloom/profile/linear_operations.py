"""Operations of linear neurons; each docstring is the specification.

Arithmetic, `exp` and dt are those of `real_operations`.
"""

from __future__ import annotations

from typing import Literal

from spikeloom.profile.operation_base import Operand, _Operation


class _Linear(_Operation):
    states: tuple[str, ...]
    taus: tuple[Operand, ...]
    gains: dict[str, dict[str, Operand]] = {}

    def reads(self) -> tuple[Operand, ...]:
        factors = [factor for row in self.gains.values() for factor in row.values()]
        return (*super().reads(), *self.states, *self.taus, *self.held(), *factors)

    def writes(self) -> tuple[str, ...]:
        return self.states

    def held(self) -> tuple[str, ...]:
        """Sources that are no states, in the order of y."""
        named = (source for row in self.gains.values() for source in row)
        return tuple(dict.fromkeys(source for source in named if source not in self.states))


class LinearExact(_Linear):
    """tau_k dx_k/dt = -x_k + sum gain source, for all states together and exactly for the whole step.

    `gains = { v = { i = "r", e_leak = 1 } }` names for each state its sources: other states, and registers or
    parameters, which are held during the step. x = P y, y the states and then the held sources in the order
    in which `gains` first names them, each sum from 0 on in the order of y. P is the upper part of exp(D), D
    the matrix of the equations times dt, with rows of 0 for held sources: r = dt / tau_k, D_kk = -r, then
    D_ks = D_ks + gain r for each source. B = D / 2^s with the smallest s >= 0 that makes every row's sum of
    magnitudes at most 1/2; E = 1, then E = (B E) / k + 1 for k = 14 down to 1; s times E = E E. Sums of
    products go by index, from 0 on.
    """

    op: Literal["linear_exact"]


class LinearStep(_Linear):
    """One step of a whole linear neuron, exact with its spike's time; products and sums from the left.

    The equations and P y of `linear_exact`. The first state is the membrane v, with time constant tau; all others,
    x_k with tau_k, only decay, and v alone has sources. rest = sum of gain source over v's held sources, from 0, in
    the order of `gains`; gain_k is v's gain of x_k, 0 where `gains` names none. held is `refractory`, in steps;
    `late` is how long before the end of its step the last spike crossed the threshold, in steps; `after` is what v
    would be at the end of that step, had it started again from `value` at the crossing.

    v = after where held = 0 and fired is not 0; fired = 0. The neuron is free for the last l of the step: l = dt
    where held = 0, late dt where held = 1, else 0; from a = v, c_k = gain_k x_k on where held = 0, else from a =
    value, c_k = gain_k x_k exp(-((dt - l) / tau_k)). x = P y for all but v. Its path, with its slope and bend:
    E = exp(-(s / tau)), F_k = exp(-(s / tau_k)), z = s / tau - s / tau_k, B_k = (F_k - E) / z, or E (1 + z / 2 (1 +
    z / 3 (1 + z / 4 (1 + z / 5)))) where -0.01 < z < 0.01; V(s) = rest + (a - rest) E + c_1 (s / tau B_1) + ...;
    V'(s) = (rest + c_1 F_1 + ... - V) / tau; V''(s) = (0 - c_1 F_1 / tau_1 - ... - V') / tau. It ends at e, v's row
    of P y where held = 0, else V(l). d0 = rest + c_1 + ... - a is tau times the slope at its start, that at its end
    d1 = rest + gain_1 x_1 + ... - e, with the new x.

    Where l > 0 it crosses the threshold in one of three ways. a > threshold: at 0, from = top = a. Else e >
    threshold: on the way to b = l, from = threshold, top = e. Else d0 > 0 > d1, most > threshold and a peak above
    the threshold: on the way to b = the peak, from = threshold, top = V(b). most = a + (rest + max(c_1, 0) + ... -
    a) (l / tau) bounds the path. The peak is s after four times: lo = s where V'(s) > 0, else hi = s; s = min(max(s
    - V'(s) / V''(s), lo), hi) where V''(s) < 0, else (lo + hi) / 2; first s = l (d0 / (d0 - d1)), lo = 0, hi = l.
    On the way to b it crosses at s after four times: hi = s where V(s) > threshold, else lo = s; s = min(max(s -
    (V(s) - threshold) / V'(s), lo), hi) where V'(s) > 0, else (lo + hi) / 2; first s = b ((threshold - a) / (top -
    a)), lo = 0, hi = b. since = l - s.

    Where it crosses: v = top, late = since / dt, after = e - (from - value) exp(-(since / tau)). Else v = e, or value
    where l = 0; and late = 0, after = value where held is 0 or 1. A neuron makes one spike a step.
    """

    op: Literal["linear_step"]
    late: str
    after: str
    fired: str
    refractory: Operand
    threshold: Operand
    value: Operand

    def reads(self) -> tuple[Operand, ...]:
        own = (self.refractory, self.threshold, self.value)
        return (*super().reads(), self.late, self.after, self.fired, *own)

    def writes(self) -> tuple[str, ...]:
        return (*self.states, self.late, self.after, self.fired)


Linear = LinearExact | LinearStep
