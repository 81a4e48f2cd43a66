"""One wrong twin for each rule of the contract. A mutant is a function that patches the twin through `put`.

`put(owner, name, value)` is pytest's `monkeypatch.setattr`; a mutant that needs a particular rule names the
profiles that have it.
"""

from spikeloom.reference import twin, twin_numbers, twin_operations
from spikeloom.reference.twin import _Chip
from spikeloom.reference.twin_operations import Neuron

LOIHI = ("loihi1", "loihi1:lava")
MUTANTS = {}


def mutant(*profiles):
    """Register a mutant that shows on (some of) these profiles."""

    def register(function):
        MUTANTS[function.__name__] = (function, profiles)
        return function

    return register


class Altered:
    """An entry of the operation list with some fields replaced."""

    def __init__(self, entry, **fields):
        self.__dict__.update({"_entry": entry, **fields})

    def __getattr__(self, name):
        return getattr(self._entry, name)


def put_operation(put, op, function):
    """Replace one operation of the twin."""
    operations = {**twin_operations.OPERATIONS, op: function}
    put(twin_operations, "OPERATIONS", operations)


def put_entry(put, op, **fields):
    """Let an operation see other fields than the profile gives."""
    right = twin_operations.OPERATIONS[op]
    put_operation(put, op, lambda entry, neuron: right(Altered(entry, **fields), neuron))


def put_order(put, order):
    """Run the operation list in another order; `order` maps the list to a list."""

    def run(profile, neurons):
        for neuron in neurons:
            neuron.spikes = 0
        for entry in order(list(profile.operation)):
            for neuron in neurons:
                if entry.unless is None or neuron.read(entry.unless) == 0:
                    twin_operations.OPERATIONS[entry.op](entry, neuron)

    put(twin, "run_operations", run)


# The tick: delivery, merging, latency, delay, accumulators, order.


@mutant(*LOIHI, "subtract_reset", "multi_spike")
def operations_reversed(put):
    put_order(put, lambda entries: entries[::-1])


@mutant("two_thresholds", "loihi1")
def merge_swapped(put):
    right = _Chip.merge
    put(_Chip, "merge", lambda self, n: n if self.profile.delivery.merge == "or" else min(right(self, n), 1))


@mutant("multi_spike")
def spikes_max_ignored(put):
    put(_Chip, "merge", lambda self, n: n)


@mutant("multi_spike")
def spikes_max_less_one(put):
    put(_Chip, "merge", lambda self, n: min(n, self.profile.delivery.spikes_max - 1))


@mutant("loihi1", "subtract_reset", "ideal")
def clear_omitted(put):
    put(_Chip, "clear_accumulators", lambda self: None)


@mutant("subtract_reset", "multi_spike", "two_thresholds")
def clear_of_everything_delivered_into(put):
    def clear(self):
        for neuron in self.neurons:
            for element in self.profile.delivery.into:
                neuron.registers[element] = 0

    put(_Chip, "clear_accumulators", clear)


@mutant("loihi1")
def probe_before_the_clear(put):
    clear, right = _Chip.clear_accumulators, _Chip.run_tick

    def run(self, tick, lines):
        clear(self)
        right(self, tick, lines)

    put(_Chip, "clear_accumulators", lambda self: None)
    put(_Chip, "run_tick", run)


@mutant("loihi1", "two_thresholds")
def latency_one_more(put):
    put(twin, "arrival", lambda tick, latency: tick + latency + 1)


@mutant("two_thresholds")
def latency_one_less(put):
    put(twin, "arrival", lambda tick, latency: tick + latency - 1)


@mutant("two_thresholds")
def latency_always_one(put):
    put(twin, "arrival", lambda tick, latency: tick + 1)


@mutant("loihi1", "two_thresholds", "ideal")
def delay_one_more(put):
    put(twin, "due_tick", lambda tick, delay: tick + delay + 1)


@mutant("loihi1")
def delay_zero_counts_as_one(put):
    put(twin, "due_tick", lambda tick, delay: tick + max(delay, 1))


