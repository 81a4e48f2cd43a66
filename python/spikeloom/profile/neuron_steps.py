"""Operations that are a whole nonlinear neuron; each docstring is the specification.

Arithmetic, `exp`, `ln` and dt are those of `real_operations`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spikeloom.profile.operation_base import Operand, _Operation


class DpiStep(_Operation):
    """One step of the subthreshold differential-pair neuron of DYNAP-SE2, in this order; products from the left.

    T = ut / kappa; tau_k = T c_k / itau_k for exc, inh, ahp; free = 1 where refractory = 0, else 0.

    Integrator `euler`, its makers'. A synapse's level is max(i0, igain_k / itau_k in_k), the adaptation's
    igain_ahp / itau_ahp iw_ahp fired. Each current becomes i exp(-(dt / tau_k)) + (1 - exp(-(pulse / tau_k))) level,
    ahp at least i0; fired = 0. leak = itau_mem + ahp; in = max(i0, (exc - inh - leak + idc) free);
    rest = igain_mem / itau_mem (in - leak); v = T ln(imem / i0); back = i0 exp(kappa kappa / (kappa + 1) v / ut);
    above = imem + igain_mem; f = back / leak above; tau = T c_mem / leak;
    slope = rest + f - imem (1 + ahp / itau_mem); imem = max(i0, imem + dt imem / (tau above) slope).

    Integrator `exponential`, of second order, the spike's time included: the same equations, in w = imem / igain_mem
    (imem at least i0) and u = w + ln w, in which the membrane is all but linear. `late` is how long before the end of
    its step the last spike crossed the threshold, in steps. Pulses: ahp = ahp + exp(-(late dt / tau_ahp)) ((1 -
    exp(-(t_pulse_ahp / tau_ahp))) (igain_ahp / itau_ahp iw_ahp fired)); fired = 0. First, where free, the time since
    that crossing is made up for, as a part of length gap = late dt, else 0, with the currents i_k exp(gap / 2 /
    tau_k), which stay. Then exc and inh gain (1 - exp(-(t_pulse / tau_k))) (igain_k / itau_k in_k), and the step is
    taken in `parts` parts of length h = dt / parts: i_k = i_k q_k is the current in the middle of a part, i_k = i_k
    q_k that at its end, q_k = exp(-(h / 2 / tau_k)). A part of length 0 changes nothing; else, each current at least
    i0, it does: leak = itau_mem + ahp; in = max(i0, (exc - inh - leak + idc) free); open = leak (1 + ahp / itau_mem);
    C = T c_mem; p = kappa / (kappa + 1); back = i0 exp(p (ln w + ln(igain_mem / i0))); slope = (leak / itau_mem (in -
    leak) - open w + back (1 + w)) / C; steep = (back (w + p (1 + w)) - open w) / (1 + w) / C; z = min(h steep, 50);
    rise = (exp(z) - 1) / z, or 1 + z / 2 (1 + z / 3 (1 + z / 4 (1 + z / 5))) where -0.01 < z < 0.01; u' = u + h slope
    rise, at least i0 / igain_mem - ln(igain_mem / i0) and at most 1e9; w = ln(1 + exp(u')), then four times w = w (1
    + u' - ln w) / (1 + w). With goal = g + ln g, g = threshold / igain_mem, the time since the crossing is h more
    once there was one; else h ((u' - goal) / (u' - min(u, goal))) where u' > goal. After the last part imem = max(i0,
    igain_mem w) and, where free, late = min(1, that time / dt) where imem > threshold, else 0.
    """

    op: Literal["dpi_step"]
    imem: str
    exc: str
    inh: str
    ahp: str
    fired: str
    refractory: Operand
    in_exc: Operand
    in_inh: Operand
    i0: Operand
    itau_mem: Operand
    igain_mem: Operand
    itau_exc: Operand
    igain_exc: Operand
    itau_inh: Operand
    igain_inh: Operand
    itau_ahp: Operand
    igain_ahp: Operand
    iw_ahp: Operand
    idc: Operand
    c_mem: Operand
    c_exc: Operand
    c_inh: Operand
    c_ahp: Operand
    kappa: Operand
    ut: Operand
    t_pulse: Operand
    t_pulse_ahp: Operand
    integrator: Literal["euler", "exponential"] = "euler"
    parts: Annotated[int, Field(ge=1, le=64)] = 1
    """Of a step; `exponential` only, as are the next two."""
    late: str | None = None
    threshold: Operand | None = None

    def reads(self) -> tuple[Operand, ...]:
        own = (getattr(self, name) for name in DPI_OPERANDS)
        return (*super().reads(), *self.writes(), *(operand for operand in own if operand is not None))

    def writes(self) -> tuple[str, ...]:
        late = () if self.late is None else (self.late,)
        return (self.imem, self.exc, self.inh, self.ahp, self.fired, *late)


DPI_REGISTERS = ("imem", "exc", "inh", "ahp", "fired")
_NO_OPERANDS = ("name", "unless", "on", "op", *DPI_REGISTERS, "integrator", "parts", "late")
DPI_OPERANDS = tuple(name for name in DpiStep.model_fields if name not in _NO_OPERANDS)


class AdexStep(_Operation):
    """One step of the adaptive exponential neuron, of second order, spike times included; products from the left.

    tau_m dv/dt = rest - v + slope exp((v - vt) / slope) - w + drive + exc (e_exc - v) + inh (e_inh - v),
    tau_w dw/dt = coupling (v - rest) - w, tau_k dk/dt = -k for the conductances exc, inh, in units of the leak's.
    toward = coupling (v - rest); free = 1 where refractory = 0; `late` is how long before the end of its step the
    last spike crossed the threshold, in steps. w = w + jump fired; passed = late dt; where fired is not 0, w = toward
    + (w - toward) exp(-(passed / tau_w)); fired = 0; since = 0. Where free and passed > 0, the membrane moves by
    passed with the conductances k exp(passed / 2 / tau_k), which stay, and the adaptation toward + (w - toward)
    exp(passed / 2 / tau_w); then, if it did not cross, w = w + (toward' - toward) (1 - exp(-(passed / 2 / tau_w))),
    toward' of the new v. Then k = k + in_k, and the step is taken in `parts` parts of length h = dt / parts: k = k
    q_k is the conductance in the middle of a part, k = k q_k that at its end, q_k = exp(-(h / 2 / tau_k)). Where
    since > 0, a part does no more than since = since + h. Else m = toward + (w - toward) Q, Q = exp(-(h / 2 /
    tau_w)); where free, the membrane moves by h with m; then w = toward' + (m - toward') Q of the new v, or, had it
    crossed, w = toward + (w - toward) exp(-((h - since) / tau_w)) of the old one.
    The membrane moves by l with w: x = (v - vt) / slope; y = B(x), B(x) = min(x, 0) - ln(1 + exp(-|x|)); q = exp(y);
    open = 1 + exc + inh; level = (rest - v - w + drive + exc (e_exc - v) + inh (e_inh - v)) / slope; rate = ((1 - q)
    level + q) / tau_m; steep = (q (1 - level) - open) / tau_m; z = min(l steep, 50); y' = y + l rate rise, rise =
    (exp(z) - 1) / z, or 1 + z / 2 (1 + z / 3 (1 + z / 4 (1 + z / 5))) where -0.01 < z < 0.01; goal = B((threshold -
    vt) / slope). Where y' > goal it crosses: since = l ((y' - goal) / (y' - min(y, goal))), v = threshold + slope;
    else v = vt + slope (y' - ln(1 - exp(y'))). At the end, where free, late = min(1, since / dt).
    """

    op: Literal["adex_step"]
    v: str
    w: str
    exc: str
    inh: str
    fired: str
    late: str
    refractory: Operand
    in_exc: Operand
    in_inh: Operand
    rest: Operand
    vt: Operand
    slope: Operand
    drive: Operand
    e_exc: Operand
    e_inh: Operand
    tau_m: Operand
    tau_exc: Operand
    tau_inh: Operand
    tau_w: Operand
    coupling: Operand
    jump: Operand
    threshold: Operand
    parts: Annotated[int, Field(ge=1, le=64)]

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), *self.writes(), *(getattr(self, name) for name in ADEX_OPERANDS))

    def writes(self) -> tuple[str, ...]:
        return (self.v, self.w, self.exc, self.inh, self.fired, self.late)


_NEITHER = ("name", "unless", "on", "op", "v", "w", "exc", "inh", "fired", "late", "parts")
ADEX_OPERANDS = tuple(name for name in AdexStep.model_fields if name not in _NEITHER)
