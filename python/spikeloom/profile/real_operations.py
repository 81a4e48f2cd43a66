"""Operations of real numbers, for analog somas; each docstring is the specification.

All arithmetic is binary64, in the order written, each operation rounded by itself; `exp` and `ln` are the
core's own (`base/elementary.hpp`), the same bits everywhere. dt is `time.dt_s`; a time constant is in seconds.
z is the normal number of machine.md section 5 for this neuron, step, sample and trial.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spikeloom.profile.operation_base import Operand, _Operation


class LinearExact(_Operation):
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


class ExpEuler(_Operation):
    """tau dx/dt = -x + sum gain source + sum g (E - x), all but x held at the step's start.

    `gains = { source = gain }`, `conductances = { g = E }`, g in units of the leak's conductance.
    open = 1 + g1 + g2 + ...; t = (0 + gain1 source1 + ... + E1 g1 + ...) / open;
    x = t + (x - t) exp(-(dt open) / tau).
    """

    op: Literal["exp_euler"]
    reg: str
    tau: Operand
    gains: dict[str, Operand] = {}
    conductances: dict[str, Operand] = {}

    def reads(self) -> tuple[Operand, ...]:
        pairs = [*self.gains.items(), *self.conductances.items()]
        return (*super().reads(), self.reg, self.tau, *(name for pair in pairs for name in pair))

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class ExpDrive(_Operation):
    """dst = slope exp(min((v - vt) / slope, max)): the exponential current of a spike's rise."""

    op: Literal["exp_drive"]
    dst: str
    v: Operand
    vt: Operand
    slope: Operand
    max: Operand

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.v, self.vt, self.slope, self.max)

    def writes(self) -> tuple[str, ...]:
        return (self.dst,)


class AddNoise(_Operation):
    """reg = reg + sigma z; stream membrane, layer the operation's number in the list, from 0."""

    op: Literal["add_noise"]
    reg: str
    sigma: Operand

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.sigma)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class _Converter(_Operation):
    reg: str
    bits: Annotated[int, Field(ge=1, le=24)]
    lo: Operand
    hi: Operand
    inl: tuple[float, ...] = ()

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.lo, self.hi)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class Adc(_Converter):
    """code = clip(fl((reg - lo) / (hi - lo) 2^bits), 0, 2^bits - 1); reg = code + inl[code].

    `inl`, one number for each code in units of a code, is the converter's nonlinearity; absent: none.
    """

    op: Literal["adc"]


class Dac(_Converter):
    """code = clip(fl(reg), 0, 2^bits - 1); reg = lo + (code + inl[code]) ((hi - lo) / 2^bits)."""

    op: Literal["dac"]


class Mac(_Operation):
    """y = clamp(sum over b of clamp(round(block_b gain + sigma z_b))), clamp to [out_min, out_max].

    round floor: fl(x); nearest: fl(x + 1/2). Sums go from 0 on in the order of `blocks`; z_b is that of the index
    neuron * blocks + b of its core, stream membrane, layer the operation's number. sigma 0 draws nothing.
    """

    op: Literal["mac"]
    dst: str
    blocks: tuple[str, ...]
    gain: Operand
    sigma: Operand
    round: Literal["floor", "nearest"]
    out_min: Operand
    out_max: Operand

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), *self.blocks, self.gain, self.sigma, self.out_min, self.out_max)

    def writes(self) -> tuple[str, ...]:
        return (self.dst,)


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

REAL_OPERATIONS: tuple[type[_Operation], ...] = (
    LinearExact, ExpEuler, ExpDrive, AddNoise, Adc, Dac, Mac, DpiStep,
)  # fmt: skip

RealOperation = LinearExact | ExpEuler | ExpDrive | AddNoise | Adc | Dac | Mac | DpiStep