@mutant("loihi1")
def delay_ignored(put):
    put(twin, "due_tick", lambda tick, delay: tick)


@mutant("loihi1")
def input_takes_the_latency_too(put):
    right = _Chip.run_tick

    def run(self, tick, lines):
        held, self.__dict__["held"] = self.__dict__.get("held", []), lines
        right(self, tick, held)

    put(_Chip, "run_tick", run)


@mutant("loihi1")
def count_of_a_spike_ignored(put):
    right = _Chip.send
    put(_Chip, "send", lambda self, axons, n, tick: right(self, axons, min(n, 1), tick))


@mutant("loihi1")
def later_spike_on_an_axon_replaces_the_earlier(put):
    def send(self, axons, n, tick):
        for axon in axons if n else []:
            for delay in self.rows[axon]:
                self.due.setdefault(twin.due_tick(tick, delay), {})[axon, delay] = n

    put(_Chip, "send", send)


@mutant("ideal")
def recurrent_before_input(put):
    put(_Chip, "group_of", lambda self, axon: "recurrent" if axon in self.input_axons else "input")


@mutant("ideal")
def axons_descending(put):
    right = _Chip.deliver
    put(_Chip, "deliver", lambda self, tick: right(self, tick)[::-1])


@mutant("ideal")
def n_spikes_are_one_product(put):
    def add_up(self, spikes):
        sums = {element: {} for element in self.profile.delivery.into}
        for axon, delay, n in spikes:
            for run in self.rows[axon][delay]:
                for target, weight in zip(run.targets, self.weights_of(axon, run), strict=True):
                    number = self.axon_target[axon] + target
                    sums[run.element][number] = sums[run.element].get(number, 0) + n * weight
        return sums

    put(_Chip, "add_up", add_up)


@mutant("subtract_reset", "multi_spike")
def rule_after_every_addition(put):
    def add_up(self, spikes):
        for axon, delay, n in spikes:
            for run in self.rows[axon][delay]:
                for target, weight in zip(run.targets, self.weights_of(axon, run), strict=True):
                    neuron = self.neurons[self.axon_target[axon] + target]
                    for _ in range(n):
                        neuron.write(run.element, neuron.read(run.element) + weight)
        return {element: {} for element in self.profile.delivery.into}

    put(_Chip, "add_up", add_up)


@mutant("subtract_reset", "multi_spike")
def receptors_swapped(put):
    right = _Chip.add_up

    def add_up(self, spikes):
        sums = right(self, spikes)
        return dict(zip(sums, list(sums.values())[::-1], strict=True))

    put(_Chip, "add_up", add_up)


@mutant("loihi1")
def shared_template_reads_the_first_row(put):
    put(_Chip, "weights_of", lambda self, axon, run: self.weights[run.weight : run.weight + len(run.targets)])


@mutant("loihi1")
def runs_start_at_the_first_weight(put):
    def weights_of(self, axon, run):
        return self.weights[self.axon_weight[axon] :][: len(run.targets)]

    put(_Chip, "weights_of", weights_of)


@mutant("loihi1")
def index_list_read_as_a_stretch(put):
    right = twin._load_run

    def load(program, run):
        found = right(program, run)
        first = int(program.arrays.run_target[run])
        return twin._Run(found.element, list(range(first, first + len(found.targets))), found.weight)

    put(twin, "_load_run", load)


@mutant("subtract_reset")
def first_register_values_ignored(put):
    put(twin, "_initial", lambda program, name, number: 0)


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


# The operations.


@mutant("subtract_reset", "multi_spike")
def unless_ignored(put):
    put_order(put, lambda entries: [Altered(entry, unless=None) for entry in entries])


@mutant("subtract_reset", "multi_spike")
def minus_of_a_term_ignored(put):
    right = twin_operations.sum_terms

    def terms(entry, neuron):
        plus = [term.lstrip("-") if isinstance(term, str) else term for term in entry.terms]
        right(Altered(entry, terms=plus), neuron)

    put_operation(put, "sum", terms)


@mutant("multi_spike")
def only_the_first_element_of_a_vector(put):
    right = twin_operations._elements
    put(twin_operations, "_elements", lambda operand, neuron: right(operand, neuron)[:1])


