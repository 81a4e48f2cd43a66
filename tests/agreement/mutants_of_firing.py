"""Wrong firing: thresholds, resets, gates, counters."""

from mutant_hooks import altered, mutant, put_entry, put_operation, put_start
from spikeloom.reference.twin import operations as twin_operations
from spikeloom.reference.twin.operations import Neuron


@mutant("loihi1")
def refractory_one_more(put):
    put_start(put, lambda value: min(value + 1, 63))


@mutant("loihi1")
def refractory_one_less(put):
    put_start(put, lambda value: value - 1)


@mutant("loihi1")
def refractory_not_started(put):
    put_entry(put, "fire", start={})


@mutant("loihi1", "loihi1:lava")
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
        put, "fire", lambda entry, neuron: right(altered(entry, reset=swapped[entry.reset]), neuron)
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
        if value < low and value < high and not subtract and not neuron.read(entry.saturate):
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
        twin_operations.multi_fire(altered(entry, max=int(limit) + 1), neuron)

    put_operation(put, "multi_fire", fire)


@mutant("multi_spike")
def remainder_lost(put):
    right = twin_operations.multi_fire

    def fire(entry, neuron):
        right(entry, neuron)
        if neuron.spikes:
            neuron.write(entry.reg, 0)

    put_operation(put, "multi_fire", fire)
