"""Wrong numbers: the overflow rules, and what codes stand for."""

from mutant_hooks import mutant
from spikeloom.reference.twin import numbers as twin_numbers

# The overflow rules.


@mutant("loihi1")
def wrap_saturates(put):
    put(twin_numbers, "wrap", twin_numbers.saturate)


@mutant("subtract_reset")
def saturate_wraps(put):
    put(twin_numbers, "saturate", twin_numbers.wrap)


@mutant("lava_edge")
def lava_wraps_as_two_s_complement(put):
    put(twin_numbers, "wrap_lava24", twin_numbers.wrap)


@mutant("loihi1")
def widths_without_sign_bit(put):
    right = twin_numbers.register_range
    put(twin_numbers, "register_range", lambda register: tuple(2 * bound for bound in right(register)))


@mutant("subtract_reset", "multi_spike")
def unsigned_taken_as_signed(put):
    right = twin_numbers.register_range

    def signed(register):
        return right(register.model_copy(update={"signed": True}))

    put(twin_numbers, "register_range", signed)


@mutant("loihi1:brian")
def trap_ignored(put):
    right = twin_numbers.store

    def store(value, register):
        try:
            return right(value, register)
        except twin_numbers.Trapped:
            return value

    put(twin_numbers, "store", store)


# Codes to effective values.


@mutant("loihi1", "subtract_reset")
def bias_exponent_ignored(put):
    right = twin_numbers.effective_param
    put(twin_numbers, "effective_param", lambda param, code, exponent: right(param, code, 0))


def put_format(put, name, value):
    right = twin_numbers.effective_param

    def effective(param, code, exponent):
        return value(int(code)) if param.format == name else right(param, code, exponent)

    put(twin_numbers, "effective_param", effective)


@mutant("loihi1")
def threshold_not_shifted(put):
    put_format(put, "shift", lambda code: code)


@mutant("subtract_reset")
def pow2_minus1_keeps_its_one(put):
    put_format(put, "pow2_minus1", lambda code: 2**code)


@mutant("subtract_reset", "loihi1")
def neg_pow2_plus1_loses_its_one(put):
    put_format(put, "neg_pow2_plus1", lambda code: -(2**code))


@mutant("loihi1")
def vmax_loses_its_one(put):
    put_format(put, "pow2_9_plus_2e_minus1", lambda code: 2 ** (9 + 2 * code))


def put_weight(put, value):
    right = twin_numbers.effective_weight

    def weight(weights, code, shared):
        return value(right, weights, code, shared)

    put(twin_numbers, "effective_weight", weight)


@mutant("loihi1")
def negative_weights_round_to_zero(put):
    def weight(right, weights, code, shared):
        return right(weights, code, shared) if code >= 0 else -right(weights, -code, shared)

    put_weight(put, weight)


@mutant("loihi1")
def weight_exponent_ignored(put):
    put_weight(put, lambda right, weights, code, shared: right(weights, code, {"w_exp": 0}))


@mutant("subtract_reset")
def weight_shift_ignored(put):
    put_weight(put, lambda right, weights, code, shared: int(code))


@mutant("loihi1")
def weight_unit_not_cut(put):
    def weight(right, weights, code, shared):
        return int(code * 2 ** (weights.unit_shift + shared["w_exp"]) // 1)

    put_weight(put, weight)


@mutant("loihi1")
def weight_not_clipped(put):
    def weight(right, weights, code, shared):
        return right(weights.model_copy(update={"clip": None}), code, shared)

    put_weight(put, weight)
