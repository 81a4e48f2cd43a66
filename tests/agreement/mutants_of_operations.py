"""Wrong operations: at least one for each rule of each of them."""

from mutant_hooks import altered, mutant, put_entry, put_operation, put_order, put_rounding
from spikeloom.reference.twin import numbers as twin_numbers
from spikeloom.reference.twin import operations as twin_operations


@mutant("subtract_reset", "multi_spike")
def unless_ignored(put):
    put_order(put, lambda entries: [altered(entry, unless=None) for entry in entries])


@mutant("subtract_reset", "multi_spike")
def minus_of_a_term_ignored(put):
    right = twin_operations.sum_terms

    def terms(entry, neuron):
        plus = [term.lstrip("-") if isinstance(term, str) else term for term in entry.terms]
        right(altered(entry, terms=plus), neuron)

    put_operation(put, "sum", terms)


@mutant("multi_spike")
def only_the_first_element_of_a_vector(put):
    right = twin_operations._elements
    put(twin_operations, "_elements", lambda operand, neuron: right(operand, neuron)[:1])


@mutant("loihi1")
def decay_offset_ignored(put):
    put_entry(put, "decay_mul", offset=0)


@mutant("loihi1")
def trunc_rounds_down(put):
    put_rounding(put, "trunc", "floor")


@mutant("two_thresholds")
def floor_truncates(put):
    put_rounding(put, "floor", "trunc")


@mutant("subtract_reset")
def nearest_rounds_down(put):
    put_rounding(put, "nearest", "floor")


@mutant("subtract_reset")
def nearest_halves_down(put):
    right = twin_operations.rounded

    def rounded(product, shift, mode):
        return right(product - 1 if mode == "nearest" else product, shift, mode)

    put(twin_operations, "rounded", rounded)


@mutant("multi_spike")
def min_step_ignored(put):
    put_entry(put, "decay_shift", min_step=False)


@mutant("multi_spike")
def min_step_always(put):
    put_entry(put, "decay_shift", min_step=True)


@mutant("multi_spike")
def negate_ignored(put):
    put_entry(put, "decay_shift", negate=False)


@mutant("multi_spike")
def negate_without_its_wrap(put):
    right = twin_operations.decay_shift

    def shifted(entry, neuron):
        right(altered(entry, negate=bool(entry.negate)), neuron)

    put_operation(put, "decay_shift", shifted)


@mutant("multi_spike")
def shift_of_the_magnitude(put):
    def shifted(entry, neuron):
        value = neuron.read(entry.reg)
        step = twin_operations.sign(value) * (abs(value) // 2 ** neuron.read(entry.param))
        if entry.min_step and step == 0 and value != 0:
            step = twin_operations.sign(value)
        result = -step if entry.negate else value - step
        if entry.negate == "wrap":
            result = twin_numbers.wrap(result, *twin_numbers.register_range(neuron.widths[entry.dst]))
        neuron.write(entry.dst, result)

    put_operation(put, "decay_shift", shifted)


@mutant("subtract_reset")
def decay_sub_enable_ignored(put):
    put_entry(put, "decay_sub", enable=1)


@mutant("subtract_reset")
def decay_sub_only_down(put):
    put_entry(put, "decay_sub", toward="floor0")


@mutant("multi_spike")
def decay_sub_toward_zero(put):
    put_entry(put, "decay_sub", toward="zero")


@mutant("subtract_reset")
def decay_sub_overshoots(put):
    def decay(entry, neuron):
        value, step = neuron.read(entry.reg), neuron.read(entry.param)
        if neuron.read(entry.enable):
            neuron.write(entry.reg, value - twin_operations.sign(value) * step)

    put_operation(put, "decay_sub", decay)


@mutant("two_thresholds")
def leak_guard_ignored(put):
    put_entry(put, "leak_signed", guard=False)


@mutant("two_thresholds")
def leak_guard_always(put):
    def leak(entry, neuron):
        value = neuron.read(entry.reg)
        direction = twin_operations.sign(value) if neuron.read(entry.eps) else 1
        result = value + direction * neuron.read(entry.lambda_)
        turned = twin_operations.sign(result) * twin_operations.sign(value) < 0
        neuron.write(entry.reg, 0 if turned else result)

    put_operation(put, "leak_signed", leak)


@mutant("two_thresholds")
def leak_sign_ignored(put):
    put_entry(put, "leak_signed", eps=0)


@mutant("two_thresholds")
def sign_of_zero_is_one(put):
    put(twin_operations, "sign", lambda value: 1 if value >= 0 else -1)


@mutant("loihi1", "subtract_reset")
def clip_without_minimum(put):
    put_entry(put, "clip", min=None)


@mutant("loihi1")
def clip_without_maximum(put):
    put_entry(put, "clip", max=None)


@mutant("two_thresholds")
def clear_flag_ignored(put):
    put_entry(put, "clear", flag=1)


@mutant("two_thresholds")
def clear_does_nothing(put):
    put_operation(put, "clear", lambda entry, neuron: None)


@mutant("loihi1")
def hold_zero_ignored(put):
    put_operation(put, "hold_zero", lambda entry, neuron: None)


@mutant("multi_spike")
def hold_zero_from_two_on(put):
    def hold(entry, neuron):
        if neuron.read(entry.counter) > 1:
            neuron.write(entry.reg, 0)

    put_operation(put, "hold_zero", hold)


@mutant("loihi1", "subtract_reset")
def count_down_first(put):
    put_order(put, lambda entries: sorted(entries, key=lambda entry: entry.op != "count_down"))


@mutant("loihi1")
def count_down_below_zero(put):
    def count(entry, neuron):
        neuron.write(entry.reg, neuron.read(entry.reg) - 1)

    put_operation(put, "count_down", count)


@mutant("loihi1", "subtract_reset")
def count_down_ignored(put):
    put_operation(put, "count_down", lambda entry, neuron: None)
