"""The numbers of the twin: codes to effective values, and the overflow rules, on plain Python numbers."""

from __future__ import annotations

from spikeloom.profile.schema import Param, Register, Weights

Number = int | float


class Trapped(Exception):
    """A register with the rule `trap` was given a value outside its width."""

    def __init__(self, value: Number, low: int, high: int) -> None:
        super().__init__(value, low, high)
        self.value, self.low, self.high = value, low, high
        self.core = self.neuron = -1  # filled in by whoever wrote
        self.register = ""


def register_range(register: Register) -> tuple[int, int]:
    """The smallest and the largest value that the width of a register holds."""
    bits = register.bits or 0
    if register.signed:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1


def wrap(value: int, low: int, high: int) -> int:
    """Keep the low-order bits: add or take off whole turns of the width until the value fits."""
    return low + (value - low) % (high - low + 1)


def saturate(value: int, low: int, high: int) -> int:
    """Stop at the end of the range."""
    return min(max(value, low), high)


def wrap_lava24(value: int, low: int, high: int) -> int:
    """2^bits off above 2^(bits-1), then 2^bits added at or below -2^(bits-1), once each."""
    turn, half = high - low + 1, high + 1
    if value > half:
        value -= turn
    if value <= -half:
        value += turn
    return value


def store(value: Number, register: Register) -> Number:
    """What a register holds after `value` was written to it."""
    if register.bits is None:
        return float(value)
    assert isinstance(value, int)
    low, high = register_range(register)
    if register.overflow == "wrap":
        return wrap(value, low, high)
    if register.overflow == "saturate":
        return saturate(value, low, high)
    if register.overflow == "wrap_lava24":
        return wrap_lava24(value, low, high)
    if not low <= value <= high:
        raise Trapped(value, low, high)
    return value


def power(exponent: int) -> Number:
    """2^exponent; a float where the exponent is negative."""
    value: Number = 2**exponent
    return value


def effective_param(param: Param, code: Number, exponent: int) -> Number:
    """The value that a parameter's code stands for; `exponent` is the second code of `mant_exp`."""
    if param.is_real:
        return float(code)
    code = int(code)
    if param.format == "shift":
        return code * power(param.shift)
    if param.format == "mant_exp":
        return code * power(exponent)
    if param.format == "pow2_minus1":
        return power(code) - 1
    if param.format == "neg_pow2_plus1":
        return 1 - power(code)
    if param.format == "pow2_9_plus_2e_minus1":
        return power(9 + 2 * code) - 1
    return code


def effective_weight(weights: Weights, code: Number, shared: dict[str, int]) -> Number:
    """The value that a spike adds; `shared` holds the values of the code's format."""
    if weights.formula == "float":
        return float(code)
    code = int(code)
    if weights.formula == "palette":
        return sum(shared[f"iw{bit}"] for bit in range(weights.bits or 0) if code >> bit & 1) * weights.unit
    if weights.formula == "row_sign":
        return code
    if weights.formula == "int_shift":
        return code * power(shared["shift"])
    if weights.formula == "mant_exp":
        unit = power(weights.unit_shift)
        scaled = code * power(weights.unit_shift + shared["w_exp"])  # a float where the exponent is negative
        value: Number = int(scaled // unit) * unit
        return value if weights.clip is None else min(max(value, -weights.clip), weights.clip)
    return code