@mutant("loihi1")
def decay_offset_ignored(put):
    put_entry(put, "decay_mul", offset=0)


def put_rounding(put, mode, instead):
    right = twin_operations.rounded

    def rounded(product, shift, asked):
        return right(product, shift, instead if asked == mode else asked)

    put(twin_operations, "rounded", rounded)


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
        right(Altered(entry, negate=bool(entry.negate)), neuron)

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


def put_start(put, change):
    """Counters that start elsewhere."""
    right = twin_operations.fire

    def fire(entry, neuron):
        start = {counter: change(int(neuron.read(operand))) for counter, operand in entry.start.items()}
        right(Altered(entry, start=start), neuron)

    put_operation(put, "fire", fire)


@mutant("loihi1")
def refractory_one_more(put):
    put_start(put, lambda value: min(value + 1, 63))


@mutant("loihi1")
def refractory_one_less(put):
    put_start(put, lambda value: value - 1)


@mutant("loihi1")
def refractory_not_started(put):
    put_entry(put, "fire", start={})


@mutant(*LOIHI)
def threshold_reached_is_enough(put):
    put_entry(put, "fire", cmp="ge")


@mutant("subtract_reset", "ideal")
def threshold_must_be_passed(put):
    put_entry(put, "fire", cmp="gt")


@mutant("loihi1", "subtract_reset", "ideal")
def reset_swapped(put):
    right = twin_operations.fire
    swapped = {"zero": "subtract", "subtract": "zero", "value": "none", "none": "value"}
    put_operation(
        put, "fire", lambda entry, neuron: right(Altered(entry, reset=swapped[entry.reset]), neuron)
    )


@mutant("loihi1")
def no_reset(put):
    put_entry(put, "fire", reset="none")


@mutant("subtract_reset")
def gate_ignored(put):
    put_entry(put, "fire", gate=0)


@mutant("subtract_reset")
def gate_stops_the_reset_too(put):
    right = twin_operations.fire
    put_operation(
        put, "fire", lambda entry, neuron: None if neuron.read(entry.gate) else right(entry, neuron)
    )


@mutant("two_thresholds")
def lower_threshold_ignored(put):
    right = twin_operations.crosses
    put(twin_operations, "crosses", lambda cmp, value, limit: cmp != "lt" and right(cmp, value, limit))


@mutant("two_thresholds")
def lower_threshold_reached_is_enough(put):
    put_entry(put, "fire2", neg_cmp="le")


@mutant("two_thresholds")
def upper_threshold_must_be_passed(put):
    put_entry(put, "fire2", cmp="gt")


@mutant("two_thresholds")
def reset_mode_ignored(put):
    put_entry(put, "fire2", mode=0)


@mutant("two_thresholds")
def reset_mode_always(put):
    put_entry(put, "fire2", mode=1)


@mutant("two_thresholds")
def negative_reset_not_negated(put):
    def fire2(entry, neuron):
        value, low = neuron.read(entry.reg), neuron.read(entry.neg)
        high, subtract = neuron.read(entry.pos), neuron.read(entry.mode)
        right(entry, neuron)
        if value < low and value < high and not subtract:
            neuron.write(entry.reg, neuron.read(entry.r))

    right = twin_operations.fire2
    put_operation(put, "fire2", fire2)


@mutant("multi_spike")
def one_spike_a_tick(put):
    put_entry(put, "multi_fire", max=1)


@mutant("multi_spike")
def one_spike_more_than_the_limit(put):
    right = Neuron.read

    def fire(entry, neuron):
        limit = right(neuron, entry.max)
        twin_operations.multi_fire(Altered(entry, max=int(limit) + 1), neuron)

    put_operation(put, "multi_fire", fire)


@mutant("multi_spike")
def remainder_lost(put):
    right = twin_operations.multi_fire

    def fire(entry, neuron):
        right(entry, neuron)
        if neuron.spikes:
            neuron.write(entry.reg, 0)

    put_operation(put, "multi_fire", fire)
